/**
 * Pods that take up a task of which their table, since it was set back, knew nothing. They hold
 * room like those that are bound, and are entered in the ledger of their node first, as those are
 * (core/scheduling/ledger.ts, G1 and G5).
 */
import type { Node, NodeAllocation } from '../api/kinds/node.ts';
import type { Pod } from '../api/kinds/pod.ts';
import { isStandIn } from '../api/well-formed.ts';
import { isVirtualNode } from '../core/scheduling/cluster.ts';
import { LEDGERS, restored, withAdopted } from '../core/scheduling/ledger.ts';
import { isPlaced } from '../core/scheduling/pending.ts';
import { podsOn } from './controllers/node.ts';
import { createObject } from './create-object.ts';
import type { Effects } from './effects.ts';

/**
 * Enters the pod if what it is to become has a place that it had not. Throws `Conflict` or
 * `AlreadyExists` if somebody else wrote the ledger meanwhile.
 */
export async function enterAdopted(pod: Pod, next: Pod, effects: Effects): Promise<void> {
  const { nodeName: name } = next.spec;
  if (!name || isPlaced(pod) || !isPlaced(next)) return;
  const { store } = effects;
  const key = { resource: LEDGERS, namespace: '', name };
  const ledger = await store.get<NodeAllocation>(key);
  if (!ledger || isStandIn(ledger)) return enterAnew(name, ledger, next, effects);
  const entered = withAdopted(ledger, next);
  if (entered) await store.update(LEDGERS, entered);
}

/** As its controller does for a node that has lost its ledger (core/node/plan.ts). */
async function enterAnew(
  name: string,
  spoilt: NodeAllocation | undefined,
  next: Pod,
  effects: Effects,
): Promise<void> {
  const { store } = effects;
  const node = await store.get<Node>({ resource: 'nodes', namespace: '', name });
  if (!node || isVirtualNode(node)) return;
  const write = restored(node, [...(await podsOn(name, store)), next], spoilt);
  if (write?.kind === 'create') await createObject(write.resource, write.object, effects);
  if (write?.kind === 'update') await store.update(write.resource, write.object);
}
