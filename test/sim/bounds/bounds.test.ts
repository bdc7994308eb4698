/** The bounds on small worlds; `npm run sim:bounds` measures large ones. */
import { expect, test } from 'vitest';
import { machinesInVain, readyMsBeside } from './blast.ts';
import {
  amplificationOf,
  callsOfAnHour,
  drainAfterOutage,
  launchesOfACrashLoop,
  lostInADayWithoutUs,
} from './bounds.ts';

const MAX_WRITES_PER_LAUNCH = 12;
/** How much more a pod may cost where there are ten times as many. */
const FLAT = 1.1;
const MAX_AT_ONCE = 8;
/** Four pods at 12 an hour once the back-off is at its longest, and what comes before that. */
const MAX_LAUNCHES = 4 * (24 * 12 + 10);
const MAX_AMPLIFICATION = 3;
const MAX_DRAIN_SECONDS = 10 * 60;
/** A machine has 15 minutes to join; each that does not is followed by one. */
const MAX_MACHINES = 24 * 4;
/** By as much as a poison object may delay others of its shard. */
const MAX_DELAY_MS = 5_000;
const TIMEOUT_MS = 240_000;

test(
  'B1, B2: what a change costs does not grow with the system',
  async () => {
    const [small, large] = [await amplificationOf(4), await amplificationOf(40)];
    expect(large.writesPerLaunch).toBeLessThanOrEqual(MAX_WRITES_PER_LAUNCH);
    expect(large.writesPerLaunch).toBeLessThanOrEqual(FLAT * small.writesPerLaunch);
    expect(large.writesPerChange).toBeLessThanOrEqual(FLAT * small.writesPerChange);
    expect(large.mostAtOnce).toBeLessThanOrEqual(MAX_AT_ONCE);
  },
  TIMEOUT_MS,
);

test('B3: a crash loop follows the law of back-off', async () => {
  expect(await launchesOfACrashLoop()).toBeLessThanOrEqual(MAX_LAUNCHES);
});

test('B4: no machine for what fits on none, and one at a time where none joins', async () => {
  expect(await machinesInVain(true)).toEqual({ all: 0, atOnce: 0 });
  const { all, atOnce } = await machinesInVain(false);
  expect(all).toBeLessThanOrEqual(MAX_MACHINES);
  expect(atOnce).toBe(1);
});

test('B5: a runtime that is down is asked no more than three times as often', async () => {
  const [up, down] = [await callsOfAnHour(false), await callsOfAnHour(true)];
  expect(down).toBeLessThanOrEqual(MAX_AMPLIFICATION * up);
});

test(
  'B6: what an outage of three hours has left is drained, without a collapse',
  async () => {
    const { seconds, writesPerPod, isSteady } = await drainAfterOutage(100, 4);
    expect(seconds).toBeLessThanOrEqual(MAX_DRAIN_SECONDS);
    expect(writesPerPod).toBeLessThanOrEqual(MAX_WRITES_PER_LAUNCH);
    expect(isSteady).toBe(true);
  },
  TIMEOUT_MS,
);

test('B7: what no handler can read delays nobody else', async () => {
  const delayMs = (await readyMsBeside(5)) - (await readyMsBeside(0));
  expect(delayMs).toBeLessThanOrEqual(MAX_DELAY_MS);
});

test('static stability: nothing is stopped while we are away, nor when we are back', async () => {
  expect(await lostInADayWithoutUs()).toBe(0);
});
