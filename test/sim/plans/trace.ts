/** The trace of a script without faults: each opportunity that a fault would have, and the end. */
import type { FaultKind } from '../faults/catalogue.ts';
import type { EndState } from '../judges/end-state.ts';
import { run } from '../run.ts';
import type { Setting } from './job.ts';
import { optionsOf } from './job.ts';

export interface Opportunity {
  readonly kind: FaultKind;
  readonly at: number;
  /** What the call or message is; calls that change nothing begin with `?`. */
  readonly about: string;
}

export interface Trace {
  readonly script: string;
  readonly seed: number;
  readonly opportunities: readonly Opportunity[];
  readonly reference: EndState;
}

/** Throws when the script goes wrong although nothing strikes it. */
export async function traced(script: string, seed: number, setting: Setting): Promise<Trace> {
  const opportunities: Opportunity[] = [];
  const { violation, endState } = await run({
    ...optionsOf({ seed, script, faults: [] }, setting),
    trace: (kind, at, about) => void opportunities.push({ kind, at, about }),
  });
  if (violation) {
    throw new Error(`script ${script} fails: ${violation.invariant} ${violation.message}`);
  }
  return { script, seed, opportunities, reference: endState };
}
