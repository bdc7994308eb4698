/** The pod group controller: woken by groups, and by what counts of the pods that name them. */
import { type Change, keyOf } from '../../api/change.ts';
import { sameJson } from '../../api/hash.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { PodGroup } from '../../api/kinds/scheduling.ts';
import type { AnyObject, ObjectKey } from '../../api/meta.ts';
import { planPodGroup, POD_GROUPS, type PodGroupSnapshot } from '../../core/podgroup/plan.ts';
import { podGroupOf } from '../../core/scheduling/gang/membership.ts';
import type { Controller, Reader } from '../controller.ts';
import { listAll } from '../list-all.ts';

export const podGroupController: Controller<PodGroupSnapshot> = {
  name: 'podgroup',
  resource: POD_GROUPS,
  wakes,
  snapshot,
  plan: planPodGroup,
};

function wakes({ type, resource, object, previous }: Change): readonly ObjectKey[] {
  if (resource === POD_GROUPS) return type === 'put' ? [keyOf(POD_GROUPS, object)] : [];
  if (resource !== 'pods') return [];
  if (type === 'put' && previous && sameJson(countedOf(object), countedOf(previous))) return [];
  const names = [object, previous].flatMap((pod) => (pod ? (groupOf(pod) ?? []) : []));
  const namespace = object.metadata.namespace ?? '';
  return [...new Set(names)].map((name) => ({ resource: POD_GROUPS, namespace, name }));
}

const groupOf = (object: AnyObject) => podGroupOf(object as unknown as Pod);

/** What a group looks at of a pod. */
function countedOf(object: AnyObject): unknown {
  const { spec, status, metadata, control } = object as unknown as Pod;
  const isBound = [spec.nodeName, control?.attempt !== undefined, control?.noCapacity];
  return [groupOf(object), status.phase, isBound, metadata.deletionTimestamp !== undefined];
}

async function snapshot(key: ObjectKey, read: Reader): Promise<PodGroupSnapshot | undefined> {
  const group = await read.get<PodGroup>(key);
  if (!group) return undefined;
  const pods = await listAll<Pod>(read, { resource: 'pods', namespace: key.namespace });
  return { group, pods: pods.filter((pod) => podGroupOf(pod) === key.name) };
}
