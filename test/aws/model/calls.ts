/** Who asked what and when: for benches, and for tests that count calls. */
import type { Timers } from './timers.ts';

export interface Call {
  readonly operation: string;
  readonly atMs: number;
  /** `ok`, an error code, or `no answer`. */
  outcome: string;
}

/** The latest of them; the counts are of all. */
const KEPT_CALLS = 100_000;

export class Calls {
  readonly #timers: Timers;
  readonly #counts = new Map<string, number>();
  #calls: Call[] = [];

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  begin(operation: string): Call {
    const call = { operation, atMs: this.#timers.nowMs(), outcome: 'under way' };
    if (this.#calls.length >= 2 * KEPT_CALLS) this.#calls = this.#calls.slice(-KEPT_CALLS);
    this.#calls.push(call);
    this.#counts.set(operation, this.count(operation) + 1);
    return call;
  }

  get list(): readonly Call[] {
    return this.#calls.slice(-KEPT_CALLS);
  }

  count(operation: string): number {
    return this.#counts.get(operation) ?? 0;
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  clear(): void {
    this.#calls = [];
    this.#counts.clear();
  }
}
