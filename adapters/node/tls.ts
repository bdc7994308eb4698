/**
 * Certificates for serving on this machine: an own authority and a certificate for loopback names
 * (X.509, RFC 5280). Gives PEM texts; where they are kept is the caller's business.
 */
import { type webcrypto, X509Certificate } from 'node:crypto';
import type * as x509 from '@peculiar/x509';
import type { Clock } from '../../shared/ports/clock.ts';

export interface TlsIdentity {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Clocks of client and server may differ. */
const BACKDATED_MS = DAY_MS;
/** Clients refuse server certificates that are valid for much longer than a year. */
const VALID_MS = 397 * DAY_MS;
/** A certificate is made anew well before it ends. */
const RENEW_BEFORE_MS = 30 * DAY_MS;

const KEYS = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };
const AUTHORITY = 'CN=Nullplane local CA';
const SERVER = 'CN=nullplane';
const CRITICAL = true;

/**
 * A new authority and a server certificate by it. The authority's key is thrown away: it signs this
 * one certificate, and nobody can ever sign another in its name.
 */
export async function createTlsIdentity(clock: Clock): Promise<TlsIdentity> {
  const library = await loadX509();
  const [caKeys, keys] = await Promise.all([newKeys(), newKeys()]);
  const nowMs = clock.nowMs();
  const common = {
    issuer: AUTHORITY,
    signingKey: caKeys.privateKey,
    signingAlgorithm: SIGNATURE,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + VALID_MS),
  };
  const ca = await library.X509CertificateGenerator.create({
    ...common,
    subject: AUTHORITY,
    publicKey: caKeys.publicKey,
    extensions: await authorityExtensions(library, caKeys.publicKey),
  });
  const server = await library.X509CertificateGenerator.create({
    ...common,
    subject: SERVER,
    publicKey: keys.publicKey,
    extensions: await serverExtensions(library, keys.publicKey, caKeys.publicKey),
  });
  const keyDer = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  const { PemConverter } = library;
  return {
    caPem: `${ca.toString('pem')}\n`,
    certPem: `${server.toString('pem')}\n`,
    keyPem: `${PemConverter.encode(keyDer, PemConverter.PrivateKeyTag)}\n`,
  };
}

/** Whether the identity can still be served with for a while. */
export function isCurrent({ certPem, caPem }: TlsIdentity, clock: Clock): boolean {
  const nowMs = clock.nowMs();
  return [certPem, caPem].every((text) => {
    const { validFrom, validTo } = new X509Certificate(text);
    return Date.parse(validFrom) <= nowMs && nowMs + RENEW_BEFORE_MS < Date.parse(validTo);
  });
}

type X509 = typeof x509;
type Key = webcrypto.CryptoKey;

/**
 * Loaded only when an identity is made, which is once a year: every other start is a tenth of a
 * second quicker. The library finds its parts through decorators, for which it needs Reflect.
 */
async function loadX509(): Promise<X509> {
  await import('reflect-metadata/lite');
  return import('@peculiar/x509');
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(KEYS, true, ['sign', 'verify']);
}

/** It signs server certificates; no authority below it. */
async function authorityExtensions(library: X509, key: Key): Promise<x509.Extension[]> {
  const { keyCertSign, cRLSign } = library.KeyUsageFlags;
  return [
    new library.BasicConstraintsExtension(true, 0, CRITICAL),
    new library.KeyUsagesExtension(keyCertSign | cRLSign, CRITICAL),
    await library.SubjectKeyIdentifierExtension.create(key),
  ];
}

async function serverExtensions(
  library: X509,
  key: Key,
  authorityKey: Key,
): Promise<x509.Extension[]> {
  return [
    new library.BasicConstraintsExtension(false, undefined, CRITICAL),
    new library.KeyUsagesExtension(library.KeyUsageFlags.digitalSignature, CRITICAL),
    new library.ExtendedKeyUsageExtension([library.ExtendedKeyUsage.serverAuth]),
    new library.SubjectAlternativeNameExtension([
      { type: 'dns', value: 'localhost' },
      { type: 'ip', value: '127.0.0.1' },
      { type: 'ip', value: '::1' },
    ]),
    await library.SubjectKeyIdentifierExtension.create(key),
    await library.AuthorityKeyIdentifierExtension.create(authorityKey),
  ];
}
