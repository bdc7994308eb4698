/** A clock that moves only when told to, for tests and simulation. */
import type { Clock } from '../../shared/ports/clock.ts';
import { TimerHeap } from './timer-heap.ts';

interface Timer {
  readonly atMs: number;
  readonly resolve: () => void;
}

/** 2030-01-01, so that no test leans on today. */
const DEFAULT_START_MS = 1_893_456_000_000;

export class StepClock implements Clock {
  readonly #timers = new TimerHeap<Timer>();
  #nowMs: number;

  constructor(startMs: number = DEFAULT_START_MS) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  async delay(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = { atMs: this.#nowMs + ms, resolve: () => resolve() };
    const abort = (): void => {
      this.#timers.delete(timer);
      resolve();
    };
    if (ms < Infinity) this.#timers.add(timer);
    signal?.addEventListener('abort', abort);
    await promise;
    signal?.removeEventListener('abort', abort);
  }

  /** When the next delay is over; undefined when nobody waits for the time. */
  nextTimerMs(): number | undefined {
    return this.#timers.first?.atMs;
  }

  /**
   * Lets the time pass. Delays resolve in order of time, and what each wakes runs before the next.
   */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const timer = this.#timers.takeDue(untilMs);
      if (!timer) break;
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      timer.resolve();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  /** Sets the time, as an operator or NTP does: also backwards. Delays stay where they are. */
  set(nowMs: number): void {
    this.#nowMs = nowMs;
  }
}

/**
 * Lets everything run that does not wait for the time. One turn of the event loop, since a turn
 * runs promise chains of any depth to their end.
 */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
