/**
 * The life of a node: lost from sight, tainted, its pods evicted; back again; gone for good. Pure.
 * What is heard of nodes is folded in by observe.ts; when pods have to leave is evict.ts, and nodes
 * that are emptied are drain.ts. Cordoned nodes keep their pods: nothing here looks at
 * `unschedulable`.
 *
 * Invariants:
 *  N1 A pod on a node out of sight is marked for deletion and no more: its object stays until its
 *     task is known to have ended, or the node is gone (S1, S5).
 *  N2 Nothing is evicted because nothing is known: neither when most nodes are out of sight, nor
 *     when there is no node at all.
 */
import { findCondition, withCondition } from '../../api/conditions.ts';
import type { Node, NodeAllocation, NodeCondition } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../../api/kinds/policy.ts';
import { rfc3339 } from '../../api/time.ts';
import { deletion } from '../deletion.ts';
import {
  type Action,
  blocked,
  event,
  eventTarget,
  NOTHING,
  type Plan,
  sequence,
  update,
} from '../plan.ts';
import { mayHaveTask, stopOf } from '../pod/attempt.ts';
import { isTerminal, podIsActive, podIsReady } from '../pod/predicates.ts';
import { conditionsOf } from '../pod/phase.ts';
import { restored } from '../scheduling/ledger.ts';
import { isPending } from '../scheduling/pending.ts';
import { drainCause, planDrain, withoutTermination } from './drain.ts';
import {
  EVICTION_PAUSE_MS,
  evictionIsOff,
  EVICTIONS_PER_PASS,
  evictionTimeMs,
  UNREACHABLE_SHARE_LIMIT,
} from './evict.ts';
import { withoutUnreachableTaints, withUnreachableTaints } from './observe.ts';
import { planShortage } from './shortage.ts';
import {
  isGone,
  isTaintedUnreachable,
  isUnreachable,
  nodeControl,
  noExecuteTaints,
} from './state.ts';

export interface NodeSnapshot {
  readonly name: string;
  /** Undefined when there are pods on a node that does not exist. */
  readonly node?: Node;
  /** The node has no ledger, and is none that goes without. */
  readonly lacksLedger?: boolean;
  /** The ledger that it has, where that can't be read: it lacks one all the same. */
  readonly spoiltLedger?: NodeAllocation;
  /** The pods bound to it; read only when they matter (`podsMatter`), or it lacks a ledger. */
  readonly pods: readonly Pod[];
  /** The disruption budgets of those pods' namespaces; read only for a gentle drain. */
  readonly budgets?: readonly PodDisruptionBudget[];
  /** All nodes; counted only when the node is out of sight. */
  readonly cluster: { readonly nodes: number; readonly unreachable: number };
}

/** Agents reconnect within seconds; a minute of silence is more than that. */
export const NODE_GRACE_MS = 60_000;

/** How often the limit on unreachable nodes is looked at again while it holds. */
const LIMIT_RECHECK_MS = 300_000;

export function podsMatter(node: Node | undefined): boolean {
  if (!node || isGone(node)) return true;
  const leaves = noExecuteTaints(node).length > 0 || drainCause(node) !== undefined;
  return leaves || isUnreachable(node);
}

export function planNode(snapshot: NodeSnapshot, nowMs: number): Plan {
  const { node, pods, budgets = [] } = snapshot;
  if (!node || isGone(node)) return planGone(snapshot, nowMs);
  const ledger = snapshot.lacksLedger ? planLedger(node, snapshot) : NOTHING;
  const drain = planDrain(node, pods, budgets, nowMs) ?? NOTHING;
  if (drain.stages.length > 0) return sequence(ledger, drain);
  // The connection may be lost, or come back, while a drain waits.
  const connection = planConnection(node, snapshot, nowMs);
  return sequence(ledger, drain, connection, planShortage(node, nowMs));
}

function planLedger(node: Node, { pods, spoiltLedger }: NodeSnapshot): Plan {
  const ledger = restored(node, pods, spoiltLedger);
  return ledger ? { ...NOTHING, stages: [[ledger]] } : NOTHING;
}

