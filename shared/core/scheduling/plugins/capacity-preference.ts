/**
 * The order in which a pod wants kinds of capacity (api/capacity-preference.ts). Of the nodes that
 * have room, and of what may be launched where none has, the kind that the pod names first comes
 * first, whatever it costs. It forbids none: that is what node selectors are for.
 */
import { type CapacityKind, parseCapacityPreference } from '../../../api/capacity-preference.ts';
import type { Node } from '../../../api/kinds/node.ts';
import { CAPACITY_TYPE_LABEL } from '../../node/virtual-nodes.ts';
import { isVirtualNode } from '../cluster.ts';
import { MAX_SCORE, type Plugin } from '../framework.ts';
import type { SpecShape } from '../shape.ts';

/** Machines that do not say otherwise are there to stay. */
export function capacityKindOf(node: Node): CapacityKind {
  const isSpot = node.metadata.labels?.[CAPACITY_TYPE_LABEL] === 'spot';
  if (isVirtualNode(node)) return isSpot ? 'fargate-spot' : 'fargate';
  return isSpot ? 'spot' : 'on-demand';
}

/** 0 for what the shape wants most; undefined if it has no order. */
export function preferenceRank(
  { capacityPreference }: Pick<SpecShape, 'capacityPreference'>,
  node: Node,
): number | undefined {
  return kindRank(capacityPreference, capacityKindOf(node));
}

/** The same of an order as it is written, and a kind. */
export function kindRank(text: string | undefined, kind: CapacityKind): number | undefined {
  const order = orderOf(text);
  if (!order) return undefined;
  const rank = order.indexOf(kind);
  return rank < 0 ? order.length : rank;
}

/** What can't be read was refused when it was written; of old objects it counts for nothing. */
function orderOf(text: string | undefined): readonly CapacityKind[] | undefined {
  const parsed = text === undefined ? undefined : parseCapacityPreference(text);
  return typeof parsed === 'string' ? undefined : parsed;
}

export const capacityPreference: Plugin = {
  name: 'CapacityPreference',
  helpedBy: [],
  begin: ({ nodes }) => ({
    nodeScore(spec) {
      const order = orderOf(spec.capacityPreference);
      if (!order) return undefined;
      return (index) => {
        const node = nodes[index];
        const rank = node ? order.indexOf(capacityKindOf(node)) : -1;
        return MAX_SCORE * (1 - (rank < 0 ? order.length : rank) / order.length);
      };
    },
  }),
};
