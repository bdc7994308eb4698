/**
 * Bearer tokens: who a request's token stands for, compared in a time that tells nothing about the
 * token.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiRequest, User } from '../../shared/api/http.ts';

/** Longer than any token that is handed out. */
const MAX_TOKEN_LENGTH = 4096;
const SCHEME = /^bearer +/i;

/** Authenticates requests by one token. */
export function tokenAuthenticator(
  token: string,
  user: User,
): (request: Pick<ApiRequest, 'headers'>) => User | undefined {
  const expected = digest(token);
  return ({ headers }) => {
    const given = headers['authorization'] ?? '';
    if (token === '' || given.length > MAX_TOKEN_LENGTH || !SCHEME.test(given)) return undefined;
    const matches = timingSafeEqual(digest(given.replace(SCHEME, '')), expected);
    return matches ? user : undefined;
  };
}

/** Digests are of one length, which the comparison needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
