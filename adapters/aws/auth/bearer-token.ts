/**
 * Bearer tokens of EKS's form: `k8s-aws-v1.` and, in base64url, the URL of an STS GetCallerIdentity
 * request that its maker signed. Owns the checks that need no network; asking STS is next door.
 *
 * The danger is a URL that says one thing to the one who checks and another to STS (CVE-2022-2385).
 * So everything is checked on the raw text, exactly, and what STS is asked is built anew from the
 * parts that were checked.
 *
 * Invariants:
 *  T1 Each parameter is known, there once, and has one reading.
 *  T2 The host is one of STS, to the letter.
 *  T3 The signature covers the cluster's id: what was signed for another cluster fails at STS.
 */

export interface TokenRules {
  readonly nowMs: number;
  /** Hosts that may be asked, with the region that each signs for. */
  readonly hosts: ReadonlyMap<string, string>;
}

/** A token that holds what it must; whether its signature does, only STS knows. */
export interface CheckedToken {
  readonly host: string;
  /** Decoded values by name. */
  readonly parameters: ReadonlyMap<string, string>;
  /** From then on it is worth nothing, whatever STS says. */
  readonly expiresAtMs: number;
}

/** The token is not one; the message says which check it failed, and holds nothing of it. */
export class InvalidToken extends Error {
  override readonly name = 'InvalidToken';
}

export const TOKEN_PREFIX = 'k8s-aws-v1.';
/** Signed by the maker and set by us on the request: never taken from the token. */
export const CLUSTER_ID_HEADER = 'x-k8s-aws-id';
/** Tokens with a session's credentials have some 1,500 characters. */
export const MAX_TOKEN_LENGTH = 4096;
/** STS takes a signed request for so long, whatever its X-Amz-Expires says. */
export const TOKEN_LIFETIME_MS = 15 * 60_000;
const MAX_EXPIRES_SECONDS = 900;
/** A client's clock may be ahead by as much as AWS puts up with. */
const MAX_AHEAD_MS = 5 * 60_000;

/** What each parameter must look like, once decoded. All are required but the session's token. */
const PARAMETERS: { readonly [name: string]: RegExp } = {
  Action: /^GetCallerIdentity$/,
  Version: /^2011-06-15$/,
  'X-Amz-Algorithm': /^AWS4-HMAC-SHA256$/,
  'X-Amz-Credential': /^[A-Z0-9]{16,128}\/[0-9]{8}\/[a-z0-9-]{1,32}\/sts\/aws4_request$/,
  'X-Amz-Date': /^[0-9]{8}T[0-9]{6}Z$/,
  'X-Amz-Expires': /^(0|[1-9][0-9]{0,2})$/,
  'X-Amz-Security-Token': /^[A-Za-z0-9+/=_-]+$/,
  'X-Amz-Signature': /^[0-9a-f]{64}$/,
  'X-Amz-SignedHeaders': /^host;x-k8s-aws-id$/,
};
const OPTIONAL = 'X-Amz-Security-Token';

/** Checks all that can be checked here, in the order in which a request is read. */
export function checkToken(token: string, { nowMs, hosts }: TokenRules): CheckedToken {
  if (token.length > MAX_TOKEN_LENGTH) throw new InvalidToken('the token is too long');
  if (!token.startsWith(TOKEN_PREFIX)) throw new InvalidToken(`the prefix is not ${TOKEN_PREFIX}`);
  const url = decodedUrl(token.slice(TOKEN_PREFIX.length));
  const { host, query } = split(url);
  const region = hosts.get(host);
  if (region === undefined) throw new InvalidToken('the host is not one of STS here');
  const parameters = parametersOf(query);
  checkScope(parameters, region);
  return { host, parameters, expiresAtMs: expiryOf(parameters, nowMs) };
}

/** The URL of a request in the same words as the checked token: never the client's own text. */
export function requestPath({ parameters }: CheckedToken): string {
  const pairs = [...parameters].map(([name, value]) => `${name}=${encoded(value)}`);
  return `/?${pairs.join('&')}`;
}

