/** The node controller: what wakes a node, and what its plan (core/node/plan.ts) has to know. */
import { keyOf } from '../../api/change.ts';
import type { Change } from '../../api/change.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { KubeObject, ObjectKey } from '../../api/meta.ts';
import { type NodeSnapshot, planNode, podsMatter } from '../../core/node/plan.ts';
import { isGone, nodeView } from '../../core/node/state.ts';
import type { Controller, Reader } from '../controller.ts';
import { listAll } from '../list-all.ts';

export const nodeController: Controller<NodeSnapshot> = {
  name: 'node',
  resource: 'nodes',
  wakes,
  snapshot,
  plan: planNode,
};

/** A node's own change; and a pod that has just come to a node which it may have to leave. */
async function wakes(change: Change, read: Reader): Promise<readonly ObjectKey[]> {
  if (change.resource === 'nodes') return [keyOf('nodes', change.object)];
  if (change.resource !== 'pods' || change.type === 'delete') return [];
  const pod = change.object as KubeObject as Pod;
  const before = change.previous as KubeObject as Pod | undefined;
  const { nodeName } = pod.spec;
  if (!nodeName || before?.spec.nodeName === nodeName) return [];
  const key = { resource: 'nodes', namespace: '', name: nodeName };
  return podsMatter(await read.get<Node>(key)) ? [key] : [];
}

async function snapshot(key: ObjectKey, read: Reader): Promise<NodeSnapshot> {
  const { name } = key;
  const node = await read.get<Node>(key);
  const matters = podsMatter(node);
  const pods = matters ? await podsOn(name, read) : [];
  const cluster = matters ? await count(read) : { nodes: 0, unreachable: 0 };
  return { name, pods, cluster, ...(node ? { node } : {}) };
}

/** The pods that are bound to a node. */
export async function podsOn(name: string, read: Reader): Promise<readonly Pod[]> {
  const index = { name: 'node', value: name } as const;
  return listAll<Pod>(read, { resource: 'pods', index });
}

async function count(read: Reader): Promise<NodeSnapshot['cluster']> {
  const nodes = await listAll<Node>(read, { resource: 'nodes' });
  const present = nodes.filter((node) => !isGone(node));
  const unreachable = present.filter((node) => nodeView(node) === 'unreachable');
  return { nodes: present.length, unreachable: unreachable.length };
}
