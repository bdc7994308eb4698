/**
 * Keeps a process below a rate that an account is held to. Callers are served in order; each waits
 * for its token up to a bound, beyond which the caller had better come again later. Other processes
 * share the account's rate, and nobody counts them: who is throttled goes slower by a share, who is
 * not goes faster by a step, which brings all to equal parts of what there is (additive increase,
 * multiplicative decrease). A random part of each wait keeps processes that were throttled together
 * from coming back together.
 */
import type { Clock } from '../../../shared/ports/clock.ts';
import { NotAsked } from '../../../shared/ports/runtime.ts';

export interface Rate {
  /** For the error: whose rate it is. */
  readonly name: string;
  /** Calls at once, after a pause. */
  readonly burst: number;
  readonly perSecond: number;
  /** Nobody waits longer. */
  readonly maxWaitMs: number;
}

/** Of the rate, what is left after the first throttled call: nobody knows how many others are. */
const FIRST_SLOWER = 0.25;
/** And after each further one. */
const SLOWER = 0.85;
/**
 * Of the full rate, what each call adds that was not throttled. With five processes at a rate, some
 * three calls of a hundred are throttled: that is how they find out where the rate is.
 */
const FASTER = 0.0003;
/** A process alone with a hundred others still makes its calls. */
const LEAST = 0.01;
/** After so long without a throttled call there is more room: steps are longer. */
const QUIET_MS = 4_000;
const QUIET_STEPS = 4;
/** After so long without any call others may have gone: the full rate is tried again. */
const FORGOTTEN_MS = 30_000;

export class TokenBucket {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #rate: Rate;
  /** When the bucket is full again, were nothing more taken. */
  #fullAtMs: number;
  /** The part of the rate that is this process's, as far as it knows. */
  #share = 1;
  #throttledAtMs = -Infinity;
  #takenAtMs = -Infinity;

  /** `random` gives numbers from 0 to below 1. */
  constructor(clock: Clock, random: () => number, rate: Rate) {
    this.#clock = clock;
    this.#random = random;
    this.#rate = rate;
    this.#fullAtMs = clock.nowMs();
  }

  /** Resolves when a call may be made. Throws `NotAsked` at once if that is too far. */
  async take(): Promise<void> {
    const { name, burst, perSecond, maxWaitMs } = this.#rate;
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#takenAtMs > FORGOTTEN_MS) this.#share = 1;
    this.#takenAtMs = nowMs;
    const tokenMs = 1000 / (perSecond * this.#share);
    const fullAtMs = Math.max(this.#fullAtMs, nowMs) + tokenMs;
    // What a burst may have is the account's; who was throttled knows that it is used up.
    const atOnceMs = this.#share < 1 ? tokenMs : burst * tokenMs;
    const waitMs = Math.max(0, fullAtMs - nowMs - atOnceMs);
    if (waitMs > maxWaitMs) {
      throw new NotAsked(`more calls of ${name} than ${perSecond} a second: later`);
    }
    this.#fullAtMs = fullAtMs;
    if (waitMs > 0) await this.#clock.delay(waitMs + this.#random() * tokenMs);
  }

  /** A call whose turn was then was throttled. Calls of before the last change tell no news. */
  slower(turnMs: number): void {
    if (turnMs <= this.#throttledAtMs) return;
    const nowMs = this.#clock.nowMs();
    // The burst is used up: turns are counted from now on.
    if (this.#share === 1) this.#fullAtMs = nowMs;
    this.#throttledAtMs = nowMs;
    this.#share = Math.max(LEAST, this.#share * (this.#share === 1 ? FIRST_SLOWER : SLOWER));
  }

  /** A call was not. */
  faster(): void {
    const isQuiet = this.#clock.nowMs() - this.#throttledAtMs > QUIET_MS;
    this.#share = Math.min(1, this.#share + FASTER * (isQuiet ? QUIET_STEPS : 1));
  }
}
