/**
 * The sizes of a Deployment's ReplicaSets while a template replaces another. Numbers in, numbers
 * out.
 *
 * Invariants (S9), for as long as nobody but us changes the number of pods:
 *  U1 No more than replicas + maxSurge pods exist. A set that is to shrink counts with the pods it
 *     still has, and none grows while one has not answered its last change of size: its status is
 *     not to be relied on then. One whose pods are refused has answered: it has no more than it
 *     was told to have.
 *  U2 A pod that is available goes only while more than replicas - maxUnavailable are. A set that
 *     is to shrink counts only with the pods it is to keep.
 */
import type { DeploymentSpec, ReplicaSet } from '../../api/kinds/workloads.ts';
import { sum } from '../counts.ts';
import { isRefused } from '../replicaset/refused.ts';
import { limitsOf } from './limits.ts';
import type { Fleet } from './revisions.ts';

/** A ReplicaSet and the size it is to have. */
export interface Sized {
  readonly set: ReplicaSet;
  readonly size: number;
}

/** One step of a rolling update: as many new pods as may be added, as many old ones as may go. */
export function rollingSizes(spec: DeploymentSpec, { current, old }: Fleet): readonly Sized[] {
  const grown = current ? [{ set: current, size: grownSize(spec, current, old) }] : [];
  return [...grown, ...shrunk(spec, current, old)];
}

/** All old pods go first. The new ones come once none is left, not even one that is terminating. */
export function recreateSizes(spec: DeploymentSpec, { current, old }: Fleet): readonly Sized[] {
  const emptied = old.map((set) => ({ set, size: 0 }));
  if (!current) return emptied;
  return [
    { set: current, size: old.every(isEmpty) ? spec.replicas : current.spec.replicas },
    ...emptied,
  ];
}

/** Whether the set has been told to have no pods, has taken notice, and has none. */
export function isEmpty(set: ReplicaSet): boolean {
  const { replicas, terminatingReplicas = 0 } = set.status;
  return set.spec.replicas === 0 && hasFollowed(set) && replicas + terminatingReplicas === 0;
}

/**
 * Whether the set has as many pods as it was last told to have: until then nobody knows how many.
 */
function hasFollowed({ metadata, status }: ReplicaSet): boolean {
  const isDraft = metadata.uid === '';
  return isDraft || (status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
}

function isBounded(set: ReplicaSet): boolean {
  return hasFollowed(set) || isRefused(set);
}

function grownSize(spec: DeploymentSpec, current: ReplicaSet, old: readonly ReplicaSet[]): number {
  const size = current.spec.replicas;
  const missing = spec.replicas - size;
  if (missing <= 0) return spec.replicas;
  const sets = [current, ...old];
  if (!sets.every(isBounded)) return size;
  const { maxSurge } = limitsOf(spec);
  const room = spec.replicas + maxSurge - sum(sets.map(podsOf));
  return size + Math.max(0, Math.min(missing, room));
}

function shrunk(
  spec: DeploymentSpec,
  current: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): readonly Sized[] {
  const minAvailable = spec.replicas - limitsOf(spec).maxUnavailable;
  const newAvailable = current ? availableOf(current) : 0;
  // New pods that are not available yet are no reason to let old ones go.
  const spare = sum(old.map((set) => set.spec.replicas)) + newAvailable - minAvailable;
  // Old pods that do not serve go first: without them a broken version could hold up the one that
  // mends it.
  const cleaned = take(
    old.map((set) => ({ set, size: set.spec.replicas })),
    Math.max(0, spare),
    ({ set, size }) => size - availableOf(set),
  );
  const tooManyAvailable = sum(old.map(availableOf)) + newAvailable - minAvailable;
  return take(cleaned, Math.max(0, tooManyAvailable), ({ size }) => size);
}

/** Takes up to `budget` pods from the sets in turn, from each no more than it offers. */
function take(
  sets: readonly Sized[],
  budget: number,
  offer: (sized: Sized) => number,
): readonly Sized[] {
  let left = budget;
  return sets.map((sized) => {
    const taken = Math.min(left, offer(sized));
    left -= taken;
    return { set: sized.set, size: sized.size - taken };
  });
}

/** The most pods that the set may have now: it may not have let go yet of those it is to lose. */
function podsOf({ spec, status }: ReplicaSet): number {
  return Math.max(spec.replicas, status.replicas);
}

/** The pods that serve and stay. */
function availableOf({ spec, status }: ReplicaSet): number {
  return Math.min(spec.replicas, status.availableReplicas ?? 0);
}
