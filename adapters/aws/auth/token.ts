/**
 * The client's side: makes the token that the authenticator reads, by signing an STS request with
 * the AWS credentials at hand. Nothing is sent anywhere.
 */
import { Sha256 } from '@aws-crypto/sha256-js';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { SignatureV4 } from '@smithy/signature-v4';
import { CLUSTER_ID_HEADER, TOKEN_LIFETIME_MS, TOKEN_PREFIX } from './bearer-token.ts';
import { stsHostOf } from './sts-hosts.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

export interface TokenOptions {
  readonly clusterId: string;
  readonly region: string;
  readonly nowMs: number;
  readonly credentials: Credentials;
}

export interface SignedToken {
  readonly token: string;
  /** A minute before the server stops taking it, or when the credentials end. */
  readonly expiresAtMs: number;
}

/** As other makers of these tokens say; STS takes the request for 15 minutes all the same. */
const EXPIRES_SECONDS = 60;
/** The clocks of client and server may differ. */
const MARGIN_MS = 60_000;

/** Throws a RangeError when the region is not one. */
export async function signToken(options: TokenOptions): Promise<SignedToken> {
  const { clusterId, region, nowMs, credentials } = options;
  const host = stsHostOf(region);
  const signer = new SignatureV4({ service: 'sts', region, sha256: Sha256, credentials });
  const { query = {} } = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname: host,
      path: '/',
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { host, [CLUSTER_ID_HEADER]: clusterId },
    },
    { expiresIn: EXPIRES_SECONDS, signingDate: new Date(nowMs) },
  );
  const pairs = Object.entries(query).map(
    ([name, value]) => `${name}=${encodeURIComponent(String(value))}`,
  );
  const url = `https://${host}/?${pairs.join('&')}`;
  const endsAtMs = nowMs + TOKEN_LIFETIME_MS - MARGIN_MS;
  return {
    token: `${TOKEN_PREFIX}${Buffer.from(url).toString('base64url')}`,
    expiresAtMs: Math.min(endsAtMs, credentials.expiration?.getTime() ?? endsAtMs),
  };
}

/**
 * The credentials of this machine's environment, by the SDK's own rules. Rejects when there are
 * none.
 */
export function credentialsAtHand(profile?: string): Promise<Credentials> {
  return defaultProvider(profile ? { profile } : {})();
}
