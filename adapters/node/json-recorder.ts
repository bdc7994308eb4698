/**
 * Records as JSON lines. A record never throws, and never fakes another line or moves a terminal's
 * cursor, whatever a client put into a name: what controls a terminal or turns text around is
 * escaped.
 */
import type { Clock } from '../../shared/ports/clock.ts';
import type { AuditRecord, LogRecord, Measure, Recorder } from '../../shared/ports/recorder.ts';

/** What a recorder needs of a stream. */
export interface LineSink {
  write(line: string): unknown;
}

export interface JsonRecorderOptions {
  readonly clock: Clock;
  readonly logs: LineSink;
  readonly audits: LineSink;
  /** Less severe records are dropped. `info` when absent. */
  readonly level?: LogRecord['level'];
  /**
   * The CloudWatch namespace of measures, which are then written among the logs in its embedded
   * metric format. Without one they are dropped.
   */
  readonly metricNamespace?: string;
}

const SEVERITY = { debug: 0, info: 1, warn: 2, error: 3 } as const;

/**
 * JSON escapes the first 32 itself. These are: delete, C1 controls, line separators, marks of text
 * direction.
 */
const UNSAFE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export class JsonRecorder implements Recorder {
  readonly #clock: Clock;
  readonly #logs: LineSink;
  readonly #audits: LineSink;
  readonly #leastSeverity: number;
  readonly #metricNamespace: string | undefined;

  constructor(options: JsonRecorderOptions) {
    this.#clock = options.clock;
    this.#logs = options.logs;
    this.#audits = options.audits;
    this.#leastSeverity = SEVERITY[options.level ?? 'info'];
    this.#metricNamespace = options.metricNamespace;
  }

  log({ level, message, fields }: LogRecord): void {
    if (SEVERITY[level] < this.#leastSeverity) return;
    const time = new Date(this.#clock.nowMs()).toISOString();
    this.#logs.write(line({ time, level, message, ...(fields && { fields }) }));
  }

  audit({ atMs, ...record }: AuditRecord): void {
    const time = new Date(atMs).toISOString();
    this.#audits.write(line({ time, level: 'audit', ...record }));
  }

  measure(measure: Measure): void {
    if (this.#metricNamespace === undefined) return;
    this.#logs.write(line(embedded(measure, this.#metricNamespace, this.#clock.nowMs())));
  }
}

/** CloudWatch's embedded metric format: a log line that CloudWatch makes a metric of. */
function embedded(
  { name, value, unit, dimensions = {} }: Measure,
  namespace: string,
  nowMs: number,
): object {
  const metric = {
    Namespace: namespace,
    Dimensions: [Object.keys(dimensions)],
    Metrics: [{ Name: name, Unit: unit }],
  };
  const _aws = { Timestamp: nowMs, CloudWatchMetrics: [metric] };
  return { _aws, ...dimensions, [name]: value };
}

function line(record: object): string {
  return `${json(record).replace(UNSAFE, escaped)}\n`;
}

function json(record: object): string {
  try {
    return JSON.stringify(record, printable);
  } catch (error) {
    // A circular field, for one: the sentence is worth more than the fields.
    return JSON.stringify({ ...record, fields: { unprintable: String(error) } });
  }
}

/** Errors and big integers, which JSON leaves out or refuses. */
function printable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return { name, message, stack, ...(cause !== undefined && { cause }) };
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
