/**
 * The scheduler's pass: reads a cell, decides (core/scheduling), and carries the plans out, each on
 * its own.
 *
 * Owns: what is read and in which order, and what a failure of one plan means for the others. A
 * pass is woken by changes that may help a waiting pod; it takes all pending pods, so that a burst
 * costs one pass (architecture D6).
 *
 * Invariants:
 *  R1 Ledgers are read before pods. Room that another pass entered after that makes our write of
 *     the ledger fail; room that it entered before is seen in the ledger, or on the pod if it has
 *     been bound since (S2).
 *  R2 A plan that fails takes nothing from the others: its pods stay pending, and the pass is tried
 *     again.
 *  R3 Claims are read before nodes: a machine that joins in between is seen as both, and counts
 *     once. Read the other way round it would be seen as neither, and launched again.
 */
import type { Change } from '../api/change.ts';
import type { Namespace } from '../api/kinds/core.ts';
import type { NodeClaim, NodePool } from '../api/kinds/karpenter.ts';
import type { Node, NodeAllocation } from '../api/kinds/node.ts';
import type { Pod } from '../api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../api/kinds/policy.ts';
import type { PodGroup } from '../api/kinds/scheduling.ts';
import type { KubeObject } from '../api/meta.ts';
import { faultOf } from '../api/well-formed.ts';
import { CLAIMS, POOLS } from '../core/capacity/claim/state.ts';
import { consolidate, type Consolidation } from '../core/capacity/consolidation/consolidate.ts';
import { maySpillBack } from '../core/capacity/spill-back/candidates.ts';
import { spillBack } from '../core/capacity/spill-back/spill-back.ts';
import { BUDGETS } from '../core/disruption/budgets.ts';
import type { MachineType } from '../core/capacity/machine-type.ts';
import type { Plan } from '../core/plan.ts';
import { MAX_BATCH } from '../core/pod/batch.ts';
import { POD_GROUPS } from '../core/podgroup/plan.ts';
import { inCell } from '../core/scheduling/cells.ts';
import { mayHelp } from '../core/scheduling/helps.ts';
import { LEDGERS } from '../core/scheduling/ledger.ts';
import { isPending } from '../core/scheduling/pending.ts';
import { recordedPass } from '../core/scheduling/recording.ts';
import { PLUGINS } from '../core/scheduling/registry.ts';
import { schedule, type SchedulingResult } from '../core/scheduling/schedule.ts';
import type { ClusterSnapshot } from '../core/scheduling/snapshot.ts';
import { type Sound, soundCell } from '../core/scheduling/sound.ts';
import type { Outcome, Reader } from './controller.ts';
import type { Effects } from './effects.ts';
import { execute } from './execute.ts';
import { inParallel } from './in-parallel.ts';
import { listAll, pagesOf } from './list-all.ts';
import { isSurprising, outcomeOf } from './outcome.ts';

const NO_TYPES: readonly MachineType[] = [];

/** So many of the objects that cannot be read are named. */
const MAX_NAMED = 10;

/** Plans carried out at a time; the actions of each are bounded by the executor. */
const CONCURRENT_PLANS = 64;

/** Whether the change may help a pod that waits for a place. */
export function wakesScheduler(change: Change): boolean {
  return mayHelp(change, PLUGINS);
}

export async function schedulePass(cell: string, effects: Effects): Promise<Outcome> {
  try {
    // Most wake-ups find that the pass before has placed everything, and no machine to let go.
    if (!(await hasWork(effects.store, effects.clock.nowMs()))) return { type: 'done' };
    const { unreadable, snapshot } = await readCell(effects.store, cell);
    if (unreadable.length > 0) reportUnreadable(unreadable, cell, effects);
    const batchSize = effects.runtime.runAlike ? MAX_BATCH : 1;
    const asked = snapshot.pools.length > 0 ? await effects.machineTypes?.() : undefined;
    const types = asked ?? NO_TYPES;
    const nowMs = effects.clock.nowMs();
    const memory = effects.passMemory?.(cell);
    const options = { batchSize, types, ...(memory ? { memory } : {}) };
    const result = schedule(snapshot, nowMs, options);
    if (result.plans.length > 0) effects.recordPass?.(recordedPass(snapshot, nowMs, result), types);
    // What has just been given a place would be asked about as if it had none.
    const spare = isSettled(result) ? spared(snapshot, types, nowMs) : { plans: [] };
    const outcome = worst(await carryOut([...result.plans, ...spare.plans], cell, effects));
    return outcome.type === 'done' ? next(result, spare, snapshot.claims) : outcome;
  } catch (thrown) {
    return report(thrown, cell, effects);
  }
}

function isSettled({ placements, preemptions, machines, unfinished }: SchedulingResult): boolean {
  return placements.length + preemptions.length + machines.length === 0 && !unfinished;
}

