/**
 * Keeps a process below a rate that an account is held to. Callers are served in order; each waits
 * for its token up to a bound, beyond which the caller had better come again later. Other processes
 * share the account's rate, so that this softens a burst and can't rule throttling out: a random
 * part of each wait keeps processes that were throttled together from coming back together.
 */
import type { Clock } from '../../../shared/ports/clock.ts';
import { RuntimeUnavailable } from '../../../shared/ports/runtime.ts';

export interface Rate {
  /** For the error: whose rate it is. */
  readonly name: string;
  /** Calls at once, after a pause. */
  readonly burst: number;
  readonly perSecond: number;
  /** Nobody waits longer. */
  readonly maxWaitMs: number;
}

export class TokenBucket {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #rate: Rate;
  /** When the bucket is full again, were nothing more taken. */
  #fullAtMs: number;

  /** `random` gives numbers from 0 to below 1. */
  constructor(clock: Clock, random: () => number, rate: Rate) {
    this.#clock = clock;
    this.#random = random;
    this.#rate = rate;
    this.#fullAtMs = clock.nowMs();
  }

  /** Resolves when a call may be made. Throws `RuntimeUnavailable` at once if that is too far. */
  async take(): Promise<void> {
    const { name, burst, perSecond, maxWaitMs } = this.#rate;
    const nowMs = this.#clock.nowMs();
    const tokenMs = 1000 / perSecond;
    const fullAtMs = Math.max(this.#fullAtMs, nowMs) + tokenMs;
    const waitMs = Math.max(0, fullAtMs - nowMs - burst * tokenMs);
    if (waitMs > maxWaitMs) {
      throw new RuntimeUnavailable(`more calls of ${name} than ${perSecond} a second: later`);
    }
    this.#fullAtMs = fullAtMs;
    if (waitMs > 0) await this.#clock.delay(waitMs + this.#random() * tokenMs);
  }
}
