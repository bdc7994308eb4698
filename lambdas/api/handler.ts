/**
 * API Gateway → the API server → API Gateway, streamed or buffered. Owns one request's life in the
 * function: its end, the wakes of its writes, and what can't pass through a gateway; what is
 * answered is the API server's.
 *
 * Invariants:
 *  F1 Every answer ends before the function's time does.
 *  F2 The wakes of a write are sent before its answer, or are left to the table's stream.
 */
import type { Context } from 'aws-lambda';
import { ApiError } from '../../shared/api/errors.ts';
import type { ApiHandler, ApiRequest, ApiResponse } from '../../shared/api/http.ts';
import { asApiError } from '../../shared/control/apiserver/failures.ts';
import { statusResponse } from '../../shared/control/apiserver/responses.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Recorder } from '../../shared/ports/recorder.ts';
import { type BufferedAnswer, buffered } from './buffered.ts';
import {
  isResumed,
  longestMs,
  NEWS_GATHERS_MS,
  streamKind,
  WATCH_GRACE_MS,
  withEnd,
} from './ending.ts';
import { isV2, type ProxyEvent, requestOf } from './request.ts';
import { type LambdaStreams, type ResponseStream, stream } from './streaming.ts';

export interface ApiFunction {
  readonly handle: ApiHandler;
  /** Sends the wakes of what was written. */
  readonly flush?: () => Promise<void>;
  readonly clock: Clock;
  readonly recorder: Recorder;
}

/** The part of Lambda's context that is used; emulators and tests may have none. */
export type Deadline = Pick<Context, 'getRemainingTimeInMillis'>;

export type BufferedHandler = (event: ProxyEvent, context?: Deadline) => Promise<BufferedAnswer>;

export type StreamingHandler = (
  event: ProxyEvent,
  out: ResponseStream,
  context?: Deadline,
) => Promise<void>;

/** The function as Lambda calls it. Streaming needs the `awslambda` of Lambda's own runtime. */
export function apiHandler(
  options: ApiFunction & { readonly streaming: boolean },
): BufferedHandler | StreamingHandler {
  if (!options.streaming) return bufferedHandler(options);
  const lambda = (globalThis as { awslambda?: LambdaStreams }).awslambda;
  if (!lambda) throw new Error('streaming: there is no awslambda here; this is not Lambda');
  return lambda.streamifyResponse(streamingHandler(options, lambda));
}

/** For HTTP APIs, function URLs that buffer, and emulators: watches are long polls. */
export function bufferedHandler(options: ApiFunction): BufferedHandler {
  return async (event, context) => {
    const life = new Life(options, context);
    try {
      const { request, response } = await life.answer(event, false);
      const kind = streamKind(request);
      const onNews = (): void => life.stopSoon();
      return await buffered(response, kind, !isV2(event), isResumed(request) ? onNews : undefined);
    } finally {
      life.end();
    }
  };
}

/** For REST APIs and function URLs that stream. */
export function streamingHandler(
  options: ApiFunction,
  { HttpResponseStream }: Pick<LambdaStreams, 'HttpResponseStream'>,
): StreamingHandler {
  return async (event, out, context) => {
    const life = new Life(options, context);
    for (const ending of ['close', 'error']) out.on(ending, () => life.stop());
    try {
      const { request, response } = await life.answer(event, true);
      const sink = { out, HttpResponseStream, signal: life.signal, isRest: !isV2(event) };
      await stream(response, streamKind(request), sink, options);
    } finally {
      life.end();
    }
  };
}

interface Answered {
  readonly request: ApiRequest;
  readonly response: ApiResponse;
}

/** One request in the function, from its event to the end of its answer. */
class Life {
  readonly #options: ApiFunction;
  readonly #context: Deadline | undefined;
  readonly #stopping = new AbortController();
  readonly #over = new AbortController();

  constructor(options: ApiFunction, context: Deadline | undefined) {
    this.#options = options;
    this.#context = context;
  }

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** The client is gone, or the time is over. */
  stop(): void {
    this.#stopping.abort();
  }

  /** There is something to tell: what else comes by then goes with it. */
  stopSoon(): void {
    void this.#stopAfter(NEWS_GATHERS_MS);
  }

  end(): void {
    this.#over.abort();
    this.stop();
  }

  async answer(event: ProxyEvent, streaming: boolean): Promise<Answered> {
    let request: ApiRequest;
    try {
      request = requestOf(event, this.signal);
    } catch (error) {
      return { request: NO_REQUEST, response: refused(error) };
    }
    const remainingMs = this.#context?.getRemainingTimeInMillis() ?? Infinity;
    const lastsMs = longestMs(request, streaming, remainingMs);
    void this.#stopAfter(lastsMs + (streamKind(request) === 'watch' ? WATCH_GRACE_MS : 0));
    const response = await this.#options.handle(withEnd(request, lastsMs));
    if (typeof response.body === 'string') await this.#flush();
    return { request, response: headOnly(request, passable(request, response)) };
  }

  async #stopAfter(ms: number): Promise<void> {
    await this.#options.clock.delay(ms, this.#over.signal);
    this.stop();
  }

  async #flush(): Promise<void> {
    try {
      await this.#options.flush?.();
    } catch (error) {
      const fields = { error: String(error) };
      const message = 'wakes are left to the stream of the table';
      this.#options.recorder.log({ level: 'warn', message, fields });
    }
  }
}

/** To HEAD, the headers of GET and nothing else. */
function headOnly({ method }: ApiRequest, response: ApiResponse): ApiResponse {
  return method === 'HEAD' ? { ...response, body: '' } : response;
}

const NO_REQUEST: ApiRequest = {
  method: '',
  path: '/',
  query: new URLSearchParams(),
  headers: {},
  body: new Uint8Array(),
  signal: AbortSignal.abort(),
};

function refused(error: unknown): ApiResponse {
  const known = asApiError(error, true);
  if (!known) throw error;
  return statusResponse(known.status);
}

const INTERACTIVE = /\/pods\/[^/]+\/(exec|attach|portforward)\/?$/;
/** Refusals that say more than that there is no way through. */
const TOLD_AS_THEY_ARE = new Set([401, 403, 404, 429, 503]);

/** A connection that goes both ways does not pass a gateway: those who may are told what does. */
function passable(request: ApiRequest, response: ApiResponse): ApiResponse {
  const isInteractive = INTERACTIVE.test(request.path) || response.status === 101;
  if (!isInteractive || TOLD_AS_THEY_ARE.has(response.status)) return response;
  const message =
    'API Gateway passes no connection that goes both ways. To run a command in a pod: ' +
    'aws ecs execute-command --cluster CLUSTER --task TASK --container CONTAINER --interactive ' +
    '--command COMMAND. To see output: kubectl logs -f';
  return statusResponse(new ApiError(501, 'NotImplemented', message, {}).status);
}
