/**
 * ReplicaSet: keeps a number of pods of one template. Owns which pods are made and which go; does
 * not own how a pod lives (core/pod) or where (core/scheduling).
 *
 * Invariants:
 *  R1 Pods to make are named by slot and incarnation (slots.ts), so that no repeat makes one twice
 *     (S8).
 *  R2 A plan makes pods or deletes surplus ones, never both.
 *  R3 `observedGeneration` reaches a generation only once the pods that exist are as many as it
 *     wants.
 */
import { sameJson } from '../../api/hash.ts';
import type { Namespace } from '../../api/kinds/core.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { ReplicaSet } from '../../api/kinds/workloads.ts';
import { controllerOf } from '../../api/meta.ts';
import { matchesSelector } from '../../api/selectors.ts';
import { deletion } from '../deletion.ts';
import { claim } from '../ownership.ts';
import { type Action, create, event, eventTarget, type Plan, update } from '../plan.ts';
import { type ClassFacts, withPriority } from '../priority/resolve.ts';
import { factsOf } from './facts.ts';
import { withRefusal } from './refused.ts';
import { podsForFreeSlots } from './slots.ts';
import { type Failure, statusOf } from './status.ts';
import { surplusOf } from './surplus.ts';

export const REPLICA_SETS = 'replicasets.apps';

export interface ReplicaSetSnapshot {
  readonly set: ReplicaSet;
  /** The pods that the set controls, and those of its namespace that nothing controls. */
  readonly pods: readonly Pod[];
  readonly namespace: Namespace | undefined;
  /** The priority classes that may count for new pods; read only when there are to be some. */
  readonly classes?: readonly ClassFacts[];
}

/**
 * Pods made or deleted in one plan: the rest follows in the next, so that other sets have their
 * turn.
 */
export const MAX_PODS_PER_PLAN = 500;
/** The changes of pods wake the set anyway; this is for when those wakes are lost. */
const NEXT_BATCH_AFTER_MS = 50;
/** Events cost writes: beyond so many, one speaks for all. */
const MAX_EVENTS_PER_PLAN = 5;

export function planReplicaSet(snapshot: ReplicaSetSnapshot, nowMs: number): Plan {
  const { set } = snapshot;
  const claims = claim('pods', set, set.spec.selector, snapshot.pods, isActive);
  // Whom the pods belong to comes first: the counts of this look are void once that changes.
  if (claims.changes.length > 0) return { stages: [claims.changes], blocked: [] };
  const failure = failureOf(snapshot);
  const work = failure ? NO_WORK : workOf(snapshot, claims.owned, nowMs);
  const settled = !failure && work.actions.length === 0;
  const { status, nextAvailableInMs } = statusOf(set, claims.owned, { settled, failure }, nowMs);
  const next = { ...(failure ? withRefusal(set) : set), status } as ReplicaSet;
  const statusChanges = sameJson(next, set) ? [] : [update(REPLICA_SETS, next)];
  const againAfterMs = work.left > 0 ? NEXT_BATCH_AFTER_MS : nextAvailableInMs;
  return {
    stages: [work.actions, [...work.events, ...statusChanges]].filter((stage) => stage.length > 0),
    blocked: failure ? [failure.message] : [],
    ...(againAfterMs === undefined ? {} : { againAfterMs }),
  };
}

/** Whether the set has to make pods. */
export function needsPods(set: ReplicaSet, pods: readonly Pod[]): boolean {
  if (set.metadata.deletionTimestamp !== undefined) return false;
  const { uid } = set.metadata;
  const own = pods.filter((pod) => isActive(pod) && controllerOf(pod)?.uid === uid);
  return own.length < set.spec.replicas;
}

/** Why pods that are missing can't be made. */
function failureOf(snapshot: ReplicaSetSnapshot): Failure | undefined {
  const { set, pods } = snapshot;
  if (!needsPods(set, pods)) return undefined;
  const why = refusalOf(snapshot);
  if (why === undefined) return undefined;
  const message = `pods "${set.metadata.name}-" is forbidden: ${why}`;
  return { reason: 'FailedCreate', message };
}

