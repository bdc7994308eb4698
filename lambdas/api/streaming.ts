/**
 * An answer as Lambda's response stream: status and headers as the JSON that the runtime's
 * HttpResponseStream puts first, then the body as it comes. Owns back-pressure, signs of life and
 * the end of the stream.
 */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { ApiResponse } from '../../shared/api/http.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Recorder } from '../../shared/ports/recorder.ts';
import { headersOf } from './buffered.ts';
import type { StreamKind } from './ending.ts';

export type ResponseStream = Writable;

/** `awslambda`, which Lambda's runtime for Node puts among the globals. */
export interface LambdaStreams {
  readonly HttpResponseStream: {
    from(stream: Writable, metadata: Record<string, unknown>): Writable;
  };
  streamifyResponse<Handler>(handler: Handler): Handler;
}

export interface Sink extends Pick<LambdaStreams, 'HttpResponseStream'> {
  readonly out: ResponseStream;
  /** Aborts when nobody listens any more. */
  readonly signal: AbortSignal;
  readonly isRest: boolean;
}

/** Below every idle limit on the way: 30 s at the edge, 5 minutes in a region. */
const KEEP_ALIVE_MS = 20_000;
/** What a source may take to let go. */
const CLOSE_MS = 1_000;

export async function stream(
  response: ApiResponse,
  kind: StreamKind,
  sink: Sink,
  tools: { readonly clock: Clock; readonly recorder: Recorder },
): Promise<void> {
  const { status: statusCode, body } = response;
  const metadata = { statusCode, ...headersOf(response, sink.isRest) };
  const out = sink.HttpResponseStream.from(sink.out, metadata);
  // The first write brings out the headers: of a watch, long before there is anything to tell.
  out.write('');
  try {
    if (typeof body !== 'string') await pump(body, kind, { ...sink, out }, tools.clock);
    else if (body !== '') await write(out, body, sink.signal);
  } catch (error) {
    const fields = { error: String(error) };
    tools.recorder.log({ level: 'warn', message: 'stream ended by an error', fields });
  }
  await ended(out);
}

const QUIET = Symbol('nothing came for a while');

/** Pulls as fast as the client takes. A quiet watch sends empty lines, which mean nothing. */
async function pump(
  body: AsyncIterable<string | Uint8Array>,
  kind: StreamKind,
  { out, signal }: Sink,
  clock: Clock,
): Promise<void> {
  const source = body[Symbol.asyncIterator]();
  let next = source.next();
  try {
    while (!signal.aborted) {
      const part = await unlessQuiet(
        next,
        kind === 'watch' ? KEEP_ALIVE_MS : Infinity,
        clock,
        signal,
      );
      if (part === QUIET) {
        if (!signal.aborted) await write(out, '\n', signal);
        continue;
      }
      if (part.done === true) return;
      await write(out, part.value, signal);
      next = source.next();
    }
  } finally {
    next.catch(() => undefined);
    const closed = Promise.resolve(source.return?.()).catch(() => undefined);
    const over = new AbortController();
    await Promise.race([closed, clock.delay(CLOSE_MS, over.signal)]);
    over.abort();
  }
}

/** What comes next; QUIET after `ms` without it, or when `signal` aborts. */
async function unlessQuiet<T>(
  next: Promise<T>,
  ms: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<T | typeof QUIET> {
  const waiting = new AbortController();
  const either = AbortSignal.any([waiting.signal, signal]);
  try {
    return await Promise.race([next, quietly(clock.delay(ms, either))]);
  } finally {
    waiting.abort();
  }
}

async function quietly(passed: Promise<void>): Promise<typeof QUIET> {
  await passed;
  return QUIET;
}

async function write(
  out: Writable,
  chunk: string | Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted || out.write(chunk)) return;
  // A wait that is aborted ends the loop at its next turn.
  await once(out, 'drain', { signal }).catch(() => undefined);
}

/** Resolves when all is handed over, or nobody takes it any more. */
async function ended(out: Writable): Promise<void> {
  if (out.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const event of ['finish', 'close', 'error']) out.once(event, () => resolve());
  out.end();
  await promise;
}
