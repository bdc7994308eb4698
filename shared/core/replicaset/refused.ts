/**
 * What a ReplicaSet remembers of pods that it may not make: of which generation that was found.
 * Until that changes it has no more pods than it is told to have, and whoever waits for it to
 * follow need not wait: it cannot, and a rollout that mends it must get past it.
 */
import type { ReplicaSet } from '../../api/kinds/workloads.ts';
import type { KubeObject } from '../../api/meta.ts';

interface Control {
  readonly refusedGeneration?: number;
}

/** Whether the pods that the set is short of were refused since it was last told how many. */
export function isRefused(set: ReplicaSet): boolean {
  const { refusedGeneration } = controlOf(set);
  return refusedGeneration !== undefined && refusedGeneration === set.metadata.generation;
}

/** The set as one of which that is known. */
export function withRefusal(set: ReplicaSet): ReplicaSet {
  const { generation } = set.metadata;
  if (isRefused(set) || generation === undefined) return set;
  const control: Control = { ...controlOf(set), refusedGeneration: generation };
  return { ...set, control } as ReplicaSet;
}

function controlOf(set: KubeObject): Control {
  return set.control ?? {};
}