function planConnection(node: Node, snapshot: NodeSnapshot, nowMs: number): Plan {
  const { status, sinceMs = nowMs } = nodeControl(node);
  if (status === 'disconnected') {
    const graceLeftMs = sinceMs + NODE_GRACE_MS - nowMs;
    if (isUnreachable(node)) return planUnreachable(node, snapshot, nowMs);
    if (graceLeftMs <= 0) return planLoss(node, nowMs);
    return sequence(planTaints(node, snapshot, nowMs), { ...NOTHING, againAfterMs: graceLeftMs });
  }
  const isBack = status === 'connected' && !isHealthy(node);
  return isBack ? planReturn(node, snapshot, nowMs) : planTaints(node, snapshot, nowMs);
}

function isHealthy(node: Node): boolean {
  const ready = findCondition(node.status.conditions, 'Ready');
  return ready?.status === 'True' && !isTaintedUnreachable(node);
}

function planLoss(node: Node, nowMs: number): Plan {
  const lost = withReady(withUnreachableTaints(node, nowMs), nowMs, {
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
  });
  return { ...NOTHING, stages: [[update('nodes', lost)], [nodeEvent(node, 'NodeNotReady')]] };
}

/**
 * Pods first: were the node written first and the rest lost, nobody would look after them again.
 */
function planReturn(node: Node, { pods }: NodeSnapshot, nowMs: number): Plan {
  const ready = pods.filter(podIsActive).flatMap((pod) => rejoined(pod, nowMs));
  const back = withReady(withoutUnreachableTaints(node), nowMs, {
    status: 'True',
    reason: 'KubeletReady',
    message: 'kubelet is posting ready status',
  });
  const stages = [[update('nodes', back)], [nodeEvent(node, 'NodeReady')]];
  return { ...NOTHING, stages: ready.length > 0 ? [ready, ...stages] : stages };
}

function withReady(node: Node, nowMs: number, given: Omit<NodeCondition, 'type'>): Node {
  const conditions = withCondition(node.status.conditions, { type: 'Ready', ...given }, nowMs);
  return { ...node, status: { ...node.status, conditions } };
}

function nodeEvent(node: Node, reason: 'NodeReady' | 'NodeNotReady'): Action {
  const message = `Node ${node.metadata.name} status is now: ${reason}`;
  return event(eventTarget('nodes', node), 'Normal', reason, message);
}

/** Out of sight: its pods take no traffic, and leave when they put up with it no longer. */
function planUnreachable(node: Node, snapshot: NodeSnapshot, nowMs: number): Plan {
  const unready = snapshot.pods.flatMap((pod) => separated(pod, nowMs));
  const marks: Plan = unready.length > 0 ? { ...NOTHING, stages: [unready] } : NOTHING;
  const { nodes, unreachable } = snapshot.cluster;
  if (unreachable > nodes * UNREACHABLE_SHARE_LIMIT) {
    const reason = `${unreachable} of ${nodes} nodes are unreachable: nothing is evicted for it`;
    return sequence(marks, { ...blocked(reason), againAfterMs: LIMIT_RECHECK_MS });
  }
  // One write a pod and pass: pods that were just marked unready are evicted in the next.
  if (unready.length > 0) return { ...marks, againAfterMs: EVICTION_PAUSE_MS };
  return planTaints(node, snapshot, nowMs);
}

function separated(pod: Pod, nowMs: number): readonly Action[] {
  if (!podIsReady(pod)) return [];
  const reason = 'NodeNotReady';
  const unready = { type: 'Ready', status: 'False', reason, message: 'Node is not ready' } as const;
  const conditions = withCondition(pod.status.conditions, unready, nowMs);
  return [update('pods', withConditions(pod, conditions))];
}

/** What the containers say counts again. */
function rejoined(pod: Pod, nowMs: number): readonly Action[] {
  const ready = findCondition(pod.status.conditions, 'Ready');
  if (ready?.reason !== 'NodeNotReady') return [];
  return [update('pods', withConditions(pod, conditionsOf(pod, nowMs)))];
}

