/**
 * Whose task it is. A task that was started alone says it itself; of one that was started with
 * others only the token and the place are known. Its node's ledger, which is written before the pod
 * is bound and read consistently, says whose batch that was. Where the node or its ledger is gone,
 * nothing is known.
 */
import type { Node, NodeAllocation } from '../api/kinds/node.ts';
import type { ObjectKey } from '../api/meta.ts';
import { parseBatchTaskId, type TaskState } from '../api/task.ts';
import { LEDGERS } from '../core/scheduling/ledger.ts';
import type { Reader } from './controller.ts';

export interface Owner {
  readonly key: ObjectKey;
  readonly uid: string;
}

export async function ownerOf(
  task: TaskState,
  read: Reader,
): Promise<Owner | 'nobody' | 'unknown'> {
  const batched = parseBatchTaskId(task.id);
  if (batched) return ownerInLedger(batched, read);
  const { namespace, podName, podUid } = task;
  return { key: { resource: 'pods', namespace, name: podName }, uid: podUid };
}

async function ownerInLedger(
  { token, at }: { readonly token: string; readonly at: string },
  read: Reader,
): ReturnType<typeof ownerOf> {
  let isKnown = false;
  // A machine has joined, and its node been indexed, long before anything is launched on it.
  const index = { name: 'node', value: at } as const;
  const { items: nodes } = await read.list<Node>({ resource: 'nodes', index });
  for (const { metadata } of nodes) {
    const key = { resource: LEDGERS, namespace: '', name: metadata.name };
    const ledger = await read.get<NodeAllocation>(key);
    if (!ledger) continue;
    isKnown = true;
    const entry = ledger.allocations.find(({ batch }) => batch === token);
    if (!entry) continue;
    const { namespace, podName: name, podUid: uid } = entry;
    return { key: { resource: 'pods', namespace, name }, uid };
  }
  return isKnown ? 'nobody' : 'unknown';
}
