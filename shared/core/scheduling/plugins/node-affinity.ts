/**
 * A pod goes only to nodes that its selector and its required affinity select, and rather to those
 * it prefers.
 */
import type { Node } from '../../../api/kinds/node.ts';
import { MAX_SCORE, type Plugin } from '../framework.ts';
import { matchesTerm } from '../node-selector.ts';

export const NOT_SELECTED = "node(s) didn't match Pod's node affinity/selector";

export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  helpedBy: ['podPending', 'nodeAdded', 'nodeChanged'],
  begin: (cluster) => ({
    nodeFilter(spec) {
      const required = spec.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
      if (!spec.nodeSelector && !required) return undefined;
      return {
        allows: (node) => cluster.isSelected(node, spec),
        reasons: () => [NOT_SELECTED],
      };
    },
    nodeScore({ nodeAffinity: affinity }) {
      const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
      const most = preferred.reduce((sum, { weight }) => sum + weight, 0);
      if (most === 0) return undefined;
      return (node) => {
        let sum = 0;
        for (const { weight, preference } of preferred) {
          if (matchesTerm(cluster.nodes[node] as Node, preference)) sum += weight;
        }
        return (MAX_SCORE * sum) / most;
      };
    },
  }),
};
