/**
 * Virtual time: a heap of what is to happen, ordered by (time, sequence). Nothing happens that is
 * not on it, so that a run is a function of its inputs alone. Owns time; does not own what happens.
 */
import type { Clock } from '../../shared/ports/clock.ts';

/** What was put on the agenda, and how to take it off again. */
export interface Entry {
  readonly atMs: number;
  readonly sequence: number;
  run: (() => void) | undefined;
}

/** An arbitrary Monday morning: times in transcripts are told relative to it. */
export const EPOCH_MS = Date.UTC(2026, 0, 5, 8, 0, 0);

export class Agenda {
  #nowMs = EPOCH_MS;
  #sequence = 0;
  #live = 0;
  readonly #heap: Entry[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many entries are still to happen. */
  get size(): number {
    return this.#live;
  }

  in(delayMs: number, run: () => void): Entry {
    const entry = { atMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, run };
    this.#live++;
    this.#push(entry);
    return entry;
  }

  cancel(entry: Entry): void {
    if (entry.run === undefined) return;
    entry.run = undefined;
    this.#live--;
  }

  /** When the next thing happens; undefined when nothing will. */
  nextAtMs(): number | undefined {
    while (this.#heap[0] && this.#heap[0].run === undefined) this.#pop();
    return this.#heap[0]?.atMs;
  }

  /**
   * Lets the next thing happen. A macrotask follows, so that every promise chain that it started,
   * however deep, has come to rest before the next thing: the schedule never depends on how many
   * microtasks a chain takes.
   */
  async step(): Promise<void> {
    if (this.nextAtMs() === undefined) return;
    const entry = this.#pop();
    const run = entry?.run;
    if (!entry || !run) return;
    entry.run = undefined;
    this.#live--;
    this.#nowMs = Math.max(this.#nowMs, entry.atMs);
    run();
    await macrotask();
  }

  /** Lets all happen that is due by then; time is then exactly that. */
  async runUntil(untilMs: number, stop: () => boolean = () => false): Promise<void> {
    await macrotask(); // what was just begun puts its first entries on the agenda
    for (;;) {
      if (stop()) return;
      const next = this.nextAtMs();
      if (next === undefined || next > untilMs) break;
      await this.step();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let i = heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(entry, heap[parent])) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length > 0 && last) {
      heap[0] = last;
      this.#sink();
    }
    return first;
  }

  #sink(): void {
    const heap = this.#heap;
    for (let i = 0; ;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < heap.length && before(heap[child], heap[least])) least = child;
      }
      if (least === i) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #swap(i: number, j: number): void {
    const heap = this.#heap;
    [heap[i], heap[j]] = [heap[j]!, heap[i]!];
  }
}

function before(a: Entry | undefined, b: Entry | undefined): boolean {
  if (!a || !b) return false;
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.sequence < b.sequence;
}

export function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The clock port on the agenda's time; `skewMs` is how wrong it goes. */
export function virtualClock(agenda: Agenda, skewMs = 0): Clock {
  return {
    nowMs: () => agenda.nowMs + skewMs,
    delay: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        // Nobody waits for ever on the agenda: it would never be empty.
        if (ms === Infinity) return signal?.addEventListener('abort', () => resolve());
        const entry = agenda.in(ms, done);
        signal?.addEventListener('abort', done, { once: true });
        function done(): void {
          signal?.removeEventListener('abort', done);
          agenda.cancel(entry);
          resolve();
        }
      }),
  };
}
