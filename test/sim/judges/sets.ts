/**
 * What holds of ReplicaSets: a template has one (S8), and what one says that it has followed, it
 * has (R3 of core/replicaset/plan.ts).
 */
import type { Deployment, ReplicaSet } from '../../../shared/api/kinds/workloads.ts';
import { controllerOf } from '../../../shared/api/meta.ts';
import type { Violation } from '../../../shared/core/invariants.ts';

/** Templates that were spoilt past the API, and sets that were lost with a table set back. */
const TOLERATED_SETS = 5;

/** A Deployment never made more sets than it ever had templates: each generation may bring one. */
export class MadeSets {
  readonly #made = new Map<string, number>();

  /** Judges a set that was just made, by the Deployments that there are. */
  check(set: ReplicaSet, deployments: readonly Deployment[]): readonly Violation[] {
    const owner = controllerOf(set)?.uid ?? '';
    const deployment = deployments.find(({ metadata }) => metadata.uid === owner);
    if (!deployment) return [];
    const made = (this.#made.get(owner) ?? 0) + 1;
    this.#made.set(owner, made);
    const { name, generation = 1 } = deployment.metadata;
    if (made <= generation + TOLERATED_SETS) return [];
    const message = `${name} of generation ${generation} has made ${made} ReplicaSets`;
    return [{ invariant: 'S8', message }];
  }
}

/** R3: a generation is observed with as many pods as it wants. */
export function checkFollowed(was: ReplicaSet, is: ReplicaSet): readonly Violation[] {
  const { metadata, spec, status } = is;
  const isNews = status.observedGeneration !== was.status.observedGeneration;
  const isPresent = status.observedGeneration === metadata.generation;
  if (!isNews || !isPresent || metadata.deletionTimestamp !== undefined) return [];
  // Where the number was spoilt, none are wanted.
  if (status.replicas === Math.max(0, spec.replicas ?? 1)) return [];
  const counts = `${status.replicas} pods, not ${spec.replicas}`;
  const message = `${metadata.name} has followed with ${counts}`;
  return [{ invariant: 'S7', message }];
}
