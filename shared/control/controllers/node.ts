/** The node controller: what wakes a node, and what its plan (core/node/plan.ts) has to know. */
import { keyOf } from '../../api/change.ts';
import type { Change } from '../../api/change.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { KubeObject, ObjectKey } from '../../api/meta.ts';
import { type NodeSnapshot, planNode, podsMatter } from '../../core/node/plan.ts';
import { isGone, nodeView } from '../../core/node/state.ts';
import type { Controller, Reader } from '../controller.ts';

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

/** Found by the index and then read: an index may lag, and a decision to evict must not. */
async function podsOn(name: string, read: Reader): Promise<readonly Pod[]> {
  const found: Pod[] = [];
  let after: string | undefined;
  do {
    const index = { name: 'node', value: name } as const;
    const page = await read.list<Pod>({ resource: 'pods', index, ...(after ? { after } : {}) });
    found.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return found.filter((pod) => pod.spec.nodeName === name);
}

async function count(read: Reader): Promise<NodeSnapshot['cluster']> {
  let nodes = 0;
  let unreachable = 0;
  let after: string | undefined;
  do {
    const page = await read.list<Node>({ resource: 'nodes', ...(after ? { after } : {}) });
    const present = page.items.filter((node) => !isGone(node));
    nodes += present.length;
    unreachable += present.filter((node) => nodeView(node) === 'unreachable').length;
    after = page.next;
  } while (after !== undefined);
  return { nodes, unreachable };
}