function withConditions(pod: Pod, conditions: Pod['status']['conditions'] & object): Pod {
  return { ...pod, status: { ...pod.status, conditions } };
}

/** Evicts the pods that put up with the node's NoExecute taints no longer. */
function planTaints(node: Node, { pods }: NodeSnapshot, nowMs: number): Plan {
  const taints = noExecuteTaints(node);
  if (taints.length === 0) return NOTHING;
  if (evictionIsOff(node)) return blocked('eviction is switched off by annotation');
  const unstamped = taints.filter(({ timeAdded }) => timeAdded === undefined);
  if (unstamped.length > 0) return planStamp(node, nowMs);
  const staying = pods.filter(podIsActive);
  const times = staying.map((pod) => ({ pod, atMs: evictionTimeMs(pod, taints, nowMs) }));
  const due = times.filter(({ atMs }) => atMs <= nowMs).map(({ pod }) => pod);
  if (due.length > 0) return planEvictions(due, nowMs);
  const nextMs = Math.min(Infinity, ...times.map(({ atMs }) => atMs));
  return nextMs === Infinity ? NOTHING : { ...NOTHING, againAfterMs: nextMs - nowMs };
}

/** Tolerations count from when a taint came; a person who adds one does not say when. */
function planStamp(node: Node, nowMs: number): Plan {
  const taints = node.spec.taints?.map((taint) =>
    taint.effect === 'NoExecute' && taint.timeAdded === undefined
      ? { ...taint, timeAdded: rfc3339(nowMs) }
      : taint,
  );
  const stamped = { ...node, spec: { ...node.spec, ...(taints ? { taints } : {}) } };
  return { ...NOTHING, stages: [[update('nodes', stamped)]] };
}

function planEvictions(due: readonly Pod[], nowMs: number): Plan {
  const now = due.slice(0, EVICTIONS_PER_PASS);
  const marks = now.flatMap((pod) => deletion('pods', pod, {}, nowMs) ?? []);
  const events = now.map((pod) => {
    const { namespace = '', name } = pod.metadata;
    const message = `Marking for deletion Pod ${namespace}/${name}`;
    return event(eventTarget('pods', pod), 'Normal', 'TaintManagerEviction', message);
  });
  return { ...NOTHING, stages: [marks, events], againAfterMs: EVICTION_PAUSE_MS };
}

/**
 * The machine is gone, and its tasks with it: their pods go, so that their owners replace them, and
 * then the node. Where only the object was deleted, the machine may live: the tasks are told to
 * stop, and their pods go when they have (D1). A pod that only asked for the node never was on it:
 * it waits, and the scheduler says why.
 */
function planGone({ node, pods, cluster }: NodeSnapshot, nowMs: number): Plan {
  const isMeant = node?.metadata.deletionTimestamp !== undefined;
  if (cluster.nodes === 0 && !isMeant) {
    return blocked('no node is known: nothing is evicted for it');
  }
  if (node && evictionIsOff(node)) return blocked('eviction is switched off by annotation');
  const nodeLost = node !== undefined;
  const left = pods.filter((pod) => {
    if (isPending(pod) || (isDeleted(pod) && !nodeLost)) return false;
    return !isTerminal(pod) || mayHaveTask(pod) || isDeleted(pod);
  });
  const now = left.slice(0, EVICTIONS_PER_PASS);
  const gone = now.flatMap((pod) => deletion('pods', pod, { nodeLost }, nowMs) ?? []);
  if (gone.length > 0) {
    const stages = node ? [gone] : [now.flatMap(stop), gone];
    const plan = { ...NOTHING, stages: stages.filter((stage) => stage.length > 0) };
    return left.length > now.length || node ? { ...plan, againAfterMs: EVICTION_PAUSE_MS } : plan;
  }
  const removal = node && deletion('nodes', withoutTermination(node), {}, nowMs);
  return removal ? { ...NOTHING, stages: [[removal]] } : NOTHING;
}

function isDeleted(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

function stop(pod: Pod): readonly Action[] {
  return mayHaveTask(pod) ? [stopOf(pod, pod.spec.terminationGracePeriodSeconds)] : [];
}
