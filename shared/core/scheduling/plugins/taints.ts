/** A taint keeps pods away that do not tolerate it; one that only prefers to, counts against the node. */
import type { Node } from '../../../api/kinds/node.ts';
import type { Taint, Toleration } from '../../../api/kinds/affinity.ts';
import { MAX_SCORE, type Plugin } from '../framework.ts';

export const untolerated = ({ key, value = '' }: Taint) =>
  `node(s) had untolerated taint {${key}: ${value}}`;

type Tolerations = readonly Toleration[];

export const taints: Plugin = {
  name: 'TaintToleration',
  helpedBy: ['podPending', 'nodeAdded', 'nodeChanged'],
  begin: ({ nodes }) => ({
    nodeFilter: ({ tolerations }) => ({
      allows: (node) => repelling(nodes[node], tolerations) === undefined,
      reasons(node) {
        const taint = repelling(nodes[node], tolerations);
        return taint ? [untolerated(taint)] : [];
      },
    }),
    nodeScore({ tolerations }) {
      const dissuades = (taint: Taint) =>
        taint.effect === 'PreferNoSchedule' && !tolerates(tolerations, taint);
      if (!nodes.some(({ spec }) => spec.taints?.some(dissuades))) return undefined;
      // The first such taint counts most, so that the score needs to know of no other node.
      return (node) => MAX_SCORE / (1 + (nodes[node]?.spec.taints ?? []).filter(dissuades).length);
    },
  }),
};

/** The first taint that keeps the pod off the node. */
export function repelling(node: Node | undefined, tolerations: Tolerations): Taint | undefined {
  return node?.spec.taints?.find(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(tolerations, taint),
  );
}

export function tolerates(tolerations: Tolerations, taint: Taint): boolean {
  return tolerations.some(({ key, operator, value, effect }) => {
    if (effect && effect !== taint.effect) return false;
    if (key ? key !== taint.key : operator !== 'Exists') return false;
    return operator === 'Exists' || (value ?? '') === (taint.value ?? '');
  });
}
