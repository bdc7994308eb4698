/** The node controller: what wakes a node, and what its plan (core/node/plan.ts) has to know. */
import { keyOf } from '../../api/change.ts';
import type { Change } from '../../api/change.ts';
import type { Node, NodeAllocation } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../../api/kinds/policy.ts';
import type { KubeObject, ObjectKey } from '../../api/meta.ts';
import { isStandIn } from '../../api/well-formed.ts';
import { BUDGETS } from '../../core/disruption/budgets.ts';
import { NOTHING_OPEN, opennessOf } from '../../core/disruption/may-disrupt.ts';
import { drainsGently } from '../../core/node/drain.ts';
import { type NodeSnapshot, planNode, podsMatter } from '../../core/node/plan.ts';
import { isGone, nodeView } from '../../core/node/state.ts';
import { isVirtualNode } from '../../core/scheduling/cluster.ts';
import { LEDGERS } from '../../core/scheduling/ledger.ts';
import type { Controller, Reader } from '../controller.ts';
import { listAll } from '../list-all.ts';

export const nodeController: Controller<NodeSnapshot> = {
  name: 'node',
  resource: 'nodes',
  wakes,
  snapshot,
  plan: planNode,
};

/**
 * A node's own change; a ledger that it has lost; a pod that has just come to a node which it may
 * have to leave; a budget that lets go of what it held back.
 */
async function wakes(change: Change, read: Reader): Promise<readonly ObjectKey[]> {
  if (change.resource === 'nodes') return [keyOf('nodes', change.object)];
  if (change.resource === LEDGERS) return ofLostLedger(change, read);
  if (change.resource === BUDGETS) return letsGo(change) ? drainingNodes(read) : [];
  if (change.resource !== 'pods' || change.type === 'delete') return [];
  const pod = change.object as KubeObject as Pod;
  const before = change.previous as KubeObject as Pod | undefined;
  const { nodeName } = pod.spec;
  if (!nodeName || before?.spec.nodeName === nodeName) return [];
  const key = { resource: 'nodes', namespace: '', name: nodeName };
  return podsMatter(await read.get<Node>(key)) ? [key] : [];
}

/** A ledger goes with its node, too. One that can't be read is as good as lost. */
async function ofLostLedger(change: Change, read: Reader): Promise<readonly ObjectKey[]> {
  if (change.type === 'put' && !isStandIn(change.object)) return [];
  const key = { ...keyOf(LEDGERS, change.object), resource: 'nodes' };
  return (await read.get<Node>(key)) ? [key] : [];
}

/** Whether the budget may let pods go that it did not before, or is gone. */
function letsGo({ type, object, previous }: Change): boolean {
  if (type === 'delete') return true;
  const mayGo = (one: KubeObject) => opennessOf(one as PodDisruptionBudget);
  const [now, before] = [mayGo(object), previous ? mayGo(previous) : NOTHING_OPEN];
  return now.some((open, i) => open && !before[i]);
}

async function drainingNodes(read: Reader): Promise<readonly ObjectKey[]> {
  const nodes = await listAll<Node>(read, { resource: 'nodes' });
  return nodes.filter(drainsGently).map((node) => keyOf('nodes', node));
}

async function snapshot(key: ObjectKey, read: Reader): Promise<NodeSnapshot> {
  const { name } = key;
  const node = await read.get<Node>(key);
  const matters = podsMatter(node);
  const keeps = node !== undefined && !isGone(node) && !isVirtualNode(node);
  const ledger = keeps ? await read.get<NodeAllocation>({ ...key, resource: LEDGERS }) : undefined;
  const lacksLedger = keeps && (!ledger || isStandIn(ledger));
  const pods = matters || lacksLedger ? await podsOn(name, read) : [];
  const cluster = matters ? await count(read) : { nodes: 0, unreachable: 0 };
  const spoilt = lacksLedger && ledger ? { spoiltLedger: ledger } : {};
  const known = { name, lacksLedger, ...spoilt, pods, cluster, ...(node ? { node } : {}) };
  return node && drainsGently(node) ? { ...known, budgets: await budgetsFor(pods, read) } : known;
}

/** The disruption budgets of the namespaces of these pods. */
async function budgetsFor(
  pods: readonly Pod[],
  read: Reader,
): Promise<readonly PodDisruptionBudget[]> {
  const namespaces = new Set(pods.map(({ metadata }) => metadata.namespace ?? ''));
  const lists = [...namespaces].map((namespace) =>
    listAll<PodDisruptionBudget>(read, { resource: BUDGETS, namespace }),
  );
  return (await Promise.all(lists)).flat();
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