/** What is done when nothing presses: one thing a pass, as either counts on who is where. */
function spared(
  snapshot: Required<ClusterSnapshot>,
  types: readonly MachineType[],
  nowMs: number,
): Consolidation {
  const back = spillBack(snapshot, types, nowMs);
  if (back.plans.length > 0) return back;
  const spare = consolidate(snapshot, types, nowMs);
  const ms = Math.min(back.againAfterMs ?? Infinity, spare.againAfterMs ?? Infinity);
  return { plans: spare.plans, ...(ms < Infinity ? { againAfterMs: ms } : {}) };
}

/** A node that has just been given pods is looked at again for consolidation after so long. */
const LOOKS_AGAIN_MS = 10_000;

/** A pass that left off is taken up at once; one that waits for time alone, when it is due. */
function next(
  result: SchedulingResult,
  spare: Consolidation,
  claims: readonly NodeClaim[],
): Outcome {
  if (result.unfinished) return { type: 'after', ms: 0 };
  const mayConsolidate = claims.length > 0 && !isSettled(result);
  const times = [
    result.againAfterMs ?? Infinity,
    spare.againAfterMs ?? Infinity,
    mayConsolidate ? LOOKS_AGAIN_MS : Infinity,
  ];
  const ms = Math.min(...times);
  return ms === Infinity ? { type: 'done' } : { type: 'after', ms };
}

/** What a pass reads whole. */
export const CLUSTER_RESOURCES = [
  ...['nodes', 'namespaces', LEDGERS, 'pods'],
  ...[POOLS, CLAIMS, POD_GROUPS, BUDGETS],
];

/**
 * Whether a pod waits for a place or for a better one, or there are machines that might be let go,
 * in any cell: which one that is takes all there is to read. What comes later wakes another pass.
 */
async function hasWork(read: Reader, nowMs: number): Promise<boolean> {
  const claims = await read.list({ resource: CLAIMS, limit: 1 });
  if (claims.items.length > 0) return true;
  for await (const pods of pagesOf<Pod>(read, { resource: 'pods' })) {
    if (pods.some((pod) => isPending(pod) || maySpillBack(pod, nowMs))) return true;
  }
  return false;
}

/** The order matters: R1, R3. */
async function readCell(read: Reader, cell: string): Promise<Sound> {
  const all = <T>(resource: string): Promise<readonly T[]> =>
    listAll<T & KubeObject>(read, { resource });
  const claims = await all<NodeClaim>(CLAIMS);
  const [nodes, namespaces, pools, groups, budgets] = await Promise.all([
    all<Node>('nodes'),
    all<Namespace>('namespaces'),
    all<NodePool>(POOLS),
    all<PodGroup>(POD_GROUPS),
    all<PodDisruptionBudget>(BUDGETS),
  ]);
  const ledgers = await all<NodeAllocation>(LEDGERS);
  const pods = await all<Pod>('pods');
  const whole = { nodes, namespaces, pools, claims, groups, budgets, ledgers, pods };
  return soundCell(inCell(whole, cell));
}

/** One pass would tell of it as well as the next: people look for them by their names. */
function reportUnreadable(
  unreadable: readonly KubeObject[],
  cell: string,
  { recorder }: Effects,
): void {
  const named = unreadable.slice(0, MAX_NAMED).map((object) => {
    const { namespace = '', name } = object.metadata;
    const fault = faultOf(object);
    return `${object.kind} ${namespace}/${name}${fault === undefined ? '' : ` (${fault})`}`;
  });
  const fields = { cell, objects: named.join(', '), count: unreadable.length };
  recorder.log({ level: 'warn', message: 'what cannot be read takes no part in a pass', fields });
}

async function carryOut(
  plans: readonly Plan[],
  cell: string,
  effects: Effects,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  await inParallel(
    plans,
    CONCURRENT_PLANS,
    (plan) => execute(plan, effects),
    (thrown) => void outcomes.push(report(thrown, cell, effects)),
  );
  return outcomes;
}

/**
 * A plan worth trying again has the pass tried again; one that never will be must not hold up the
 * rest (B7).
 */
function worst(outcomes: readonly Outcome[]): Outcome {
  return outcomes.find(({ type }) => type === 'retry') ?? outcomes[0] ?? { type: 'done' };
}

function report(thrown: unknown, cell: string, { recorder }: Effects): Outcome {
  const outcome = outcomeOf(thrown);
  if ('error' in outcome) {
    const surprising = isSurprising(outcome.error);
    recorder.log({
      level: surprising ? 'error' : 'debug',
      message: 'scheduling failed',
      fields: {
        cell,
        outcome: outcome.type,
        error: String(outcome.error),
        ...(surprising ? { stack: outcome.error.stack } : {}),
      },
    });
  }
  return outcome;
}
