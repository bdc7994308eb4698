/** The operations of CloudWatch Logs that we use. Answers have the SDK's shapes. */
import type {
  DescribeLogStreamsRequest,
  DescribeLogStreamsResponse,
  FilterLogEventsRequest,
  FilterLogEventsResponse,
  GetLogEventsRequest,
  GetLogEventsResponse,
} from '@aws-sdk/client-cloudwatch-logs';
import { invalid } from '../errors.ts';
import type { LogLine, LogStore, LogStream } from './log-store.ts';

const MAX_EVENTS = 10_000;
const MAX_STREAMS = 50;
/** Filter patterns are a language; these are plain words of it. */
const PLAIN_PATTERN = /^"?[\w .:/-]*"?$/;

export class LogOperations {
  readonly #store: LogStore;

  constructor(store: LogStore) {
    this.#store = store;
  }

  createLogGroup({ logGroupName }: { logGroupName: string }): object {
    this.#store.createGroup(logGroupName);
    return {};
  }

  /**
   * Without a token: the last lines, or the first with `startFromHead`. The forward token of the
   * end is the token that was given: nothing more for now.
   */
  getLogEvents(input: GetLogEventsRequest): GetLogEventsResponse {
    const name = input.logGroupName ?? input.logGroupIdentifier;
    const stream = this.#store.stream(name, input.logStreamName);
    const lines = inTime(this.#store.visible(stream), input);
    const limit = pageSize(input.limit);
    const page = eventPage(lines, limit, input);
    const first = page.at(0)?.index ?? positionOf(input.nextToken) ?? stream.lines.length;
    const next = (page.at(-1)?.index ?? first - 1) + 1;
    return {
      events: page.map(({ timestamp, message, ingestionTime }) => {
        return { timestamp, message, ingestionTime };
      }),
      nextForwardToken: `f/${next}`,
      nextBackwardToken: `b/${first}`,
    };
  }

  filterLogEvents(input: FilterLogEventsRequest): FilterLogEventsResponse {
    const group = this.#store.group(input.logGroupName ?? input.logGroupIdentifier);
    const { filterPattern = '', logStreamNamePrefix: prefix = '' } = input;
    if (!PLAIN_PATTERN.test(filterPattern)) {
      throw invalid(`The model knows plain words only as filter patterns: ${filterPattern}`);
    }
    const word = filterPattern.replaceAll('"', '');
    const named = input.logStreamNames;
    const streams = [...group.streams.values()].filter(({ name }) => {
      return named ? named.includes(name) : name.startsWith(prefix);
    });
    const events = streams
      .flatMap((stream) =>
        inTime(this.#store.visible(stream), input).map((line) => ({
          logStreamName: stream.name,
          timestamp: line.timestamp,
          message: line.message,
          ingestionTime: line.ingestionTime,
          eventId: `${stream.name}/${line.index}`,
        })),
      )
      .filter(({ message }) => message.includes(word))
      .sort((a, b) => a.timestamp - b.timestamp);
    const start = positionOf(input.nextToken) ?? 0;
    const end = start + pageSize(input.limit);
    return {
      events: events.slice(start, end),
      ...(end < events.length && { nextToken: `f/${end}` }),
    };
  }

  describeLogStreams(input: DescribeLogStreamsRequest): DescribeLogStreamsResponse {
    const group = this.#store.group(input.logGroupName ?? input.logGroupIdentifier);
    const prefix = input.logStreamNamePrefix ?? '';
    const streams = [...group.streams.values()]
      .filter(({ name }) => name.startsWith(prefix))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const start = positionOf(input.nextToken) ?? 0;
    const end = start + Math.min(input.limit ?? MAX_STREAMS, MAX_STREAMS);
    return {
      logStreams: streams.slice(start, end).map((stream) => this.#describe(stream)),
      ...(end < streams.length && { nextToken: `f/${end}` }),
    };
  }

  #describe(stream: LogStream) {
    const lines = this.#store.visible(stream);
    const [first, last] = [lines.at(0), lines.at(-1)];
    return {
      logStreamName: stream.name,
      creationTime: stream.createdMs,
      ...(first && { firstEventTimestamp: first.timestamp }),
      ...(last && {
        lastEventTimestamp: last.timestamp,
        lastIngestionTime: last.ingestionTime,
      }),
    };
  }
}

function inTime(
  lines: readonly LogLine[],
  { startTime = 0, endTime = Infinity }: Pick<GetLogEventsRequest, 'startTime' | 'endTime'>,
): LogLine[] {
  return lines.filter(({ timestamp }) => timestamp >= startTime && timestamp < endTime);
}

function eventPage(
  lines: readonly LogLine[],
  limit: number,
  { nextToken, startFromHead }: GetLogEventsRequest,
): readonly LogLine[] {
  const position = positionOf(nextToken);
  if (position === undefined) return startFromHead ? lines.slice(0, limit) : lines.slice(-limit);
  if (nextToken?.startsWith('b/')) {
    return lines.filter(({ index }) => index < position).slice(-limit);
  }
  return lines.filter(({ index }) => index >= position).slice(0, limit);
}

function pageSize(limit: number | undefined): number {
  if (limit !== undefined && (limit < 1 || limit > MAX_EVENTS)) {
    throw invalid(`limit must be between 1 and ${MAX_EVENTS}`);
  }
  return limit ?? MAX_EVENTS;
}

function positionOf(token: string | undefined): number | undefined {
  if (token === undefined) return undefined;
  const match = /^[fb]\/(\d+)$/.exec(token);
  if (!match) throw invalid('The specified nextToken is invalid.');
  return Number(match[1]);
}
