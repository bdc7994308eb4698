/**
 * The pod controller: what wakes a bound pod and what its plan (core/pod/plan.ts) has to know.
 * Reads of ConfigMaps and Secrets end here as names of what is missing; values never reach a plan.
 */
import { keyOf } from '../../api/change.ts';
import type { Change } from '../../api/change.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { KubeObject, ObjectKey } from '../../api/meta.ts';
import { nodeView } from '../../core/node/state.ts';
import { launchIsDue, needsLook, planPod, type PodSnapshot } from '../../core/pod/plan.ts';
import { wantOf } from '../../core/pod/references.ts';
import { isVirtualNode } from '../../core/scheduling/cluster.ts';
import type { Controller, Reader } from '../controller.ts';
import { listAll } from '../list-all.ts';
import { PodConfig } from '../pod-config.ts';
import { podsOn } from './node.ts';

export const podController: Controller<PodSnapshot> = {
  name: 'pod',
  resource: 'pods',
  wakes,
  snapshot,
  plan: planPod,
};

function wakes(change: Change, read: Reader): Promise<readonly ObjectKey[]> | readonly ObjectKey[] {
  if (change.type === 'delete') return [];
  switch (change.resource) {
    case 'pods': {
      const pod = change.object as KubeObject as Pod;
      return needsLook(pod) ? [keyOf('pods', pod)] : [];
    }
    case 'configmaps':
    case 'secrets':
      return waitingFor(change, read);
    case 'nodes':
      return onNode(change, read);
    default:
      return [];
  }
}

/** The pods that could not start for want of this object. */
async function waitingFor({ resource, object }: Change, read: Reader) {
  const { name, namespace = '' } = object.metadata;
  const wanted = `${resource}/${name}`;
  const pods = await listAll<Pod>(read, { resource: 'pods', namespace });
  return keys(pods.filter(({ control }) => control?.waitsFor?.includes(wanted)));
}

/**
 * A node that is reachable again has pods to start and stop. Losing one is the node controller's.
 */
async function onNode(change: Change, read: Reader): Promise<readonly ObjectKey[]> {
  const node = change.object as KubeObject as Node;
  const before = change.previous as KubeObject as Node | undefined;
  if (nodeView(node) !== 'ready' || (before && nodeView(before) === 'ready')) return [];
  const pods = await podsOn(node.metadata.name, read);
  return keys(pods.filter(needsLook));
}

function keys(pods: readonly Pod[]): readonly ObjectKey[] {
  return pods.map((pod) => keyOf('pods', pod));
}

async function snapshot(key: ObjectKey, read: Reader): Promise<PodSnapshot | undefined> {
  const pod = await read.get<Pod>(key);
  if (!pod || !needsLook(pod)) return undefined;
  const { nodeName } = pod.spec;
  const node = nodeName
    ? await read.get<Node>({ resource: 'nodes', namespace: '', name: nodeName })
    : undefined;
  const isVirtual = node !== undefined && isVirtualNode(node);
  const known = { pod, node: nodeView(node), isVirtual };
  if (!launchIsDue(pod)) return known;
  const want = wantOf(pod, (await PodConfig.read(pod, read)).keysOf);
  return want ? { ...known, want } : known;
}
