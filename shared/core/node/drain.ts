/**
 * Emptying a node: its machine is taken away (Spot), may be taken away, goes down, or somebody
 * deleted the node. Pure. ECS leaves standalone tasks alone when an instance drains, so that the
 * pods are evicted by us, and their owners replace them elsewhere at the same time.
 *
 * Invariants:
 *  X1 What presses (Spot, a shutdown) is an involuntary disruption: nothing holds it up but the off
 *     switch, and pods end before the machine does.
 *  X2 What does not press (a recommendation, a deletion) takes of each owner one pod at a time,
 *     leaves pods that ask to stay, and takes no pod before its disruption budget is written (S9).
 *  X3 A machine of ours ends only when no task of a pod can be alive on it, or nothing can be told
 *     to it any more; its node goes after it.
 */
import { INSTANCE_ID } from '../../api/instance.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../../api/kinds/policy.ts';
import { parseTime } from '../../api/time.ts';
import { deletion, withoutFinalizer } from '../deletion.ts';
import { BUDGETS } from '../disruption/budgets.ts';
import { mayDisrupt, refusalText } from '../disruption/may-disrupt.ts';
import { type Action, blocked, event, eventTarget, NOTHING, type Plan, update } from '../plan.ts';
import { mayHaveTask } from '../pod/attempt.ts';
import { isTerminal } from '../pod/predicates.ts';
import { isPending } from '../scheduling/pending.ts';
import {
  asksToStay,
  EVICTION_PAUSE_MS,
  evictionIsOff,
  EVICTIONS_PER_PASS,
  gentlyEvictable,
} from './evict.ts';
import { DISRUPTED } from './observe.ts';
import {
  isUnreachable,
  nodeControl,
  TERMINATION_FINALIZER,
  TERMINATION_TIME_ANNOTATION,
  withTaint,
} from './state.ts';

/** A stop is asked for, and its end reported, within this before the machine ends. */
const END_MARGIN_MS = 5_000;

/** What EC2 gives a machine that goes down before it cuts it off, when nobody said how long. */
const SHUTDOWN_MS = 30_000;

/** How often a drain that waits for pods is looked at: their ends do not wake their node. */
const DRAIN_RECHECK_MS = 15_000;

/** How often a machine is told again to end. */
const TERMINATION_RECHECK_MS = 60_000;

type Cause = 'spot' | 'shutdown' | 'rebalance' | 'deletion';

const REASONS = {
  spot: 'SpotInterrupted',
  shutdown: 'InstanceStopping',
  rebalance: 'SpotRebalanceRecommendation',
  deletion: 'Draining',
} as const;

/** Why the node is to be emptied; undefined when it is not. */
export function drainCause(node: Node): Cause | undefined {
  const kind = nodeControl(node).interruption?.kind;
  if (kind === 'spot' || kind === 'shutdown') return kind;
  if (node.metadata.deletionTimestamp !== undefined) return 'deletion';
  return kind === 'rebalance' ? kind : undefined;
}

/** The next step; undefined when nothing is left to be done about the pods of this node. */
export function planDrain(
  node: Node,
  pods: readonly Pod[],
  budgets: readonly PodDisruptionBudget[],
  nowMs: number,
): Plan | undefined {
  const cause = drainCause(node);
  if (!cause) return undefined;
  const cordoned = withTaint(node, DISRUPTED);
  if (cordoned !== node) return { ...NOTHING, stages: [[update('nodes', cordoned)]] };
  const isDeleted = node.metadata.deletionTimestamp !== undefined;
  // Nobody can tell its tasks to stop. Who deletes such a node wants its machine ended.
  if (isDeleted && isUnreachable(node)) return planEnd(node);
  const left = pods.filter(isHeld);
  if (left.length === 0) return planEmpty(node, cause, nowMs);
  if (evictionIsOff(node)) return blocked('eviction is switched off by annotation');
  if (isUrgent(cause)) return planUrgent(node, left, cause, nowMs);
  const overdue = planOverdue(node, left, cause, nowMs);
  return overdue ?? planGentle(node, left, budgets, cause, nowMs);
}

