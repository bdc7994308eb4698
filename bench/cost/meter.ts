/** What was asked of AWS, by who asked. Owns the counts; what they cost is bill.ts. */
import type { Counted } from './dynamodb.ts';
import type { FunctionName } from '../../infra/settings.ts';

/** Who asks: a function, or a service of AWS on its own. */
export type Caller = FunctionName | 'aws';

export type Tally = { readonly [line: string]: number };

export interface Counts {
  /** `caller operation`, in units. */
  readonly writeUnits: Tally;
  /** Those of them that index entries took, by caller. */
  readonly indexUnits: Tally;
  readonly readUnits: Tally;
  /** `caller operation`: calls of the table. */
  readonly tableCalls: Tally;
  /** `fifo what` or `standard what`. */
  readonly queueRequests: Tally;
  readonly invocations: Tally;
  /** What functions waited for services, in milliseconds. */
  readonly waitMs: Tally;
  /** What they computed, on a processor of their own. */
  readonly cpuMs: Tally;
  readonly logBytes: Tally;
  readonly apiRequests: Tally;
  readonly schedules: Tally;
  readonly ecsCalls: Tally;
}

type Line = keyof Counts;

const LINES: readonly Line[] = [
  'writeUnits',
  'indexUnits',
  'readUnits',
  'tableCalls',
  'queueRequests',
  'invocations',
  'waitMs',
  'cpuMs',
  'logBytes',
  'apiRequests',
  'schedules',
  'ecsCalls',
];

export class Meter {
  readonly #counts = new Map<Line, Map<string, number>>();

  add(line: Line, what: string, amount = 1): void {
    if (amount === 0) return;
    const tally = this.#counts.get(line) ?? new Map<string, number>();
    this.#counts.set(line, tally.set(what, (tally.get(what) ?? 0) + amount));
  }

  table(caller: Caller, counted: Counted): void {
    const { operation, readUnits, writeUnits, indexUnits } = counted;
    this.add('tableCalls', `${caller} ${operation}`);
    this.add('readUnits', `${caller} ${operation}`, readUnits);
    this.add('writeUnits', `${caller} ${operation}`, writeUnits);
    this.add('indexUnits', caller, indexUnits);
  }

  /** What was counted since the last time. */
  take(): Counts {
    const entries = LINES.map((line) => {
      const tally = [...(this.#counts.get(line) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
      return [line, Object.fromEntries(tally)] as const;
    });
    this.#counts.clear();
    return Object.fromEntries(entries) as unknown as Counts;
  }
}

export function total(tally: Tally): number {
  return Object.values(tally).reduce((sum, count) => sum + count, 0);
}

/** Each count, by so many. */
export function perOne(counts: Counts, by: number): Counts {
  const entries = LINES.map((line) => {
    const tally = Object.entries(counts[line]).map(([what, count]) => [what, count / by] as const);
    return [line, Object.fromEntries(tally)] as const;
  });
  return Object.fromEntries(entries) as unknown as Counts;
}
