/**
 * A taint keeps pods away that do not tolerate it; one that only prefers to, counts against the
 * node.
 */
import type { Taint } from '../../../api/kinds/affinity.ts';
import { MAX_SCORE, type Plugin } from '../framework.ts';
import { repelling, tolerates } from '../tolerations.ts';

export const untolerated = ({ key, value = '' }: Taint) =>
  `node(s) had untolerated taint {${key}: ${value}}`;

export const taints: Plugin = {
  name: 'TaintToleration',
  helpedBy: ['podPending', 'nodeAdded', 'nodeChanged'],
  begin: (cluster) => ({
    nodeFilter: ({ tolerations }) => ({
      allows: (node) =>
        cluster.isMarked[node] !== 1 || !repelling(cluster.nodes[node], tolerations),
      isIdle: () => !cluster.isMarked.includes(1),
      reasons(node) {
        const taint = repelling(cluster.nodes[node], tolerations);
        return taint ? [untolerated(taint)] : [];
      },
    }),
    nodeScore({ tolerations }) {
      const dissuades = (taint: Taint) =>
        taint.effect === 'PreferNoSchedule' && !tolerates(tolerations, taint);
      const { nodes, isMarked } = cluster;
      const isDissuaded = (_: unknown, node: number) =>
        isMarked[node] === 1 && nodes[node]?.spec.taints?.some(dissuades) === true;
      if (!isMarked.includes(1) || !nodes.some(isDissuaded)) return undefined;
      // The first such taint counts most, so that the score needs to know of no other node.
      return (node) => MAX_SCORE / (1 + (nodes[node]?.spec.taints ?? []).filter(dissuades).length);
    },
  }),
};
