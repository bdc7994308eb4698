/** Does jobs, one after the other; every hundredth twice, to see that it is the same. */
import { run, type RunResult } from '../run.ts';
import { commandOf, type Job, optionsOf, type Setting } from './job.ts';
import { shrunk } from './shrink.ts';
import { addRun, type Failure, noTotals, type Totals } from './totals.ts';

const DOUBLED_EVERY = 100;

export interface WorkOptions {
  /** How many failures are shrunk at most. */
  readonly shrinks: number;
  /** Ends at the first failure. */
  readonly stops: boolean;
  readonly told?: (job: Job, result: RunResult, failure: Failure | undefined) => void;
}

export async function doJobs(
  jobs: readonly Job[],
  setting: Setting,
  { shrinks, stops, told }: WorkOptions,
): Promise<Totals> {
  const totals = noTotals();
  for (const [i, job] of jobs.entries()) {
    const result = await run(optionsOf(job, setting));
    addRun(totals, result);
    if (i % DOUBLED_EVERY === 0) {
      const again = await run(optionsOf(job, setting));
      totals.doubled++;
      if (again.hash !== result.hash) totals.mismatches++;
    }
    const shrinkIt = totals.failures.length < shrinks;
    const failure = result.violation && (await failureOf(job, result, setting, shrinkIt));
    if (failure) totals.failures.push(failure);
    told?.(job, result, failure);
    if (failure && stops) break;
  }
  return totals;
}

async function failureOf(
  job: Job,
  result: RunResult,
  setting: Setting,
  shrinkIt: boolean,
): Promise<Failure> {
  const { invariant = '', message = '', step = 0 } = result.violation ?? {};
  const found = { invariant, message, seed: job.seed, step, command: commandOf(job, setting) };
  if (!shrinkIt) return found;
  return { ...found, smaller: commandOf(await shrunk(job, result, setting), setting) };
}
