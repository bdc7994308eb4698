/** Answers: JSON, Status, text. Owns headers that every answer has. */
import type { Status } from '../../api/errors.ts';
import type { ApiResponse } from '../../api/http.ts';

const COMMON_HEADERS = {
  'cache-control': 'no-cache, private',
  'x-content-type-options': 'nosniff',
};

export function json(
  status: number,
  value: unknown,
  headers: ApiResponse['headers'] = {},
): ApiResponse {
  return {
    status,
    headers: { ...COMMON_HEADERS, 'content-type': 'application/json', ...headers },
    body: `${JSON.stringify(value)}\n`,
  };
}

export function statusResponse(status: Status): ApiResponse {
  const wait = status.details?.retryAfterSeconds;
  // client-go retries only what has this header.
  return json(status.code, status, wait === undefined ? {} : { 'retry-after': String(wait) });
}

export function text(status: number, body: string): ApiResponse {
  const headers = { ...COMMON_HEADERS, 'content-type': 'text/plain; charset=utf-8' };
  return { status, headers, body };
}

export function stream(contentType: string, body: AsyncIterable<string | Uint8Array>): ApiResponse {
  return { status: 200, headers: { ...COMMON_HEADERS, 'content-type': contentType }, body };
}

/** A document that clients cache by its entity tag. */
export function tagged(
  response: ApiResponse,
  etag: string,
  ifNoneMatch: string | undefined,
): ApiResponse {
  const headers = { ...response.headers, etag, vary: 'Accept' };
  const same = ifNoneMatch?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  return same ? { status: 304, headers, body: '' } : { ...response, headers };
}
