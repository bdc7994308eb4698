/**
 * When an answer ends. A function lives for minutes and is paid for as long as it streams, whether
 * or not somebody still listens: every stream ends by itself, in an order that clients resume from.
 */
import type { ApiRequest } from '../../shared/api/http.ts';
import { isTrue } from '../../shared/control/apiserver/routes.ts';

export type StreamKind = 'watch' | 'log' | 'none';

/** Below the 29 s that a buffering gateway waits, with room to send what was gathered. */
const LONGEST_BUFFERED_MS = 25_000;
/** Below the 15 minutes of a function and of a gateway's stream. */
const LONGEST_STREAM_MS = 14 * 60_000;
/** Informers take a watch up again by themselves: an end now and then costs them nothing. */
const LONGEST_INFORMER_MS = 10 * 60_000;
/** Left of the function's time for the last event and the end of the stream. */
const STREAM_MARGIN_MS = 10_000;
const BUFFERED_MARGIN_MS = 2_000;
/** A watch that has not ended by itself after its time is cut. */
export const WATCH_GRACE_MS = 1_000;

export function streamKind({ method, path, query }: ApiRequest): StreamKind {
  if (method !== 'GET') return 'none';
  if (/\/log\/?$/.test(path)) return isTrue(query.get('follow')) ? 'log' : 'none';
  return isTrue(query.get('watch')) ? 'watch' : 'none';
}

/** How long an answer may take, at most, in milliseconds. */
export function longestMs(request: ApiRequest, streaming: boolean, remainingMs: number): number {
  const margin = streaming ? STREAM_MARGIN_MS : BUFFERED_MARGIN_MS;
  const left = Math.max(0, remainingMs - margin);
  if (!streaming) return Math.min(left, LONGEST_BUFFERED_MS);
  return Math.min(left, isResumed(request) ? LONGEST_INFORMER_MS : LONGEST_STREAM_MS);
}

/** `kubectl get -w` and `logs -f` end when their stream does; who asks like this comes again. */
export function isResumed(request: ApiRequest): boolean {
  if (streamKind(request) !== 'watch') return false;
  const { query } = request;
  return query.has('timeoutSeconds') || isTrue(query.get('allowWatchBookmarks'));
}

/** A watch is told its end, so that it closes with a bookmark rather than breaks off. */
export function withEnd(request: ApiRequest, lastsMs: number): ApiRequest {
  if (streamKind(request) !== 'watch') return request;
  const seconds = Math.max(1, Math.floor(lastsMs / 1000));
  const given = request.query.get('timeoutSeconds') ?? '';
  // What is no number is left for the server to complain of.
  if (given !== '' && (!/^[0-9]+$/.test(given) || isWithin(Number(given), seconds))) return request;
  const query = new URLSearchParams(request.query);
  query.set('timeoutSeconds', String(seconds));
  return { ...request, query };
}

/** Zero means no end. */
function isWithin(given: number, seconds: number): boolean {
  return given > 0 && given <= seconds;
}

/**
 * A watch that is answered whole ends soon after its first news, if its client comes again: what
 * changes together, such as a rollout's pods, is told together.
 */
export const NEWS_GATHERS_MS = 250;
