/** The simulation is worth what it catches: each planted defect is found within a few seeds. */
import { expect, test } from 'vitest';
import { DEFECTS } from './defects/wrapped.ts';
import { run } from './run.ts';

/** Rarer ones are for the command line: `npm run sim -- --defect forgottenLaunch --seeds 100`. */
const MAX_SEEDS = 40;

for (const [name, { what, seeds, ...defect }] of Object.entries(DEFECTS)) {
  if (seeds > MAX_SEEDS) continue;
  test(`is caught: ${what} (${name})`, async () => {
    let caught: string | undefined;
    for (let seed = 1; seed <= seeds && caught === undefined; seed++) {
      caught = (await run({ seed, ...defect })).violation?.invariant;
    }
    expect(caught).toMatch(/^[SL]\d$/); // an invariant, and not an error of the simulation's own
  }, 240_000);
}
