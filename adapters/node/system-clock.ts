/** The machine's time. */
import type { Clock } from '../../shared/ports/clock.ts';

export interface SystemClockOptions {
  /** Whether a delay keeps the process alive. It does when absent. */
  readonly keepsProcessAlive?: boolean;
}

/** What a timer of Node can take (2³¹ - 1 ms, 24 days); it fires at once when asked for more. */
const MAX_TIMER_MS = 2_147_483_647;

export class SystemClock implements Clock {
  readonly #keepsProcessAlive: boolean;

  constructor(options: SystemClockOptions = {}) {
    this.#keepsProcessAlive = options.keepsProcessAlive ?? true;
  }

  nowMs(): number {
    return Date.now();
  }

  async delay(ms: number, signal?: AbortSignal): Promise<void> {
    for (let leftMs = ms; leftMs > 0 && !signal?.aborted; leftMs -= MAX_TIMER_MS) {
      await this.#timer(Math.min(leftMs, MAX_TIMER_MS), signal);
    }
  }

  async #timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const timer = setTimeout(wake, ms);
    if (!this.#keepsProcessAlive) timer.unref();
    signal?.addEventListener('abort', wake);
    await promise;
    clearTimeout(timer);
    signal?.removeEventListener('abort', wake);
  }
}