/** The machine goes whatever we do. */
function isUrgent(cause: Cause): boolean {
  return cause === 'spot' || cause === 'shutdown';
}

/** Whether the node is being emptied with regard to disruption budgets. */
export function drainsGently(node: Node): boolean {
  const cause = drainCause(node);
  return cause !== undefined && !isUrgent(cause);
}

/** The pod is on the node, or its task may be. */
function isHeld(pod: Pod): boolean {
  return !isPending(pod) && (!isTerminal(pod) || mayHaveTask(pod));
}

function planUrgent(node: Node, pods: readonly Pod[], cause: Cause, nowMs: number): Plan {
  const endsAtMs = endOf(node) - END_MARGIN_MS;
  return hurry(node, pods, { cause, endsAtMs, nowMs }) ?? waitFor(pods);
}

interface Hurry {
  readonly cause: Cause;
  /** When all have to have ended. */
  readonly endsAtMs: number;
  readonly nowMs: number;
}

/** Has those go that would stay for too long; undefined when none would. */
function hurry(node: Node, pods: readonly Pod[], given: Hurry): Plan | undefined {
  const { cause, endsAtMs, nowMs } = given;
  const due = pods.filter((pod) => leavesAtMs(pod) > endsAtMs).slice(0, EVICTIONS_PER_PASS);
  const marks = due.flatMap((pod) => {
    const gracePeriodSeconds = graceUntil(endsAtMs, pod, nowMs);
    return deletion('pods', pod, { gracePeriodSeconds }, nowMs) ?? [];
  });
  return marks.length > 0 ? planMarks(node, due, marks, cause) : undefined;
}

function endOf(node: Node): number {
  const { atMs = 0, endsAtMs } = nodeControl(node).interruption ?? {};
  return endsAtMs ?? atMs + SHUTDOWN_MS;
}

/** When the pod is to have ended; never, while nobody asked it to. */
function leavesAtMs({ metadata }: Pod): number {
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined) return Infinity;
  // One that has the shortest grace there is can't be hurried any more.
  return (deletionGracePeriodSeconds ?? 0) <= 1 ? 0 : (parseTime(deletionTimestamp) ?? 0);
}

/**
 * The pod's own grace, cut so that it ends in time; at least a second, since 0 means by force. A
 * grace counts from when the pod was first asked to leave.
 */
function graceUntil(endsAtMs: number, { metadata, spec }: Pod, nowMs: number): number {
  const { deletionTimestamp, deletionGracePeriodSeconds: asked } = metadata;
  const grace = asked ?? spec.terminationGracePeriodSeconds;
  const leavesMs = parseTime(deletionTimestamp);
  const fromMs = leavesMs === undefined ? nowMs : leavesMs - grace * 1000;
  return Math.max(1, Math.min(grace, Math.floor((endsAtMs - fromMs) / 1000)));
}

/** Whoever bounded the drain, bounded it for budgets and for pods that ask to stay too. */
function planOverdue(
  node: Node,
  pods: readonly Pod[],
  cause: Cause,
  nowMs: number,
): Plan | undefined {
  const endsAtMs = deadlineMs(node);
  const called = pods.filter((pod) => lastCallMs(pod, endsAtMs) <= nowMs);
  return hurry(node, called, { cause, endsAtMs, nowMs });
}

/** By when the node has to be empty; Infinity where nobody said. */
function deadlineMs({ metadata }: Node): number {
  return parseTime(metadata.annotations?.[TERMINATION_TIME_ANNOTATION]) ?? Infinity;
}

/** When the pod has to be asked at the latest, to have its own grace. */
function lastCallMs({ spec }: Pod, endsAtMs: number): number {
  return endsAtMs - spec.terminationGracePeriodSeconds * 1000;
}

