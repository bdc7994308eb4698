/**
 * Folding news into a node, and making the node of a machine that has joined. As with pods, folds
 * commute with other writers' changes, so that a lost race is tried again.
 */
import { keyOf } from '../api/change.ts';
import { INSTANCE_ID, type Instance } from '../api/instance.ts';
import type { Node } from '../api/kinds/node.ts';
import { rfc3339 } from '../api/time.ts';
import { nodeOfInstance } from '../core/node/from-instance.ts';
import { AlreadyExists } from '../ports/store.ts';
import type { Effects } from './effects.ts';
import { type Folded, foldInto } from './fold.ts';

export async function foldIntoNode(
  name: string,
  fold: (node: Node, nowMs: number) => Node | undefined,
  effects: Effects,
): Promise<Folded> {
  return foldInto<Node>({ resource: 'nodes', namespace: '', name }, fold, effects);
}

/** Makes the node of a machine that joined the cluster, if the pool knows it. */
export async function meetInstance(instanceId: string, effects: Effects): Promise<void> {
  if (!INSTANCE_ID.test(instanceId)) return;
  const [described] = (await effects.instances?.describe([instanceId])) ?? [];
  if (described?.instance) await createNode(described.instance, effects);
}

/** Makes the node of an instance, unless it has one or is none. */
export async function createNode(instance: Instance, effects: Effects): Promise<void> {
  const node = nodeOfInstance(instance, effects.clock.nowMs());
  if (!node || !(await createOnce(node, effects))) return;
  const fields = { node: instance.id, type: instance.type, zone: instance.zone };
  effects.recorder.log({ level: 'info', message: 'node joined', fields });
}

/** Whether the node was made by this call; one of its name that is there stays as it is. */
export async function createOnce(node: Node, { store, clock, ids }: Effects): Promise<boolean> {
  if (await store.get(keyOf('nodes', node))) return false;
  const metadata = {
    ...node.metadata,
    uid: ids.uid(),
    creationTimestamp: rfc3339(clock.nowMs()),
    generation: 1,
  };
  try {
    await store.create('nodes', { ...node, metadata });
    return true;
  } catch (error) {
    if (!(error instanceof AlreadyExists)) throw error;
    return false;
  }
}
