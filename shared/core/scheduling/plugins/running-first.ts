/**
 * Machines that run are paid for: they come before virtual nodes, where each pod costs extra.
 * Those that are on their way are paid for as well, and have to be waited for.
 */
import { MAX_SCORE, type Plugin } from '../framework.ts';

export const runningFirst: Plugin = {
  name: 'RunningFirst',
  helpedBy: [],
  begin: (cluster) => ({
    nodeScore: () => (node) => {
      if (cluster.isVirtual[node] === 1 || cluster.isOpen[node] === 1) return 0;
      return cluster.isComing[node] === 1 ? MAX_SCORE / 2 : MAX_SCORE;
    },
  }),
};
