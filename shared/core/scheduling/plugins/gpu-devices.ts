/**
 * A pod's GPUs must be found device by device: sums over a node don't say whether one device has
 * enough left. Nodes whose room is worth least less come first, so that what is left can still be
 * used; pods that ask for no GPU are not judged.
 */
import { GPU, GPU_MEMORY, GPU_MILLI, migResource } from '../../../api/gpus.ts';
import type { GpuAsk, GpuPart } from '../../pod/gpus.ts';
import type { Cluster } from '../cluster.ts';
import type { Judge, Plugin } from '../framework.ts';
import { insufficient } from './resource-fit.ts';

export const gpuDevices: Plugin = {
  name: 'GpuDevices',
  helpedBy: ['podPending', 'podGone', 'nodeAdded', 'nodeChanged'],
  begin: judge,
};

function judge(cluster: Cluster): Judge {
  const { gpus: book } = cluster;
  return {
    nodeFilter: ({ gpus: ask }) =>
      ask && {
        allows: (node) => book.allows(node, ask),
        reasons: (node) => reasons(cluster, node, ask),
      },
    nodeScore: (spec) => (spec.gpus ? (node) => book.score(node, spec) : undefined),
    track: ({ spec }) => spec.gpus && ((node, sign, pod) => book.move(node, spec, sign, pod)),
  };
}

function reasons({ gpus: book }: Cluster, node: number, ask: GpuAsk): readonly string[] {
  const { why, lacking } = book.problems(node, ask);
  if (why !== undefined) return [why];
  const lacks = (part: GpuPart): string => {
    if (part.kind === 'whole') return GPU;
    if (part.profile !== undefined) return migResource(part.profile);
    const isFitting = book.at(node).fits({ ...ask, parts: [{ ...part, memoryMiB: 0 }] });
    return isFitting ? GPU_MEMORY : GPU_MILLI;
  };
  return [...new Set(lacking.map((part) => insufficient(lacks(part))))];
}
