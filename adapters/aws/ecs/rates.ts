/**
 * The rates that ECS holds an account and Region to, as far as they are known (Amazon ECS API
 * reference, "request throttling", and Fargate's quotas), and how long a call waits for its turn.
 */
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Placement } from './names.ts';
import { TokenBucket } from './token-bucket.ts';

/** Well below the time that a function has, with room for the call itself. */
const LAUNCH_WAIT_MS = 8_000;
const READ_WAIT_MS = 8_000;
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

  constructor(clock: Clock, random: () => number) {
    const bucket = (name: string, burst: number, perSecond: number, maxWaitMs: number) =>
      new TokenBucket(clock, random, { name, burst, perSecond, maxWaitMs });
    this.runTask = bucket('RunTask', 100, 40, LAUNCH_WAIT_MS);
    this.runFargate = bucket('RunTask on Fargate', 20, 20, LAUNCH_WAIT_MS);
    this.fargate = bucket('launches on Fargate', 100, 20, LAUNCH_WAIT_MS);
    this.fargateSpot = bucket('launches on Fargate Spot', 100, 20, LAUNCH_WAIT_MS);
    this.read = bucket('DescribeTasks', 20, 20, READ_WAIT_MS);
    this.stop = bucket('StopTask', 100, 40, LAUNCH_WAIT_MS);
    this.register = bucket('RegisterTaskDefinition', 1, 0.9, REGISTER_WAIT_MS);
  }

  /** Resolves when a task may be launched there. Throws `RuntimeUnavailable`. */
  async takeLaunch(placement: Placement): Promise<void> {
    if (placement.type === 'fargate') {
      await this.runFargate.take();
      await (placement.provider === 'FARGATE' ? this.fargate : this.fargateSpot).take();
    }
    await this.runTask.take();
  }
}
