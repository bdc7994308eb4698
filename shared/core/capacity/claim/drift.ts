/** What of a pool its nodes are made of: nodes that were made of something else have drifted. */
import { canonicalJson, nameHash } from '../../../api/hash.ts';
import type { NodePool } from '../../../api/kinds/karpenter.ts';

const HASH_LENGTH = 12;

/**
 * A hash of the template but for its requirements: whether a node still meets those says the node.
 * Budgets, limits and weights make no other nodes. Source: Karpenter, "Drift".
 */
export function driftHash({ spec }: NodePool): string {
  const { metadata = {}, spec: template } = spec.template;
  const { requirements: _, ...rest } = template;
  return nameHash(canonicalJson([metadata, rest]), HASH_LENGTH);
}
