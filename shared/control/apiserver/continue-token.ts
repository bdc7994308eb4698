/**
 * Continue tokens: where the next chunk of a list begins. A token is not a secret and holds no
 * right: it only moves within the resource and namespace of the request it comes with, which are
 * authorized as ever.
 */
import { badRequest } from '../../api/errors.ts';
import { isVersion } from './versions.ts';

export interface Continuation {
  /**
   * The version that the whole list answers with: the first chunk's. Watching from it misses
   * nothing.
   */
  readonly resourceVersion: string;
  /** The store's page in which the last chunk ended; absent for the first one. */
  readonly after?: string;
  /** The last object that was handed out, as `namespace/name`. */
  readonly last: string;
  /** How many objects are left after this chunk, where that was counted. */
  readonly remaining?: number;
}

const TOKEN_VERSION = 1;
const MAX_TOKEN_LENGTH = 2048;

export function continueToken(continuation: Continuation): string {
  return toBase64Url(JSON.stringify({ v: TOKEN_VERSION, ...continuation }));
}

/** Throws BadRequest for what this server did not make. */
export function parseContinueToken(token: string): Continuation {
  const value = token.length > MAX_TOKEN_LENGTH ? undefined : parsed(token);
  if (!isContinuation(value)) throw badRequest('continue key is not valid');
  return value;
}

function parsed(token: string): unknown {
  try {
    return JSON.parse(fromBase64Url(token));
  } catch {
    return undefined;
  }
}

function isContinuation(value: unknown): value is Continuation {
  if (typeof value !== 'object' || value === null) return false;
  const { v, resourceVersion, after, last, remaining } = value as { [key: string]: unknown };
  return (
    v === TOKEN_VERSION &&
    typeof resourceVersion === 'string' &&
    isVersion(resourceVersion) &&
    (after === undefined || typeof after === 'string') &&
    typeof last === 'string' &&
    (remaining === undefined || Number.isSafeInteger(remaining))
  );
}

function toBase64Url(text: string): string {
  const binary = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

function fromBase64Url(text: string): string {
  const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return new TextDecoder('utf-8', { fatal: true }).decode(
    Uint8Array.from(binary, (char) => char.charCodeAt(0)),
  );
}
