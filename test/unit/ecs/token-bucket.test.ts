import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../adapters/aws/ecs/token-bucket.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { RuntimeUnavailable } from '../../../shared/ports/runtime.ts';

const RATE = { name: 'RunTask', burst: 5, perSecond: 10, maxWaitMs: 1_000 };

function make(random = () => 0) {
  const clock = new StepClock();
  const startMs = clock.nowMs();
  const bucket = new TokenBucket(clock, random, RATE);
  const taken: number[] = [];
  const refused: unknown[] = [];
  const take = () =>
    bucket.take().then(
      () => taken.push(clock.nowMs() - startMs),
      (error: unknown) => refused.push(error),
    );
  return { clock, bucket, take, taken, refused };
}

describe('a token bucket', () => {
  it('lets a burst through, and then one after the other', async () => {
    const { clock, take, taken } = make();
    for (let i = 0; i < 8; i++) void take();
    await clock.advance(1_000);
    expect(taken).toEqual([0, 0, 0, 0, 0, 100, 200, 300]);
  });

  it('turns away what would wait too long, at once and without taking a turn', async () => {
    const { clock, take, taken, refused } = make();
    for (let i = 0; i < 100; i++) void take();
    await clock.advance(0);
    expect(refused).toHaveLength(85);
    expect(refused[0]).toBeInstanceOf(RuntimeUnavailable);
    expect(String(refused[0])).toContain('RunTask');
    await clock.advance(1_000);
    expect(taken).toHaveLength(15);
    void take();
    await clock.advance(200);
    expect(taken).toHaveLength(16);
  });

  it('fills up again, and no higher than its burst', async () => {
    const { clock, take, taken } = make();
    for (let i = 0; i < 5; i++) await take();
    await clock.advance(60_000);
    for (let i = 0; i < 6; i++) void take();
    await clock.advance(0);
    expect(taken).toHaveLength(10);
    await clock.advance(100);
    expect(taken).toHaveLength(11);
  });

  it('spreads those who wait, and never lets one go early', async () => {
    const { clock, take, taken } = make(() => 0.5);
    for (let i = 0; i < 7; i++) void take();
    await clock.advance(1_000);
    expect(taken.slice(5)).toEqual([150, 250]);
  });

  it('never exceeds its rate, whenever it is asked', async () => {
    const { clock, take, taken } = make();
    for (let ms = 0; ms < 10_000; ms += 7) {
      void take();
      await clock.advance(7);
    }
    await clock.advance(2_000);
    const seconds = (clock.nowMs() - 1_893_456_000_000) / 1000;
    expect(taken.length).toBeLessThanOrEqual(RATE.burst + RATE.perSecond * seconds);
    expect(taken.length).toBeGreaterThan(100);
  });

  it('goes slower when it is throttled, once for all calls that were under way', async () => {
    const { clock, bucket, take, taken } = make();
    for (let i = 0; i < 5; i++) await take();
    await clock.advance(100);
    const turnMs = clock.nowMs() - 100;
    for (let i = 0; i < 5; i++) bucket.slower(turnMs);
    taken.length = 0;
    for (let i = 0; i < 3; i++) void take();
    await clock.advance(1_000);
    // A quarter of ten a second.
    expect(taken).toEqual([100, 500, 900]);
  });

  it('goes faster again with each call that was not throttled', async () => {
    const { clock, bucket, take, taken } = make();
    bucket.slower(clock.nowMs());
    for (let i = 0; i < 5_000; i++) bucket.faster();
    taken.length = 0;
    for (let i = 0; i < 7; i++) void take();
    await clock.advance(200);
    expect(taken).toEqual([0, 0, 0, 0, 0, 100, 200]);
  });

  it('forgets while nobody asks that it was throttled', async () => {
    const { clock, bucket, take, taken } = make();
    await take();
    bucket.slower(clock.nowMs());
    await clock.advance(31_000);
    taken.length = 0;
    for (let i = 0; i < 5; i++) void take();
    await clock.advance(0);
    expect(taken).toHaveLength(5);
  });

  it('shares an account with others whom nobody counts', async () => {
    const clock = new StepClock();
    const account = { tokens: 20, atMs: clock.nowMs() };
    const counts = { done: 0, throttled: 0 };
    const rate = { name: 'RunTask', burst: 20, perSecond: 20, maxWaitMs: 60_000 };
    const work = async (): Promise<void> => {
      const bucket = new TokenBucket(clock, () => 0.5, rate);
      for (;;) {
        await bucket.take();
        const turnMs = clock.nowMs();
        const refilled = account.tokens + ((turnMs - account.atMs) * 20) / 1000;
        Object.assign(account, { tokens: Math.min(20, refilled), atMs: turnMs });
        const isDone = account.tokens >= 1;
        if (isDone) account.tokens--;
        counts[isDone ? 'done' : 'throttled']++;
        await clock.delay(50);
        if (isDone) bucket.faster();
        else bucket.slower(turnMs);
      }
    };
    for (let i = 0; i < 5; i++) void work();
    await clock.advance(100_000);
    expect(counts.done).toBeGreaterThan(0.95 * 2_000);
    expect(counts.throttled).toBeLessThan(0.06 * counts.done);
  });
});
