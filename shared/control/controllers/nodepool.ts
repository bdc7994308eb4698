/** The node pool controller: woken by pools, and by what they have. */
import { type Change, keyOf } from '../../api/change.ts';
import { sameJson } from '../../api/hash.ts';
import type { NodeClaim, NodePool } from '../../api/kinds/karpenter.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { AnyObject, ObjectKey } from '../../api/meta.ts';
import { NODE_POOL_LABEL } from '../../api/node-labels.ts';
import { claimControl, CLAIMS, POOLS } from '../../core/capacity/claim/state.ts';
import { planPool, type PoolSnapshot } from '../../core/capacity/pool-status.ts';
import { poolControl } from '../../core/capacity/shortages.ts';
import type { Controller, Reader } from '../controller.ts';
import type { MachineTypes } from '../effects.ts';
import { listAll } from '../list-all.ts';

export function nodePoolController(types: MachineTypes): Controller<PoolSnapshot> {
  return {
    name: 'nodepool',
    resource: POOLS,
    wakes,
    snapshot: (key, read) => snapshot(key, read, types),
    plan: planPool,
  };
}

function wakes(change: Change): readonly ObjectKey[] {
  const { type, resource, object, previous } = change;
  const counted = COUNTED.get(resource);
  if (!counted) return [];
  if (type === 'put' && previous && sameJson(counted(object), counted(previous))) return [];
  if (resource === POOLS) return type === 'put' ? [keyOf(POOLS, object)] : [];
  const name = object.metadata.labels?.[NODE_POOL_LABEL];
  return name === undefined ? [] : [{ resource: POOLS, namespace: '', name }];
}

type Look = (object: AnyObject) => unknown;

/** What a pool looks at: its own spec and refusals, and what it has by nodes and claims. */
const COUNTED: ReadonlyMap<string, Look> = new Map<string, Look>([
  [POOLS, (object) => ownOf(object as unknown as NodePool)],
  [CLAIMS, (object) => claimControl(object as unknown as NodeClaim)?.capacity],
  ['nodes', (object) => (object as unknown as Node).status.capacity],
]);

function ownOf(pool: NodePool): unknown {
  return [pool.spec, poolControl(pool).refusal, pool.metadata.labels];
}

async function snapshot(
  key: ObjectKey,
  read: Reader,
  types: MachineTypes,
): Promise<PoolSnapshot | undefined> {
  const pool = await read.get<NodePool>(key);
  if (!pool) return undefined;
  const [claims, nodes] = await Promise.all([
    listAll<NodeClaim>(read, { resource: CLAIMS }),
    listAll<Node>(read, { resource: 'nodes' }),
  ]);
  return { pool, claims, nodes, types: await types() };
}
