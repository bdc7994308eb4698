/** A pod that was created with a node of its own choice goes there or nowhere. */
import type { Plugin } from '../framework.ts';

export const OTHER_NODE = "node(s) didn't match the requested node name";

export const nodeName: Plugin = {
  name: 'NodeName',
  helpedBy: ['podPending', 'nodeAdded'],
  begin: (cluster) => ({
    nodeFilter({ nodeName: wanted }) {
      if (wanted === undefined) return undefined;
      const only = cluster.nodeNamed(wanted);
      return { allows: (node) => node === only, reasons: () => [OTHER_NODE] };
    },
  }),
};
