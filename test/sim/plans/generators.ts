/**
 * What makes jobs. The swarm lets seeds draw everything. The systematic generator strikes each
 * opportunity of a script's trace once, as Sieve (OSDI '22) does; the composite one lets something
 * that lasts begin at the same moment. Transitions set each field that people may set.
 */
import type { FaultKind, Incident } from '../faults/catalogue.ts';
import { SCRIPT_NAMES, transitionName } from '../workload/scripts.ts';
import { TRANSITIONS } from '../workload/transitions.ts';
import { TRAPS } from '../workload/traps.ts';
import type { Job, Setting } from './job.ts';
import { type Opportunity, type Trace, traced } from './trace.ts';

export const GENERATORS = ['swarm', 'systematic', 'composite', 'transitions'] as const;
export type Generator = (typeof GENERATORS)[number];

export interface Wanted {
  readonly generator: Generator;
  /** Seeds of the swarm; the first is that of plans. */
  readonly from: number;
  readonly seeds: number;
  /** So many plans, spread evenly over all there are; all, if undefined. */
  readonly plans: number | undefined;
  /** The script to strike; all, if undefined. Seeds strike what people do, if undefined. */
  readonly script: string | undefined;
  /** Strikes only calls and messages that are about this; all, if undefined. */
  readonly about?: string | undefined;
}

export async function jobsOf(wanted: Wanted, setting: Setting): Promise<readonly Job[]> {
  const { generator, from, seeds, plans, script, about = '' } = wanted;
  if (generator === 'swarm') {
    const of = script === undefined ? {} : { script };
    return Array.from({ length: seeds }, (_, i) => ({ seed: from + i, ...of }));
  }
  if (generator === 'transitions') {
    const all = TRANSITIONS.map((_, i) => ({ seed: from, script: transitionName(i), faults: [] }));
    return spread(all, plans);
  }
  const jobs: Job[] = [];
  for (const name of script === undefined ? SCRIPT_NAMES : [script]) {
    const all = await traced(name, from, setting);
    const opportunities = all.opportunities.filter((one) => one.about.includes(about));
    const trace = { ...all, opportunities };
    jobs.push(...(generator === 'systematic' ? systematic(trace) : composite(trace)));
  }
  return spread(jobs, plans);
}

function systematic({ script, seed, opportunities, reference }: Trace): readonly Job[] {
  return opportunities
    .filter((one) => isStruck(one))
    .map(({ kind, at }) => ({ seed, script, faults: [{ kind, at }], reference }));
}

/** With each of these begins something that lasts. */
const STRUCK_TOGETHER = new Set<FaultKind>(['crashAfter', 'lostAnswer', 'lostLaunch']);

const TOGETHER: readonly Incident[] = [
  'blackout',
  'partition',
  'recreate',
  'secondScheduler',
  'deploy',
];

/**
 * A trap is about one object in one state: what becomes of it when somebody deletes and makes it
 * anew at any moment is not what it comes to without.
 */
const TOGETHER_IN_TRAPS = TOGETHER.filter((incident) => incident !== 'recreate');

function composite({ script, seed, opportunities, reference }: Trace): readonly Job[] {
  const together = script in TRAPS ? TOGETHER_IN_TRAPS : TOGETHER;
  return opportunities
    .filter((one) => STRUCK_TOGETHER.has(one.kind) && isStruck(one))
    .flatMap(({ kind, at }) =>
      together.map((incident) => ({
        ...{ seed, script, reference },
        faults: [{ kind, at, with: incident }],
      })),
    );
}

/** Faults of calls, for those alone that change something. */
const OF_EFFECTS = new Set<FaultKind>([
  'crashBefore',
  'crashAfter',
  'lostAnswer',
  'lostLaunch',
  'zombie',
  'freeze',
]);

/** Faults of what is read, told and handed on. */
const OF_THE_REST = new Set<FaultKind>([
  'conflict',
  'staleIndex',
  'staleTasks',
  'streamLoss',
  'streamDelay',
  'healthLoss',
  'healthDelay',
  'healthDuplicate',
  'timerLoss',
  'queueTwin',
  'queueDelay',
  'scheduleTwin',
]);

/**
 * Creates that are not to come late: a person's, after he has given up on it and deleted it, is
 * there rightly.
 */
const NEVER_LATE = 'api store.create';

/** A death between two calls that change nothing is the death before the second. */
function isStruck({ kind, about }: Opportunity): boolean {
  if (OF_THE_REST.has(kind)) return true;
  if (!OF_EFFECTS.has(kind) || about.startsWith('?')) return false;
  return !(kind === 'zombie' && about.startsWith(NEVER_LATE));
}

/** So many of them, evenly. */
function spread<T>(all: readonly T[], count = all.length): readonly T[] {
  if (count >= all.length) return all;
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)] as T);
}