/** When the next of them has to go; Infinity for never. */
function nextCallMs(node: Node, pods: readonly Pod[], nowMs: number): number {
  const waits = pods.map((pod) => lastCallMs(pod, deadlineMs(node)) - nowMs);
  return Math.min(Infinity, ...waits.filter((ms) => ms > 0));
}

/** Budgets first: of two drains that count on the same disruption, one fails and looks again. */
function planGentle(
  node: Node,
  pods: readonly Pod[],
  budgets: readonly PodDisruptionBudget[],
  cause: Cause,
  nowMs: number,
): Plan {
  const candidates = gentlyEvictable(pods).slice(0, EVICTIONS_PER_PASS);
  const { allowed, refused, spent } = mayDisrupt(candidates, budgets, nowMs);
  const marks = allowed.flatMap((pod) => deletion('pods', pod, {}, nowMs) ?? []);
  const waits = sooner(waitFor(pods), nextCallMs(node, pods, nowMs));
  const plan = marks.length > 0 ? planMarks(node, allowed, marks, cause) : waits;
  const staying = pods.filter(asksToStay).length;
  const blocked = [
    ...refused.map(refusalText),
    ...(staying > 0 ? [`${staying} pods ask not to be disrupted`] : []),
  ];
  if (spent.length === 0) return { ...plan, blocked };
  const grants = spent.map((budget) => update(BUDGETS, budget));
  return { ...plan, stages: [grants, ...plan.stages], blocked };
}

/**
 * Pods that stay, stay until somebody changes that: a budget that allows more wakes the node, and
 * the sweep looks.
 */
function waitFor(pods: readonly Pod[]): Plan {
  const isLeaving = pods.some(({ metadata }) => metadata.deletionTimestamp !== undefined);
  return isLeaving ? { ...NOTHING, againAfterMs: DRAIN_RECHECK_MS } : NOTHING;
}

function sooner(plan: Plan, afterMs: number): Plan {
  const againAfterMs = Math.min(plan.againAfterMs ?? Infinity, afterMs);
  return againAfterMs === Infinity ? plan : { ...plan, againAfterMs };
}

function planMarks(node: Node, pods: readonly Pod[], marks: readonly Action[], cause: Cause): Plan {
  const type = isUrgent(cause) ? 'Warning' : 'Normal';
  const { name } = node.metadata;
  const about = [
    event(eventTarget('nodes', node), type, REASONS[cause], `Draining node ${name}`),
    ...pods.map((pod) => {
      const why = `Evicted from node ${name}: ${REASONS[cause]}`;
      return event(eventTarget('pods', pod), 'Normal', 'Evicted', why);
    }),
  ];
  return { ...NOTHING, stages: [marks, about], againAfterMs: EVICTION_PAUSE_MS };
}

/** Nobody is left: a machine of ours is ended, others are their owners' business. */
function planEmpty(node: Node, cause: Cause, nowMs: number): Plan | undefined {
  if (node.metadata.deletionTimestamp !== undefined) return planEnd(node);
  if (cause !== 'rebalance' || !isManaged(node)) return undefined;
  const mark = deletion('nodes', node, {}, nowMs);
  return mark && { ...NOTHING, stages: [[mark]] };
}

/** The node goes once its machine is said to have ended: then it is gone, and its pods with it. */
function planEnd(node: Node): Plan | undefined {
  if (!isManaged(node)) return undefined;
  const { name } = node.metadata;
  const end: Action = { kind: 'terminateInstance', instanceId: name };
  const about = eventTarget('nodes', node);
  const news = event(about, 'Normal', 'Terminating', `Ending instance ${name}`);
  const stages = [[end], [news]];
  return { ...NOTHING, stages, againAfterMs: TERMINATION_RECHECK_MS };
}

function isManaged({ metadata }: Node): boolean {
  const isOurs = metadata.finalizers?.includes(TERMINATION_FINALIZER) ?? false;
  return isOurs && INSTANCE_ID.test(metadata.name);
}

/** The node without our hold on it: its machine has ended. */
export function withoutTermination(node: Node): Node {
  return withoutFinalizer(node, TERMINATION_FINALIZER);
}
