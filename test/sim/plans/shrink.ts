/**
 * Cuts a list of faults down to a small one that fails in the same way: delta debugging (Zeller and
 * Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002).
 */
import type { Fault } from '../faults/fault.ts';
import { run, type RunResult } from '../run.ts';
import { type Job, optionsOf, type Setting } from './job.ts';

/** Runs at most: a fraction of a second each. */
const MAX_TRIES = 150;

/** The job with as few faults as were found to do. */
export async function shrunk(job: Job, result: RunResult, setting: Setting): Promise<Job> {
  const invariant = result.violation?.invariant;
  const fails = async (faults: readonly Fault[]): Promise<boolean> => {
    const { violation } = await run(optionsOf({ ...job, faults }, setting));
    return violation?.invariant === invariant;
  };
  return { ...job, faults: await fewest(result.injected, fails) };
}

/** The fewest items that were found for which it still holds; all, if it does not hold for all. */
export async function fewest<T>(
  all: readonly T[],
  holds: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let items = all;
  let parts = 2;
  for (let tries = 0; tries < MAX_TRIES && items.length > 0;) {
    const size = Math.ceil(items.length / parts);
    let smaller: readonly T[] | undefined;
    for (let from = 0; from < items.length && tries < MAX_TRIES && !smaller; from += size) {
      const rest = [...items.slice(0, from), ...items.slice(from + size)];
      tries++;
      if (await holds(rest)) smaller = rest;
    }
    if (smaller) {
      items = smaller;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) {
      break;
    } else {
      parts = Math.min(items.length, parts * 2);
    }
  }
  return items;
}
