/** Which cells' passes a change wakes. What belongs to which cell is core/scheduling/cells.ts. */
import type { Change } from '../api/change.ts';
import type { Namespace } from '../api/kinds/core.ts';
import type { NodePool } from '../api/kinds/karpenter.ts';
import type { Node } from '../api/kinds/node.ts';
import type { Pod } from '../api/kinds/pod.ts';
import type { AnyObject } from '../api/meta.ts';
import { CLAIMS, POOLS } from '../core/capacity/claim/state.ts';
import { cellOf, cellOfPod, cellOfPool, DEFAULT_CELL } from '../core/scheduling/cells.ts';
import { isVirtualNode } from '../core/scheduling/cluster.ts';
import { requestedNode } from '../core/scheduling/pending.ts';
import type { Reader } from './controller.ts';
import { listAll } from './list-all.ts';

/** Stands for every cell that there is. */
const ALL = Symbol('all cells');

/**
 * The cells that pools and namespaces name, and the default one. A cell that only pods or machines
 * name is woken by what happens to them, and by the sweep.
 */
export async function knownCells(read: Reader): Promise<readonly string[]> {
  const [pools, namespaces] = await Promise.all([
    listAll<NodePool>(read, { resource: POOLS }),
    listAll<Namespace>(read, { resource: 'namespaces' }),
  ]);
  const named = namespaces.map(({ metadata }) => cellOf(metadata.labels));
  return [...new Set([DEFAULT_CELL, ...pools.map(cellOfPool), ...named])];
}

/** The cells of what changed, before and after: each once. */
export async function cellsOf(
  changes: readonly Change[],
  read: Reader,
): Promise<readonly string[]> {
  const states = changes.flatMap(({ resource, object, previous }) =>
    [object, ...(previous ? [previous] : [])].map((state) => ({ resource, state })),
  );
  const cells = await Promise.all(
    states.map(({ resource, state }) => cellOfObject(resource, state, read)),
  );
  const named = cells.filter((cell) => cell !== ALL);
  const all = named.length < cells.length ? await knownCells(read) : [];
  return [...new Set([...all, ...named])];
}

async function cellOfObject(
  resource: string,
  object: AnyObject,
  read: Reader,
): Promise<string | typeof ALL> {
  switch (resource) {
    case 'pods':
      return cellOfWaiting(object as unknown as Pod, read);
    case 'nodes':
      return isVirtualNode(object as unknown as Node) ? ALL : cellOf(object.metadata.labels);
    case CLAIMS:
      return cellOf(object.metadata.labels);
    case POOLS:
      return cellOfPool(object as unknown as NodePool);
    default:
      return ALL;
  }
}

/** Of one that was created for a machine, the machine's. */
async function cellOfWaiting(pod: Pod, read: Reader): Promise<string> {
  const name = requestedNode(pod);
  const node =
    name === undefined
      ? undefined
      : await read.get<Node>({ resource: 'nodes', namespace: '', name });
  if (node && !isVirtualNode(node)) return cellOf(node.metadata.labels);
  const namespace = { resource: 'namespaces', namespace: '', name: pod.metadata.namespace ?? '' };
  const labels = (await read.get<Namespace>(namespace))?.metadata.labels;
  return cellOfPod(pod, labels);
}
