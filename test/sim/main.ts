/**
 * The simulation from the command line.
 *
 *   npm run sim -- --from 1 --seeds 1000 [--json]     many runs, and a summary
 *   npm run sim -- --seed 7 --log                     one run, and all that happened in it
 *   npm run sim -- --aws --seeds 100                  over the adapters of AWS, in bad weather
 *   npm run sim -- --defect blindUpdate --seeds 20    with a defect planted: how soon is it caught?
 */
import { parseArgs } from 'node:util';
import { awsSky } from './aws.ts';
import { DEFECTS } from './defects.ts';
import { type RunResult, run } from './run.ts';

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '100' },
    seed: { type: 'string' },
    log: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    defect: { type: 'string' },
    aws: { type: 'boolean', default: false },
  },
});

const from = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const defect = values.defect === undefined ? undefined : DEFECTS[values.defect];
if (values.defect !== undefined && !defect) {
  throw new Error(`no such defect; there are ${Object.keys(DEFECTS).join(', ')}`);
}

const startedMs = performance.now();
const failures: RunResult[] = [];
const totals = { faults: 0, steps: 0, slowestRecoveryMs: 0 };
for (let seed = from; seed < from + count; seed++) {
  const result = await run({
    seed,
    ...(values.log ? { print: (line: string) => console.log(line) } : {}),
    ...(values.aws ? { sky: awsSky } : {}),
    ...defect,
  });
  totals.steps += result.steps;
  totals.faults += Object.values(result.faults).reduce((sum, n) => sum + n, 0);
  totals.slowestRecoveryMs = Math.max(totals.slowestRecoveryMs, result.recoveredMs);
  if (values.json) console.log(JSON.stringify(result));
  if (result.violation) {
    failures.push(result);
    if (!values.json) console.log(describe(result));
  }
  if (count === 1 && !values.json) console.log(`seed ${seed}: hash ${result.hash}`);
}

const seconds = (performance.now() - startedMs) / 1000;
const speed = (count / seconds).toFixed(1);
console.error(
  `${count} seeds, ${failures.length} failed, ${totals.faults} faults, ${totals.steps} steps, ` +
    `slowest recovery ${totals.slowestRecoveryMs / 1000} s; ` +
    `${seconds.toFixed(1)} s, ${speed} seeds/s`,
);
process.exitCode = failures.length > 0 ? 1 : 0;

function describe({ seed, violation }: RunResult): string {
  return (
    `seed ${seed} step ${violation?.step}: ${violation?.invariant} ${violation?.message}\n` +
    `  npm run sim --${values.aws ? ' --aws' : ''} --seed ${seed} --log`
  );
}
