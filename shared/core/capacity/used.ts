/**
 * What node pools have: nodes, and machines that are on their way. Limits count it, and a pool's
 * status tells it.
 */
import type { NodeClaim } from '../../api/kinds/karpenter.ts';
import type { Node } from '../../api/kinds/node.ts';
import { NODE_POOL_LABEL } from '../../api/node-labels.ts';
import { amountOf, type Requests } from '../pod/requests.ts';
import { CLAIM_LABEL, claimControl } from './claim/state.ts';

export interface Machines {
  readonly nodes: readonly Node[];
  readonly claims?: readonly NodeClaim[];
}

/** By the pool's name. `nodes` counts both. */
export function usedByPool({ nodes, claims = [] }: Machines): ReadonlyMap<string, Requests> {
  const used = new Map<string, { [resource: string]: number }>();
  const add = (pool: string | undefined, amounts: Requests): void => {
    if (pool === undefined) return;
    const sums = used.get(pool) ?? {};
    used.set(pool, sums);
    for (const resource in amounts) {
      sums[resource] = (sums[resource] ?? 0) + (amounts[resource] ?? 0);
    }
  };
  for (const { metadata, status } of nodes) {
    const capacity = Object.entries(status.capacity ?? {}).map(
      ([resource, quantity]) => [resource, amountOf(resource, quantity)] as const,
    );
    add(metadata.labels?.[NODE_POOL_LABEL], { ...Object.fromEntries(capacity), nodes: 1 });
  }
  const joined = new Set(nodes.map(({ metadata }) => metadata.labels?.[CLAIM_LABEL]));
  for (const claim of claims) {
    const { capacity } = claimControl(claim) ?? {};
    if (!capacity || joined.has(claim.metadata.name)) continue;
    add(claim.metadata.labels?.[NODE_POOL_LABEL], { ...capacity, nodes: 1 });
  }
  return used;
}