function encoded(value: string): string {
  const hex = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(value).replace(/[!'()*]/g, hex);
}

function decodedUrl(payload: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(payload)) throw new InvalidToken('the payload is not base64url');
  const bytes = Buffer.from(payload, 'base64url');
  // One text, one token: bits that decoding drops would make others of it.
  if (bytes.toString('base64url') !== payload) throw new InvalidToken('the base64url is not exact');
  const url = bytes.toString('latin1');
  if (!/^[\x21-\x7e]+$/.test(url)) throw new InvalidToken('the URL holds more than plain ASCII');
  return url;
}

/** `https://host/?query`, with nothing else anywhere. */
function split(url: string): { host: string; query: string } {
  const scheme = 'https://';
  if (!url.startsWith(scheme)) throw new InvalidToken('the scheme is not https');
  const rest = url.slice(scheme.length);
  const end = rest.search(/[/?#\\]/);
  const host = end < 0 ? rest : rest.slice(0, end);
  const target = end < 0 ? '' : rest.slice(end);
  if (target.includes('#')) throw new InvalidToken('the URL has a fragment');
  if (!target.startsWith('/?')) throw new InvalidToken('the path is not /');
  return { host, query: target.slice(2) };
}

function parametersOf(query: string): ReadonlyMap<string, string> {
  const given = query.split('&').map(pairOf);
  const folded = new Set<string>();
  for (const [name] of given) {
    const plain = name.toLowerCase();
    if (folded.has(plain)) throw new InvalidToken('a parameter is there twice');
    folded.add(plain);
  }
  const parameters = new Map(given);
  for (const [name, form] of Object.entries(PARAMETERS)) {
    const value = parameters.get(name);
    if (value === undefined && name === OPTIONAL) continue;
    if (value === undefined) throw new InvalidToken(`${name} is missing`);
    if (!form.test(value)) throw new InvalidToken(`${name} is not as it must be`);
  }
  if (given.every(([name]) => Object.hasOwn(PARAMETERS, name))) return parameters;
  throw new InvalidToken('a parameter is not known');
}

function pairOf(text: string): readonly [name: string, value: string] {
  const [name = '', value = '', ...more] = text.split('=');
  if (more.length > 0 || !/^[A-Za-z0-9-]+$/.test(name)) {
    throw new InvalidToken('a parameter is not name=value');
  }
  return [name, decodedValue(value)];
}

/** Decoded once, and then plain: no second decoding can find more in it, no `+` is a space. */
function decodedValue(value: string): string {
  if (!/^([A-Za-z0-9._~/=-]|%[0-9A-Fa-f]{2})*$/.test(value)) {
    throw new InvalidToken('a value is not percent-encoded');
  }
  const plain = value.replace(/%(..)/g, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  if (/^[\x21-\x24\x26-\x7e]*$/.test(plain)) return plain;
  throw new InvalidToken('a value is encoded twice, or holds more than plain ASCII');
}

/** The credential is for STS in the host's region, on the day of the request. */
function checkScope(parameters: ReadonlyMap<string, string>, hostRegion: string): void {
  const [, day, region] = parameters.get('X-Amz-Credential')?.split('/') ?? [];
  if (region !== hostRegion) throw new InvalidToken('the credential is for another region');
  if (day === parameters.get('X-Amz-Date')?.slice(0, 8)) return;
  throw new InvalidToken('the credential is of another day');
}

function expiryOf(parameters: ReadonlyMap<string, string>, nowMs: number): number {
  const expires = Number(parameters.get('X-Amz-Expires'));
  if (expires > MAX_EXPIRES_SECONDS) throw new InvalidToken('it is to expire too late');
  const atMs = timeOf(parameters.get('X-Amz-Date') ?? '');
  if (atMs > nowMs + MAX_AHEAD_MS) throw new InvalidToken('it is of the future');
  const expiresAtMs = atMs + TOKEN_LIFETIME_MS;
  if (nowMs < expiresAtMs) return expiresAtMs;
  throw new InvalidToken('it has expired');
}

/** `20260102T030405Z`, which must be a time that there is. */
function timeOf(text: string): number {
  const iso = text.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  const ms = Date.parse(iso);
  if (!Number.isNaN(ms) && new Date(ms).toISOString() === iso) return ms;
  throw new InvalidToken('X-Amz-Date is not a time');
}
