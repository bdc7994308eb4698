/**
 * Machines with GPUs are kept for those who ask for them: a pod that does not takes another machine
 * first, so that a GPU is not left idle for want of CPU beside it.
 */
import { GPU } from '../../../api/gpus.ts';
import { MAX_SCORE, type Plugin } from '../framework.ts';

export const acceleratorsLast: Plugin = {
  name: 'AcceleratorsLast',
  helpedBy: [],
  begin: (cluster) => ({
    nodeScore: ({ gpus }) => {
      if (gpus) return undefined;
      const column = cluster.column(GPU);
      return (node) => (column.allocatableAt(node) > 0 ? 0 : MAX_SCORE);
    },
  }),
};
