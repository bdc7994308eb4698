/** The ReplicaSet controller: woken by ReplicaSets and by what counts of their pods. */
import { type Change, keyOf } from '../../api/change.ts';
import { findCondition } from '../../api/conditions.ts';
import { sameJson } from '../../api/hash.ts';
import type { Namespace } from '../../api/kinds/core.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { ReplicaSet } from '../../api/kinds/workloads.ts';
import type { AnyObject, ObjectKey } from '../../api/meta.ts';
import { isSystemPriorityClass } from '../../api/priority.ts';
import { factsOf } from '../../core/replicaset/facts.ts';
import {
  needsPods,
  planReplicaSet,
  REPLICA_SETS,
  type ReplicaSetSnapshot,
} from '../../core/replicaset/plan.ts';
import type { Controller, Reader } from '../controller.ts';
import { listAll } from '../list-all.ts';
import { classesFor, PRIORITY_CLASSES } from '../priority-classes.ts';
import { adoptersOf, claimable, controllersOf, isOfStatus } from './reads.ts';

export const replicaSetController: Controller<ReplicaSetSnapshot> = {
  name: 'replicaset',
  resource: REPLICA_SETS,
  wakes,
  snapshot,
  plan: planReplicaSet,
};

async function wakes(change: Change, read: Reader): Promise<readonly ObjectKey[]> {
  if (change.resource === REPLICA_SETS) {
    const isNews = change.type === 'put' && !isOfStatus(change);
    return isNews ? [keyOf(REPLICA_SETS, change.object)] : [];
  }
  if (change.resource === PRIORITY_CLASSES) return waitingFor(change, read);
  if (change.resource !== 'pods' || !counts(change)) return [];
  const owners = controllersOf(change, REPLICA_SETS, 'ReplicaSet');
  return [...owners, ...(await adoptersOf(change, REPLICA_SETS, read))];
}

/** The sets that could make no pods for want of this class. The system's are never wanting. */
async function waitingFor({ type, object, previous }: Change, read: Reader) {
  const { name } = object.metadata;
  if (type === 'delete' || previous || isSystemPriorityClass(name)) return [];
  const sets = await listAll<ReplicaSet>(read, { resource: REPLICA_SETS });
  return sets
    .filter(({ spec }) => spec.template?.spec.priorityClassName === name)
    .filter(({ status }) => findCondition(status.conditions, 'ReplicaFailure') !== undefined)
    .map((set) => keyOf(REPLICA_SETS, set));
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
  if (!needsPods(set, pods)) return { set, pods, namespace };
  const classes = await classesFor(set.spec.template?.spec.priorityClassName, read);
  return { set, pods, namespace, classes };
}
