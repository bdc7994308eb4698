/**
 * Token buckets of an account and Region. Refilled when looked at, so that no timer is needed.
 * Source: ECS "Request throttling", "AWS Fargate throttling quotas" (performance.md 5.1).
 */
import { throttled } from '../errors.ts';
import type { Rate, Rates } from '../settings.ts';
import type { Timers } from '../timers.ts';

export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #atMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#atMs = nowMs;
  }

  /** All of them, or none and false. */
  take(tokens: number, nowMs: number): boolean {
    const passedMs = Math.max(0, nowMs - this.#atMs);
    const refilled = this.#tokens + (passedMs * this.#rate.perSecond) / 1000;
    this.#tokens = Math.min(this.#rate.burst, refilled);
    this.#atMs = nowMs;
    if (this.#tokens < tokens) return false;
    this.#tokens -= tokens;
    return true;
  }
}

/** The buckets of one account; several models may share it. */
export class Account {
  readonly #timers: Timers;
  #rates: Rates;
  readonly #buckets = new Map<keyof Rates, TokenBucket>();

  constructor(timers: Timers, rates: Rates) {
    this.#timers = timers;
    this.#rates = rates;
  }

  /** Throws ThrottlingException when there are not so many. */
  take(name: keyof Rates, tokens = 1): void {
    const nowMs = this.#timers.nowMs();
    let bucket = this.#buckets.get(name);
    if (!bucket) {
      bucket = new TokenBucket(this.#rates[name], nowMs);
      this.#buckets.set(name, bucket);
    }
    if (!bucket.take(tokens, nowMs)) throw throttled();
  }

  /** Other limits from now on, with full buckets. */
  setRates(rates: Partial<Rates>): void {
    this.#rates = { ...this.#rates, ...rates };
    this.#buckets.clear();
  }
}
