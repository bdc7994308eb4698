/** Plans as a part of `npm test`: an even sample of each generator; CI does more of them. */
import { describe, expect, test } from 'vitest';
import { listOf, parseFault, parseFaults, textOf } from '../faults/fault.ts';
import { run } from '../run.ts';
import { GENERATORS, type Generator, jobsOf } from './generators.ts';
import { commandOf } from './job.ts';
import { fewest } from './shrink.ts';
import { doJobs } from './work.ts';

const PLANS = { systematic: 60, composite: 40, transitions: 40 } as const;
/** Far more than they take: a busy machine must not fail them. */
const TIMEOUT_MS = 240_000;

describe('struck once, a script comes to the same end', () => {
  for (const generator of GENERATORS.filter((name) => name !== 'swarm')) {
    test(
      `${PLANS[generator]} plans: ${generator}`,
      async () => {
        const jobs = await jobsOf(wanted(generator, PLANS[generator]), {});
        const { runs, failures } = await doJobs(jobs, {}, { shrinks: 0, stops: false });
        expect(
          failures.map(({ command, invariant, message }) => [command, invariant, message]),
        ).toEqual([]);
        expect(runs).toBe(PLANS[generator]);
      },
      TIMEOUT_MS,
    );
  }
});

test('a list of the faults that a seed has drawn is that run, to the byte', async () => {
  const drawn = await run({ seed: 3 });
  const planned = await run({ seed: 3, faults: parseFaults(listOf(drawn.injected)) });
  expect(planned.injected).toEqual(drawn.injected);
  expect(withoutHead(planned)).toEqual(withoutHead(drawn));
});

/** The first line says whether faults were drawn or listed, and is a part of the hash. */
function withoutHead({ hash: _, ...rest }: Awaited<ReturnType<typeof run>>) {
  return rest;
}

test('faults are written down and read again', () => {
  for (const text of ['crashAfter@12', 'lostLaunch@3+blackout']) {
    expect(textOf(parseFault(text))).toBe(text);
  }
  expect(() => parseFault('lightning@1')).toThrow('no such fault');
  expect(() => parseFault('crashAfter@1+lightning')).toThrow('lightning');
  const faults = parseFaults('crashAfter@12,streamLoss@1');
  expect(commandOf({ seed: 7, faults }, {})).toBe(
    'npm run sim -- --seed 7 --faults crashAfter@12,streamLoss@1 --log',
  );
});

test('shrinking finds the few that matter', async () => {
  const all = Array.from({ length: 60 }, (_, i) => i);
  const holds = async (items: readonly number[]) => items.includes(13) && items.includes(47);
  expect(await fewest(all, holds)).toEqual([13, 47]);
  expect(await fewest(all, async () => true)).toEqual([]);
});

function wanted(generator: Generator, plans: number) {
  return { generator, from: 1, seeds: 0, plans, script: undefined };
}
