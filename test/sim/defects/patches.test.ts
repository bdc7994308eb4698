/**
 * Planted defects are of the product as it is now; `npm run sim:defects` shows which are caught.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Totals } from '../plans/totals.ts';
import { DEFECT_VARIABLE, patched } from './patch.ts';
import { PATCHES } from './patches.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const TIMEOUT_MS = 240_000;

/** These are caught within a few seeds, and stand for all. */
const SAMPLE = ['noExpectedVersion', 'removedAtStop', 'ledgerNotWritten'];
const SEEDS = '20';

test('there are as many as were promised', () => {
  expect(Object.values(PATCHES).filter((p) => !('equivalent' in p)).length).toBeGreaterThan(50);
});

test('each has its place, once', () => {
  for (const patch of Object.values(PATCHES)) {
    const text = readFileSync(join(ROOT, patch.file), 'utf8');
    expect(patched(text, patch)).not.toBe(text);
  }
});

describe('is caught', () => {
  for (const name of SAMPLE) {
    test(
      `${PATCHES[name]?.what} (${name})`,
      () => {
        const args = ['--import', join(import.meta.dirname, 'hook.ts'), 'test/sim/main.ts'];
        const ours = ['--seeds', SEEDS, '--part', '0/1', '--stop', '--shrinks', '0'];
        const env = { ...process.env, [DEFECT_VARIABLE]: name };
        const stdio = ['ignore', 'pipe', 'ignore'] as const;
        const output = execFileSync(process.execPath, [...args, ...ours], {
          ...{ cwd: ROOT, env, encoding: 'utf8' },
          stdio: [...stdio],
        });
        const [failure] = (JSON.parse(output) as Totals).failures;
        expect(failure?.invariant).toMatch(/^[SLB]\d$/);
      },
      TIMEOUT_MS,
    );
  }
});
