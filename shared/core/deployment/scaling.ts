/**
 * Proportional scaling: a Deployment that is resized in the middle of a rollout grows or shrinks
 * all its ReplicaSets alike, so that a bad new version gets no larger share than it had.
 */
import type { DeploymentSpec, ReplicaSet } from '../../api/kinds/workloads.ts';
import { sum } from '../counts.ts';
import { limitsOf } from './limits.ts';
import { DESIRED_REPLICAS, type Fleet, MAX_REPLICAS, numberIn } from './revisions.ts';
import type { Sized } from './rolling.ts';

/** Whether sizes were last decided for another number of replicas. */
export function isResized(spec: DeploymentSpec, fleet: Fleet): boolean {
  return activeOf(fleet).some(({ metadata }) => {
    const desired = numberIn(metadata.annotations, DESIRED_REPLICAS);
    return desired !== undefined && desired !== spec.replicas;
  });
}

/**
 * The sizes of the sets that change with the Deployment's; those that are left out stay as they
 * are.
 */
export function scaledSizes(spec: DeploymentSpec, fleet: Fleet): readonly Sized[] {
  const { current, old } = fleet;
  const active = activeOf(fleet);
  if (active.length <= 1) {
    const only = active[0] ?? current ?? old.at(-1);
    return only ? [{ set: only, size: spec.replicas }] : [];
  }
  if (isSaturated(spec, current)) {
    return active.filter((set) => set !== current).map((set) => ({ set, size: 0 }));
  }
  return spec.strategy.type === 'RollingUpdate' ? proportional(spec, active) : [];
}

function activeOf({ current, old }: Fleet): readonly ReplicaSet[] {
  return [...old, ...(current ? [current] : [])].filter((set) => set.spec.replicas > 0);
}

/** The rollout is over but for old pods that were left. */
function isSaturated({ replicas }: DeploymentSpec, current: ReplicaSet | undefined): boolean {
  return (
    current?.spec.replicas === replicas &&
    current.status.availableReplicas === replicas &&
    numberIn(current.metadata.annotations, DESIRED_REPLICAS) === replicas
  );
}

/** Each set gets its share of what is added or taken; the largest one gets what rounding leaves. */
function proportional(spec: DeploymentSpec, active: readonly ReplicaSet[]): readonly Sized[] {
  const allowed = spec.replicas > 0 ? spec.replicas + limitsOf(spec).maxSurge : 0;
  const change = allowed - sum(active.map((set) => set.spec.replicas));
  // Newer sets come first when growing, older ones when shrinking: the new version is the one that
  // is wanted.
  const newerFirst = change > 0 ? [...active].reverse() : active;
  const sets = [...newerFirst].sort((a, b) => b.spec.replicas - a.spec.replicas);
  let left = change;
  const sizes = sets.map((set) => {
    const share = shareOf(set, spec.replicas, allowed);
    const added = change > 0 ? clamp(share, 0, left) : clamp(share, left, 0);
    left -= added;
    return { set, size: set.spec.replicas + added };
  });
  return sizes.map(({ set, size }, i) => ({
    set,
    size: Math.max(0, i === 0 ? size + left : size),
  }));
}

/** What the set's present share of the allowed pods comes to, less what it has. */
function shareOf({ metadata, spec }: ReplicaSet, replicas: number, allowed: number): number {
  if (replicas === 0) return -spec.replicas;
  const allowedBefore = numberIn(metadata.annotations, MAX_REPLICAS) || replicas;
  return Math.round((spec.replicas * allowed) / allowedBefore) - spec.replicas;
}

function clamp(n: number, least: number, most: number): number {
  return Math.min(Math.max(n, least), most);
}
