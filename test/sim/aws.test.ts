/** The simulation over the adapters of AWS as a part of `npm test`: more seeds by hand. */
import { describe, expect, test } from 'vitest';
import { awsSky } from './aws.ts';
import { type RunResult, run } from './run.ts';

const SEEDS = 8;
const SEEDS_A_TEST = 4;
/** Far more than they take: a busy machine must not fail them. */
const TIMEOUT_MS = 240_000;

describe('on AWS in bad weather, the invariants hold', () => {
  for (let from = 1; from <= SEEDS; from += SEEDS_A_TEST) {
    test(
      `seeds ${from} to ${from + SEEDS_A_TEST - 1}`,
      async () => {
        for (let seed = from; seed < from + SEEDS_A_TEST; seed++) {
          expect(failureOf(await run({ seed, sky: awsSky }))).toBe('none');
        }
      },
      TIMEOUT_MS,
    );
  }
});

test('the same seed gives the same run, to the byte', async () => {
  const [first, second] = [
    await run({ seed: 5, sky: awsSky }),
    await run({ seed: 5, sky: awsSky }),
  ];
  expect(second).toEqual(first);
});

function failureOf({ seed, violation }: RunResult): string {
  if (!violation) return 'none';
  const { invariant, message, step } = violation;
  return (
    `seed ${seed}, step ${step}: ${invariant} ${message}\n` +
    `replay with: npm run sim -- --aws --seed ${seed} --log`
  );
}
