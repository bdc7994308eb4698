/**
 * The rates that ECS holds an account and Region to, as far as they are known (Amazon ECS API
 * reference, "request throttling", and Fargate's quotas), and how long a call waits for its turn.
 */
import type { Clock } from '../../../shared/ports/clock.ts';
import { wasThrottled } from './errors.ts';
import type { Placement } from './names.ts';
import { TokenBucket } from './token-bucket.ts';

/** Well below the time that a function has, with room for the call itself. */
const LAUNCH_WAIT_MS = 8_000;
/** A launch that is throttled takes no further turn after so many, or so long. */
const LAUNCH_TURNS = 4;
const LAUNCH_TURNS_MS = 20_000;
const READ_WAIT_MS = 8_000;
/**
 * The rate of stops is divided among the processes: when many pods are deleted at once all of them
 * stop tasks, and each that is throttled costs a message that comes again. With more parts one
 * process alone would crawl.
 */
const MAX_PARTS = 10;
/** A rollout of ten new shapes passes in one go. */
const REGISTER_WAIT_MS = 12_000;

export class Rates {
  readonly runTask: TokenBucket;
  readonly runFargate: TokenBucket;
  readonly fargate: TokenBucket;
  readonly fargateSpot: TokenBucket;
  readonly read: TokenBucket;
  readonly stop: TokenBucket;
  readonly register: TokenBucket;
  readonly #clock: Clock;

  /** `sharedBy` is how many processes stop tasks at a time, at most. */
  constructor(clock: Clock, random: () => number, sharedBy: number) {
    this.#clock = clock;
    const bucket = (name: string, burst: number, perSecond: number, maxWaitMs: number) =>
      new TokenBucket(clock, random, { name, burst, perSecond, maxWaitMs });
    this.runTask = bucket('RunTask', 100, 40, LAUNCH_WAIT_MS);
    this.runFargate = bucket('RunTask on Fargate', 20, 20, LAUNCH_WAIT_MS);
    this.fargate = bucket('launches on Fargate', 100, 20, LAUNCH_WAIT_MS);
    this.fargateSpot = bucket('launches on Fargate Spot', 100, 20, LAUNCH_WAIT_MS);
    this.read = bucket('DescribeTasks', 20, 20, READ_WAIT_MS);
    const parts = Math.min(sharedBy, MAX_PARTS);
    this.stop = bucket('StopTask', 100 / parts, 40 / parts, LAUNCH_WAIT_MS);
    this.register = bucket('RegisterTaskDefinition', 1, 0.9, REGISTER_WAIT_MS);
  }

  /**
   * Does a call of RunTask when it is its turn. One that is throttled takes another turn, at a pace
   * that gives way to other processes (token-bucket.ts): a message that came back for it would use
   * up its receives. Throws `RuntimeUnavailable`, and what the call throws.
   */
  async launch<T extends { readonly $metadata: Metadata }>(
    placement: Placement,
    call: () => Promise<T>,
  ): Promise<T> {
    const pace = placement.type === 'fargate' ? this.runFargate : this.runTask;
    const lastTurnMs = this.#clock.nowMs() + LAUNCH_TURNS_MS;
    for (let turn = 1; ; turn++) {
      await this.#takeLaunch(placement);
      const turnMs = this.#clock.nowMs();
      try {
        const answer = await call();
        if ((answer.$metadata.attempts ?? 1) > 1) pace.slower(turnMs);
        else pace.faster();
        return answer;
      } catch (error) {
        if (!wasThrottled(error)) throw error;
        pace.slower(turnMs);
        if (turn === LAUNCH_TURNS || turnMs > lastTurnMs) throw error;
      }
    }
  }

  async #takeLaunch(placement: Placement): Promise<void> {
    if (placement.type === 'fargate') {
      await this.runFargate.take();
      await (placement.provider === 'FARGATE' ? this.fargate : this.fargateSpot).take();
    }
    await this.runTask.take();
  }
}

/** Of an answer: the SDK tries again by itself, and tells how often it did. */
interface Metadata {
  readonly attempts?: number | undefined;
}
