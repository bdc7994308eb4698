/** Machines that run are paid for: they come before virtual nodes, where each pod costs extra. */
import { MAX_SCORE, type Plugin } from '../framework.ts';

export const runningFirst: Plugin = {
  name: 'RunningFirst',
  helpedBy: [],
  begin: (cluster) => ({
    nodeScore: () => (node) => (cluster.isVirtual[node] === 1 ? 0 : MAX_SCORE),
  }),
};
