/** A cordoned node takes no new pods, save those that tolerate the taint that stands for it. */
import type { Plugin } from '../framework.ts';
import { tolerates } from '../tolerations.ts';

export const UNSCHEDULABLE_NODE = 'node(s) were unschedulable';

const CORDON = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;

export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  helpedBy: ['podPending', 'nodeAdded', 'nodeChanged'],
  begin: (cluster) => ({
    nodeFilter({ tolerations }) {
      if (tolerates(tolerations, CORDON)) return undefined;
      return {
        allows: (node) =>
          cluster.isMarked[node] !== 1 || cluster.nodes[node]?.spec.unschedulable !== true,
        isIdle: () => !cluster.isMarked.includes(1),
        reasons: () => [UNSCHEDULABLE_NODE],
      };
    },
  }),
};
