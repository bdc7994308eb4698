/** The bounds on small worlds; `npm run sim:bounds` measures large ones. */
import { expect, test } from 'vitest';
import {
  amplificationOf,
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
const MAX_DRAIN_SECONDS = 10 * 60;
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

test('static stability: nothing is stopped while we are away, nor when we are back', async () => {
  expect(await lostInADayWithoutUs()).toBe(0);
});
