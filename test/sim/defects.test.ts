/** The simulation is worth what it catches: each planted defect is found within a few seeds. */
import { expect, test } from 'vitest';
import { DEFECTS } from './defects.ts';
import { run } from './run.ts';

for (const [name, { what, seeds, alter }] of Object.entries(DEFECTS)) {
  test(`is caught: ${what} (${name})`, async () => {
    let caught: string | undefined;
    for (let seed = 1; seed <= seeds && caught === undefined; seed++) {
      caught = (await run({ seed, alter })).violation?.invariant;
    }
    expect(caught).toBeDefined();
  });
}