/**
 * Pods are not made where they could not stay, nor of a class that there is not, nor by a set that
 * was spoilt and would let go of them at once, to make them again.
 */
function refusalOf({ set, namespace, classes = [] }: ReplicaSetSnapshot): string | undefined {
  if (namespace?.status.phase === 'Terminating') {
    const home = set.metadata.namespace;
    return `unable to create new content in namespace ${home} because it is being terminated`;
  }
  const { selector, template } = set.spec;
  if (template && !matchesSelector(selector, template.metadata.labels)) return UNSELECTED;
  const spec = template && withPriority(template.spec, classes);
  return typeof spec === 'string' ? spec : undefined;
}

const UNSELECTED = 'the selector of the set does not select what its template makes';

interface Work {
  readonly actions: readonly Action[];
  readonly events: readonly Action[];
  /** Pods that are left for the next plan. */
  readonly left: number;
}

const NO_WORK: Work = { actions: [], events: [], left: 0 };

function workOf(snapshot: ReplicaSetSnapshot, pods: readonly Pod[], nowMs: number): Work {
  const { set } = snapshot;
  if (set.metadata.deletionTimestamp !== undefined) return NO_WORK;
  const active = pods.filter(isActive);
  const missing = set.spec.replicas - active.length;
  const cleared = terminalOf(pods).slice(0, MAX_PODS_PER_PLAN);
  const cleanUp = deletionsOf(cleared, nowMs);
  const work =
    missing > 0 ? creations(snapshot, pods, missing) : deletions(set, active, -missing, nowMs);
  return { ...work, actions: [...work.actions, ...cleanUp] };
}

function creations(
  { set, classes = [] }: ReplicaSetSnapshot,
  pods: readonly Pod[],
  missing: number,
): Work {
  const { template } = set.spec;
  const spec = template && withPriority(template.spec, classes);
  if (!template || !spec || typeof spec === 'string') return NO_WORK;
  const count = Math.min(missing, MAX_PODS_PER_PLAN);
  const made = podsForFreeSlots(set, { ...template, spec }, pods, count);
  return {
    actions: made.map((pod) => create('pods', pod)),
    events: eventsOf(set, 'SuccessfulCreate', 'Created pod', made),
    left: missing - count,
  };
}

function deletions(set: ReplicaSet, active: readonly Pod[], tooMany: number, nowMs: number): Work {
  const count = Math.min(tooMany, MAX_PODS_PER_PLAN);
  const surplus = surplusOf(active, count);
  return {
    actions: deletionsOf(surplus, nowMs),
    events: eventsOf(set, 'SuccessfulDelete', 'Deleted pod', surplus),
    left: tooMany - count,
  };
}

function isActive(pod: Pod): boolean {
  return factsOf(pod).isActive;
}

/**
 * Pods that have failed are replaced like missing ones, and removed: Kubernetes leaves thousands of
 * them to a cleaner of its own, which would be a leak here (L2).
 */
function terminalOf(pods: readonly Pod[]): readonly Pod[] {
  return pods.filter((pod) => factsOf(pod).isLeftOver);
}

function deletionsOf(pods: readonly Pod[], nowMs: number): readonly Action[] {
  return pods.flatMap((pod) => deletion('pods', pod, {}, nowMs) ?? []);
}

function eventsOf(
  set: ReplicaSet,
  reason: string,
  verb: string,
  pods: readonly Pod[],
): readonly Action[] {
  const about = eventTarget(REPLICA_SETS, set);
  const messages = pods.map((pod) => `${verb}: ${pod.metadata.name}`);
  if (messages.length > MAX_EVENTS_PER_PLAN) {
    const others = messages.splice(MAX_EVENTS_PER_PLAN - 1);
    messages.push(`(combined from ${others.length} similar events): ${others.at(-1)}`);
  }
  return messages.map((message) => event(about, 'Normal', reason, message));
}
