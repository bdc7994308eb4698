import { describe, expect, it } from 'vitest';
import { Rates } from '../../../adapters/aws/ecs/rates.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';

/** How many of `calls` stops are made at once, and how many in the first second. */
async function stops(sharedBy: number, calls: number) {
  const clock = new StepClock();
  const { stop } = new Rates(clock, () => 0, sharedBy);
  let made = 0;
  for (let i = 0; i < calls; i++)
    void stop
      .take()
      .then(() => made++)
      .catch(() => undefined);
  await clock.advance(0);
  const atOnce = made;
  await clock.advance(1_000);
  return { atOnce, inASecond: made - atOnce };
}

describe('the rate of stops', () => {
  it.each([
    [1, 100, 40],
    [5, 20, 8],
    [10, 10, 4],
    [50, 10, 4],
  ])('is divided among %i processes: %i at once and %i a second', async (by, atOnce, inASecond) => {
    expect(await stops(by, 200)).toEqual({ atOnce, inASecond });
  });

  it("stays the account's when as many as it is meant for stop tasks", async () => {
    const each = await stops(5, 200);
    expect(5 * each.atOnce).toBeLessThanOrEqual(100);
    expect(5 * each.inASecond).toBeLessThanOrEqual(40);
  });
});
