/**
 * The output of a container out of CloudWatch Logs: what ECS's awslogs driver wrote, a line an
 * event. Following is asking again; it ends when the task has ended and nothing came for a while.
 */
import {
  type CloudWatchLogsClient,
  GetLogEventsCommand,
  type GetLogEventsCommandInput,
  type OutputLogEvent,
} from '@aws-sdk/client-cloudwatch-logs';
import type { Clock } from '../../../shared/ports/clock.ts';
import { type LogOptions, RuntimeUnavailable } from '../../../shared/ports/runtime.ts';
import { calling } from './errors.ts';

export interface LogStream {
  readonly logGroupName: string;
  readonly logStreamName: string;
}

interface Source {
  readonly logs: CloudWatchLogsClient;
  readonly clock: Clock;
  readonly hasEnded: () => Promise<boolean>;
}

/** CloudWatch's limit for one answer. */
const MAX_EVENTS = 10_000;
/** Between two looks for more. */
const FOLLOW_INTERVAL_MS = 2_000;
/** How long after a container's end its last lines may come. */
const LAG_MS = 6_000;
/** The task is described once in so many looks that found nothing. */
const LOOKS_A_DESCRIPTION = 3;

/** Throws `RuntimeUnavailable`. */
export async function* readLogs(
  stream: LogStream,
  options: LogOptions,
  source: Source,
): AsyncGenerator<Uint8Array> {
  const limit = limiter(options.limitBytes);
  const reader = new StreamReader(stream, options, source.logs);
  for (let idle = 0; !options.signal.aborted;) {
    const events = await reader.next(options.follow);
    for (const event of events) {
      const chunk = limit(lineOf(event, options.timestamps));
      if (chunk.length > 0) yield chunk;
      if (limit.isReached()) return;
    }
    if (!reader.isDrained) continue;
    if (!options.follow) return;
    idle = events.length > 0 ? 0 : idle + 1;
    const isDue = idle % LOOKS_A_DESCRIPTION === LOOKS_A_DESCRIPTION - 1;
    if (isDue && (await source.hasEnded())) {
      // What was written before the end may still be on its way.
      if (reader.hasWaitedForTheEnd) return;
      reader.hasWaitedForTheEnd = true;
      await source.clock.delay(LAG_MS, options.signal);
    } else {
      await source.clock.delay(FOLLOW_INTERVAL_MS, options.signal);
    }
  }
}

/** Pages of a stream, forward. A tail begins with its last events. */
class StreamReader {
  /** There was nothing more when it was last asked. */
  isDrained = false;
  hasWaitedForTheEnd = false;
  readonly #stream: LogStream;
  readonly #logs: CloudWatchLogsClient;
  readonly #tailLines: number | undefined;
  readonly #sinceMs: number | undefined;
  #token: string | undefined;

  constructor(stream: LogStream, options: LogOptions, logs: CloudWatchLogsClient) {
    this.#stream = stream;
    this.#logs = logs;
    this.#tailLines = options.tailLines;
    this.#sinceMs = options.sinceMs;
  }

  /** `patient`: that it can't be read now is no reason to give up. */
  async next(patient: boolean): Promise<readonly OutputLogEvent[]> {
    try {
      return await this.#page();
    } catch (error) {
      if (!patient || !(error instanceof RuntimeUnavailable)) throw error;
      this.isDrained = true;
      return [];
    }
  }

  async #page(): Promise<readonly OutputLogEvent[]> {
    const isFirst = this.#token === undefined;
    const answer = await calling(() => this.#get());
    const { events = [], nextForwardToken } = answer ?? {};
    // CloudWatch gives the token that it was given where there is no more.
    this.isDrained = nextForwardToken === undefined || nextForwardToken === this.#token;
    this.#token = nextForwardToken ?? this.#token;
    const isTail = isFirst && this.#tailLines !== undefined;
    return isTail ? events.slice(events.length - Math.min(this.#tailLines, events.length)) : events;
  }

  /** Undefined while there is no such stream: the container has not begun. */
  async #get() {
    const tail = this.#tailLines;
    const input: GetLogEventsCommandInput = {
      ...this.#stream,
      ...(this.#sinceMs === undefined ? {} : { startTime: this.#sinceMs }),
      ...(tail !== undefined && this.#token === undefined
        ? { startFromHead: false, limit: Math.min(Math.max(tail, 1), MAX_EVENTS) }
        : { startFromHead: true }),
      ...(this.#token === undefined ? {} : { nextToken: this.#token }),
    };
    try {
      return await this.#logs.send(new GetLogEventsCommand(input));
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
      throw error;
    }
  }
}

const ENCODER = new TextEncoder();

/** As `kubectl logs --timestamps` prints it: CloudWatch knows milliseconds. */
function lineOf({ message = '', timestamp = 0 }: OutputLogEvent, timestamps: boolean): Uint8Array {
  const prefix = timestamps ? `${new Date(timestamp).toISOString()} ` : '';
  return ENCODER.encode(`${prefix}${message.replace(/\n$/, '')}\n`);
}

/** Passes on as many bytes as there may be. */
function limiter(limitBytes: number | undefined) {
  let left = limitBytes ?? Infinity;
  const limit = (chunk: Uint8Array): Uint8Array => {
    const passed = chunk.subarray(0, Math.min(left, chunk.length));
    left -= passed.length;
    return passed;
  };
  return Object.assign(limit, { isReached: () => left <= 0 });
}
