/**
 * Certificates for serving on this machine: an own authority and a certificate for loopback names
 * (X.509, RFC 5280). Gives PEM texts; where they are kept is the caller's business.
 */
import {
  createHash,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import type { Clock } from '../../shared/ports/clock.ts';
import * as der from './der.ts';

export interface TlsIdentity {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Clocks of client and server may differ. */
const BACKDATED_MS = DAY_MS;
/** Clients refuse server certificates that are valid for much longer than a year. */
const VALID_MS = 397 * DAY_MS;
/** A certificate is made anew well before it ends. */
const RENEW_BEFORE_MS = 30 * DAY_MS;

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/**
 * A new authority and a server certificate by it. The authority's key is thrown away: it signs this
 * one certificate, and nobody can ever sign another in its name.
 */
export function createTlsIdentity(clock: Clock): TlsIdentity {
  const [caKeys, keys] = [newKeys(), newKeys()];
  const issuer = distinguishedName('Nullplane local CA');
  const nowMs = clock.nowMs();
  const common = { issuer, issuerKeys: caKeys, nowMs };
  const ca = certificate({
    ...common,
    subject: issuer,
    publicKey: caKeys.publicKey,
    extensions: authorityExtensions(caKeys),
  });
  const server = certificate({
    ...common,
    subject: distinguishedName('nullplane'),
    publicKey: keys.publicKey,
    extensions: serverExtensions(keys, caKeys),
  });
  return {
    caPem: pem('CERTIFICATE', ca),
    certPem: pem('CERTIFICATE', server),
    keyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
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

function newKeys(): Keys {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

interface Request {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly publicKey: KeyObject;
  readonly issuerKeys: Keys;
  readonly nowMs: number;
  readonly extensions: Buffer;
}

/** A certificate in DER: the part that is signed, and the signature. */
function certificate(request: Request): Buffer {
  const { subject, issuer, publicKey, issuerKeys, nowMs, extensions } = request;
  const algorithm = der.sequence(der.objectId(OID.ecdsaWithSha256));
  const signed = der.sequence(
    der.context(0, der.integer(Buffer.from([2])), true), // version 3
    der.integer(serialNumber()),
    algorithm,
    issuer,
    der.sequence(der.time(nowMs - BACKDATED_MS), der.time(nowMs + VALID_MS)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der.context(3, extensions, true),
  );
  const signature = sign('sha256', signed, issuerKeys.privateKey);
  return der.sequence(signed, algorithm, der.bits(signature));
}

/** Positive, unlike any other, and never with a leading zero byte. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

function distinguishedName(commonName: string): Buffer {
  const attribute = der.sequence(der.objectId(OID.commonName), der.utf8(commonName));
  return der.sequence(der.set(attribute));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return der.sequence(der.objectId(id), ...(critical ? [der.truth()] : []), der.octets(value));
}

function authorityExtensions(keys: Keys): Buffer {
  const noFurtherAuthorities = der.integer(Buffer.from([0]));
  const signCertificates = der.bits(Buffer.from([0b0000_0110]), 1);
  return der.sequence(
    extension(OID.basicConstraints, der.sequence(der.truth(), noFurtherAuthorities), true),
    extension(OID.keyUsage, signCertificates, true),
    extension(OID.subjectKeyId, der.octets(keyId(keys))),
  );
}

const DNS_NAME = 2;
const IP_ADDRESS = 7;
const IPV6_LOOPBACK = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

function serverExtensions(keys: Keys, caKeys: Keys): Buffer {
  const names = der.sequence(
    der.context(DNS_NAME, Buffer.from('localhost')),
    der.context(IP_ADDRESS, Buffer.from([127, 0, 0, 1])),
    der.context(IP_ADDRESS, IPV6_LOOPBACK),
  );
  return der.sequence(
    extension(OID.basicConstraints, der.sequence(), true),
    extension(OID.keyUsage, der.bits(Buffer.from([0b1000_0000]), 7), true),
    extension(OID.extendedKeyUsage, der.sequence(der.objectId(OID.serverAuth))),
    extension(OID.subjectAltName, names),
    extension(OID.subjectKeyId, der.octets(keyId(keys))),
    extension(OID.authorityKeyId, der.sequence(der.context(0, keyId(caKeys)))),
  );
}

/** Names a key in the certificates that speak of it; not for security. */
function keyId({ publicKey }: Keys): Buffer {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest().subarray(0, 20);
}

const PEM_COLUMNS = /.{1,64}/g;

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(PEM_COLUMNS) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
