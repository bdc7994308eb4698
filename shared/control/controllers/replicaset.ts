/** The ReplicaSet controller: woken by ReplicaSets and by what counts of their pods. */
import { type Change, keyOf } from '../../api/change.ts';
import { sameJson } from '../../api/hash.ts';
import type { Namespace } from '../../api/kinds/core.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { ReplicaSet } from '../../api/kinds/workloads.ts';
import type { AnyObject, ObjectKey } from '../../api/meta.ts';
import { factsOf } from '../../core/replicaset/facts.ts';
import {
  planReplicaSet,
  REPLICA_SETS,
  type ReplicaSetSnapshot,
} from '../../core/replicaset/plan.ts';
import type { Controller, Reader } from '../controller.ts';
import { adoptersOf, claimable, controllersOf } from './reads.ts';

export const replicaSetController: Controller<ReplicaSetSnapshot> = {
  name: 'replicaset',
  resource: REPLICA_SETS,
  wakes,
  snapshot,
  plan: planReplicaSet,
};

async function wakes(change: Change, read: Reader): Promise<readonly ObjectKey[]> {
  if (change.resource === REPLICA_SETS) {
    return change.type === 'put' ? [keyOf(REPLICA_SETS, change.object)] : [];
  }
  if (change.resource !== 'pods' || !counts(change)) return [];
  const owners = controllersOf(change, REPLICA_SETS, 'ReplicaSet');
  return [...owners, ...(await adoptersOf(change, REPLICA_SETS, read))];
}

/**
 * Whether anything changed that a ReplicaSet looks at: most writes of a pod are none of its
 * business.
 */
function counts({ type, object, previous }: Change): boolean {
  if (type === 'delete' || !previous) return true;
  return !sameJson(countedOf(object), countedOf(previous));
}

function countedOf(object: AnyObject): unknown {
  const { labels, ownerReferences } = object.metadata;
  return { labels, ownerReferences, ...factsOf(object as unknown as Pod) };
}

async function snapshot(key: ObjectKey, read: Reader): Promise<ReplicaSetSnapshot | undefined> {
  const set = await read.get<ReplicaSet>(key);
  if (!set) return undefined;
  const home = { resource: 'namespaces', namespace: '', name: key.namespace };
  const [pods, namespace] = await Promise.all([
    claimable<Pod>(read, 'pods', set),
    read.get<Namespace>(home),
  ]);
  return { set, pods, namespace };
}
