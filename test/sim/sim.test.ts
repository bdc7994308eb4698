/**
 * The simulation as a part of `npm test`: enough seeds to notice what broke, few enough to wait
 * for.
 */
import { describe, expect, test } from 'vitest';
import { type RunResult, run } from './run.ts';

const SEEDS = 60;
const SEEDS_A_TEST = 20;
/** Far more than they take: a busy machine must not fail them. */
const TIMEOUT_MS = 240_000;

describe('under faults, the invariants hold', () => {
  for (let from = 1; from <= SEEDS; from += SEEDS_A_TEST) {
    test(
      `seeds ${from} to ${from + SEEDS_A_TEST - 1}`,
      async () => {
        for (let seed = from; seed < from + SEEDS_A_TEST; seed++) {
          expect(failureOf(await run({ seed }))).toBe('none');
        }
      },
      TIMEOUT_MS,
    );
  }
});

test('the same seed gives the same run, to the byte', async () => {
  for (const seed of [1, 51]) {
    const [first, second] = [await run({ seed }), await run({ seed })];
    expect(second.hash).toBe(first.hash);
    expect(second).toEqual(first);
  }
});

test('different seeds give different runs', async () => {
  const hashes = [(await run({ seed: 1 })).hash, (await run({ seed: 2 })).hash];
  expect(new Set(hashes).size).toBe(2);
});

function failureOf({ seed, violation }: RunResult): string {
  if (!violation) return 'none';
  const { invariant, message, step } = violation;
  return (
    `seed ${seed}, step ${step}: ${invariant} ${message}\n` +
    `replay with: npm run sim -- --seed ${seed} --log`
  );
}
