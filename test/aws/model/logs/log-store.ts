/**
 * CloudWatch Logs: groups, streams, lines. Lines show when the settings say so, some time after
 * they were written. Source: the SDK's types of GetLogEvents, FilterLogEvents, DescribeLogStreams.
 */
import { AwsError } from '../errors.ts';
import { draw, type Random, type Span, type Timers } from '../timers.ts';

export interface LogLine {
  readonly timestamp: number;
  readonly message: string;
  readonly ingestionTime: number;
  /** Position in its stream, from 0. */
  readonly index: number;
}

export interface LogStream {
  readonly name: string;
  readonly createdMs: number;
  readonly lines: LogLine[];
}

export interface LogGroup {
  readonly name: string;
  readonly createdMs: number;
  readonly streams: Map<string, LogStream>;
}

/** Longer events are cut, as the service's limit of 256 KiB has it. */
const MAX_MESSAGE_CHARS = 256 * 1024;

export class LogStore {
  readonly groups = new Map<string, LogGroup>();
  readonly #timers: Timers;
  readonly #random: Random;
  readonly #lagMs: Span;

  constructor(timers: Timers, random: Random, lagMs: Span, groups: readonly string[]) {
    this.#timers = timers;
    this.#random = random;
    this.#lagMs = lagMs;
    for (const name of groups) this.createGroup(name);
  }

  createGroup(name: string): void {
    if (this.groups.has(name)) {
      const message = 'The specified log group already exists';
      throw new AwsError('ResourceAlreadyExistsException', message);
    }
    this.groups.set(name, { name, createdMs: this.#timers.nowMs(), streams: new Map() });
  }

  group(name: string | undefined): LogGroup {
    const group = this.groups.get(name ?? '');
    if (group) return group;
    throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
  }

  stream(groupName: string | undefined, name: string | undefined): LogStream {
    const stream = this.group(groupName).streams.get(name ?? '');
    if (stream) return stream;
    throw new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
  }

  /** The stream is made with its first line, or at the start of its container. */
  openStream(groupName: string, name: string): LogStream {
    const { streams } = this.group(groupName);
    let stream = streams.get(name);
    if (!stream) {
      stream = { name, createdMs: this.#timers.nowMs(), lines: [] };
      streams.set(name, stream);
    }
    return stream;
  }

  write(stream: LogStream, message: string): void {
    const nowMs = this.#timers.nowMs();
    // Lines of a stream show in order.
    const earliestMs = stream.lines.at(-1)?.ingestionTime ?? 0;
    const ingestionTime = Math.max(earliestMs, nowMs + draw(this.#lagMs, this.#random));
    const index = stream.lines.length;
    stream.lines.push({
      timestamp: nowMs,
      message: message.slice(0, MAX_MESSAGE_CHARS),
      ingestionTime,
      index,
    });
  }

  visible(stream: LogStream): readonly LogLine[] {
    const nowMs = this.#timers.nowMs();
    return stream.lines.filter(({ ingestionTime }) => ingestionTime <= nowMs);
  }
}
