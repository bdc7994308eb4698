/**
 * A run as data: what a generator makes, what a failure is replayed by, and what is cut down to a
 * smaller one that fails in the same way.
 */
import { type Fault, listOf } from '../faults/fault.ts';
import type { EndState } from '../judges/end-state.ts';
import type { RunOptions } from '../run.ts';
import type { Sky, SkyOptions } from '../stage.ts';

export interface Job {
  readonly seed: number;
  readonly script?: string;
  readonly faults?: readonly Fault[];
  readonly reference?: EndState;
}

/** What holds of all jobs of a command. */
export interface Setting {
  readonly aws?: boolean;
  readonly sky?: (given: SkyOptions) => Sky;
}

export function optionsOf(job: Job, { sky }: Setting): RunOptions {
  return {
    ...job,
    ...(sky ? { sky } : {}),
  };
}

/** The command that runs the job again. */
export function commandOf({ seed, script, faults }: Job, { aws }: Setting): string {
  const parts = [
    'npm run sim --',
    ...(aws ? ['--aws'] : []),
    `--seed ${seed}`,
    ...(script === undefined ? [] : [`--script ${script}`]),
    ...(faults === undefined ? [] : [`--faults ${listOf(faults) || 'none'}`]),
    '--log',
  ];
  return parts.join(' ');
}
