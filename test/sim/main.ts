/**
 * The simulation from the command line.
 *
 *   npm run sim -- --from 1 --seeds 1000 [--json]          many seeds, and a summary
 *   npm run sim -- --seed 7 --log                          one, and all that happened in it
 *   npm run sim -- --seed 7 --faults crashAfter@12,...     one with these faults and no others
 *   npm run sim -- --systematic [--plans 3000]             every call of every script, in turn
 *   npm run sim -- --composite [--plans 2000]              with a blackout, a partition besides
 *   npm run sim -- --transitions [--plans 500]             every field that people may set
 *   npm run sim -- --seed 1 --script rollout --faults …    one plan again
 *   npm run sim -- --script crowd --seeds 50               one script, struck as seeds draw it
 *   npm run sim -- --systematic --script rollout --about 'store.create pods'    these calls alone
 *   npm run sim -- --aws --seeds 100                       over the adapters of AWS
 *   npm run sim:defects [-- name …]                        every defect in turn (defects/main.ts)
 *
 * `--processes 1` for one process; `--stop` at the first failure; `--shrinks 2` failures are shrunk
 * by each process, with some hundred runs each.
 */
import { availableParallelism } from 'node:os';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { parseFaults } from './faults/fault.ts';
import { type Generator, GENERATORS, jobsOf } from './plans/generators.ts';
import type { Job, Setting } from './plans/job.ts';
import { optionsOf } from './plans/job.ts';
import { inProcesses } from './plans/processes.ts';
import { type Failure, summaryOf, type Totals } from './plans/totals.ts';
import { traced } from './plans/trace.ts';
import { doJobs } from './plans/work.ts';
import { run } from './run.ts';

/** Options that are whole numbers. */
const NUMBERS = ['from', 'seeds', 'plans', 'seed', 'processes', 'shrinks'];

const { values } = parsed({
  options: {
    from: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '100' },
    plans: { type: 'string' },
    seed: { type: 'string' },
    script: { type: 'string' },
    faults: { type: 'string' },
    about: { type: 'string' },
    systematic: { type: 'boolean', default: false },
    composite: { type: 'boolean', default: false },
    transitions: { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    stop: { type: 'boolean', default: false },
    aws: { type: 'boolean', default: false },
    processes: { type: 'string', default: String(availableParallelism()) },
    part: { type: 'string' },
    shrinks: { type: 'string', default: '2' },
  },
} as const);

/** In so many seeds each kind must have struck: one that never does tests nothing. */
const LONG_RUNS = 1_000;

// Errors are everyday life here, and nobody reads where thousands of them were made.
if (values.seed === undefined) Error.stackTraceLimit = 0;

const setting = await settingOf();
if (values.seed !== undefined) await one(await oneJob(Number(values.seed)));
else if (values.part !== undefined) await somePart(values.part);
else await all();

/** The options as they were given; what is none of them, or is no number, ends the process. */
function parsed<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    const result = parseArgs(config);
    const given: { readonly [option: string]: unknown } = result.values;
    for (const name of NUMBERS) {
      const text = given[name];
      if (typeof text !== 'string' || /^\d+$/.test(text)) continue;
      throw new Error(`--${name} is a number, not ${JSON.stringify(text)}`);
    }
    return result;
  } catch (error) {
    console.error(`sim: ${(error as Error).message}`);
    return process.exit(2);
  }
}

/** One run, with all that happened in it if asked for. */
async function one(job: Job): Promise<void> {
  const print = values.log ? (line: string) => console.log(line) : undefined;
  const result = await run({ ...optionsOf(job, setting), ...(print ? { print } : {}) });
  const { seed, violation, hash } = result;
  if (values.json) console.log(JSON.stringify(result));
  else if (violation) {
    console.log(`seed ${seed} step ${violation.step}: ${violation.invariant} ${violation.message}`);
  }
  if (!values.json) console.log(`seed ${seed}: hash ${hash}`);
  process.exitCode = violation ? 1 : 0;
}

/** A plan is judged by what its script comes to when nothing strikes it. */
async function oneJob(seed: number): Promise<Job> {
  const { script, faults } = values;
  const listed = faults === undefined ? undefined : parseFaults(faults === 'none' ? '' : faults);
  const isPlan = script !== undefined && listed !== undefined && listed.length > 0;
  const reference = isPlan ? (await traced(script, seed, setting)).reference : undefined;
  return {
    ...{ seed, ...(script ? { script } : {}), ...(listed ? { faults: listed } : {}) },
    ...(reference ? { reference } : {}),
  };
}

/** Every n-th job; the totals go to whoever began this process. */
async function somePart(part: string): Promise<void> {
  const [index = 0, count = 1] = part.split('/').map(Number);
  const jobs = (await allJobs()).filter((_, i) => i % count === index);
  const told = (_job: Job, _result: unknown, failure: Failure | undefined): void => {
    if (failure) console.error(textOf(failure));
  };
  const totals = await doJobs(jobs, setting, {
    shrinks: Number(values.shrinks),
    stops: values.stop,
    told,
  });
  console.log(JSON.stringify(totals));
}

async function all(): Promise<void> {
  const startedMs = performance.now();
  const totals: Totals = await inProcesses(
    Number(values.processes),
    process.argv.slice(2),
    (line) => console.error(line),
  );
  const summary = summaryOf(totals, (performance.now() - startedMs) / 1_000);
  const generator = generatorOf();
  const asked = { generator, from: Number(values.from), aws: values.aws };
  if (values.json) console.log(JSON.stringify({ ...asked, ...summary }));
  else console.log(inWords(summary));
  const unstruck = isLong(totals) ? summary.missing : [];
  for (const kind of unstruck) console.error(`${kind} has never struck in so many runs`);
  process.exitCode = totals.failures.length + totals.mismatches + unstruck.length > 0 ? 1 : 0;
}

function isLong({ runs }: Totals): boolean {
  return generatorOf() === 'swarm' && runs >= LONG_RUNS;
}

function generatorOf(): Generator {
  return GENERATORS.find((name) => name !== 'swarm' && values[name]) ?? 'swarm';
}

function allJobs(): Promise<readonly Job[]> {
  const generator = generatorOf();
  const { from, seeds, plans, script, about } = values;
  return jobsOf(
    {
      ...{ generator, from: Number(from), seeds: Number(seeds), script, about },
      plans: plans === undefined ? undefined : Number(plans),
    },
    setting,
  );
}

/** What AWS takes is loaded for it alone: it takes longer than many a run. */
async function settingOf(): Promise<Setting> {
  const { aws } = values;
  const sky = aws ? (await import('./aws.ts')).awsSky : undefined;
  return { aws, ...(sky ? { sky } : {}) };
}

function textOf({ seed, step, invariant, message, command, smaller }: Failure): string {
  const lines = [`seed ${seed} step ${step}: ${invariant} ${message}`, `  ${command}`];
  return [...lines, ...(smaller === undefined ? [] : [`  smaller: ${smaller}`])].join('\n');
}

function inWords(summary: ReturnType<typeof summaryOf>): string {
  const { runs, violations, faults, kinds, rows, simulatedHours, recoverySeconds, seconds } =
    summary;
  return (
    `${runs} runs, ${violations} failed, ${faults} faults of ${kinds} kinds (${rows} rows), ` +
    `${simulatedHours} simulated hours, slowest recovery ${recoverySeconds.max} s, ` +
    `${summary.writesPerLaunch} writes a launch, ${summary.doubled} run twice, ` +
    `${summary.mismatches} of them different; ${seconds} s, ${summary.runsPerSecond} runs/s`
  );
}
