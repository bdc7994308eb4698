/** What was found once is not found again. */
import { describe, expect, test } from 'vitest';
import { PATCHES } from '../defects/patches.ts';
import { commandOf } from '../plans/job.ts';
import { run } from '../run.ts';
import { KNOWN_SEEDS } from './seeds.ts';

const TIMEOUT_MS = 120_000;

describe('a seed that once found a defect finds none', () => {
  for (const { defect, what, aws, ...job } of KNOWN_SEEDS) {
    test(
      `${what}: ${commandOf(job, { aws: aws === true })}`,
      async () => {
        const sky = aws ? (await import('../aws.ts')).awsSky : undefined;
        const { violation } = await run({ ...job, ...(sky ? { sky } : {}) });
        expect(violation).toBeUndefined();
        expect(Object.keys(PATCHES)).toContain(defect);
      },
      TIMEOUT_MS,
    );
  }
});
