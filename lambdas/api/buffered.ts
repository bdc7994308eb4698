/**
 * An answer as one object, for gateways that take it whole. Owns its limits: what is too large is
 * refused rather than cut, except for streams, which clients take up again where they ended.
 */
import { isUtf8 } from 'node:buffer';
import { ApiError } from '../../shared/api/errors.ts';
import type { ApiResponse } from '../../shared/api/http.ts';
import { statusResponse } from '../../shared/control/apiserver/responses.ts';
import type { StreamKind } from './ending.ts';

export interface BufferedAnswer {
  readonly statusCode: number;
  readonly headers: { readonly [name: string]: string };
  /** Of REST APIs only: HTTP APIs know no such field. */
  readonly multiValueHeaders?: { readonly [name: string]: readonly string[] };
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** A function's answer has 6 MB, as JSON; the rest is for headers. */
const MAX_ANSWER_BYTES = 6 * 1024 * 1024 - 64 * 1024;
/** What fits in any case: in base64, three bytes are four. */
const MAX_BODY_BYTES = Math.floor((MAX_ANSWER_BYTES * 3) / 4);

/** `onNews` is called once, at the first part of a stream that is more than a sign of life. */
export async function buffered(
  response: ApiResponse,
  kind: StreamKind,
  isRest: boolean,
  onNews?: () => void,
): Promise<BufferedAnswer> {
  const body = await gathered(response, kind, onNews);
  if (body === undefined) return buffered(tooLarge(), 'none', isRest);
  return { statusCode: response.status, ...headersOf(response, isRest), ...encoded(body) };
}

/** As text where that is exact and fits, otherwise as bytes. */
function encoded(body: Buffer): Pick<BufferedAnswer, 'body' | 'isBase64Encoded'> {
  const text = isUtf8(body) ? body.toString('utf8') : undefined;
  const fits = text !== undefined && Buffer.byteLength(JSON.stringify(text)) <= MAX_ANSWER_BYTES;
  return fits
    ? { body: text, isBase64Encoded: false }
    : { body: body.toString('base64'), isBase64Encoded: true };
}

export function headersOf(
  { headers }: ApiResponse,
  isRest: boolean,
): Pick<BufferedAnswer, 'headers' | 'multiValueHeaders'> {
  const entries = Object.entries(headers);
  const single = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const many = entries.flatMap(([name, value]) =>
    typeof value === 'string' ? [] : [[name, value] as const],
  );
  if (many.length === 0) return { headers: Object.fromEntries(single) };
  if (isRest) {
    return { headers: Object.fromEntries(single), multiValueHeaders: Object.fromEntries(many) };
  }
  const joined = many.map(([name, values]) => [name, values.join(', ')] as const);
  return { headers: Object.fromEntries([...single, ...joined]) };
}

/** Undefined when it is too large, and not a stream. A stream ends at the last whole line. */
async function gathered(
  { body }: ApiResponse,
  kind: StreamKind,
  onNews?: () => void,
): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  let isNews = false;
  for await (const part of typeof body === 'string' ? [body] : body) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    parts.push(bytes);
    size += bytes.length;
    if (!isNews && bytes.length > 1) onNews?.();
    isNews ||= bytes.length > 1;
    if (size <= MAX_BODY_BYTES) continue;
    if (kind === 'none') return undefined;
    const whole = Buffer.concat(parts).subarray(0, MAX_BODY_BYTES);
    return whole.subarray(0, whole.lastIndexOf('\n') + 1);
  }
  return Buffer.concat(parts);
}

function tooLarge(): ApiResponse {
  const message =
    `the answer is larger than ${MAX_BODY_BYTES} bytes, which do not pass this gateway: ask for ` +
    'pages (limit and continue; kubectl --chunk-size), or for less of a log (--tail, ' +
    '--limit-bytes)';
  return statusResponse(new ApiError(413, 'RequestEntityTooLarge', message, {}).status);
}
