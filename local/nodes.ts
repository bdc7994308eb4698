/**
 * The nodes of local mode: Fargate's two virtual nodes, and simulated instances of the shapes asked
 * for.
 */
import type { Node } from '../shared/api/kinds/node.ts';
import { type InstanceType, nvidiaGpus } from '../shared/api/instance.ts';
import type { Labels } from '../shared/api/meta.ts';
import { allocatableOf, capacityOf, labelsOf } from '../shared/core/capacity/catalogue/nodes.ts';
import { GPU_LABELS, type NodeGroup } from '../shared/core/capacity/catalogue/node-groups.ts';
import { withGpuResources } from '../shared/core/node/gpus.ts';
import { draftNode } from '../shared/core/node/draft.ts';
import { virtualNodes } from '../shared/core/node/virtual-nodes.ts';

/** Marks the nodes that `--nodes` made, so that a later start knows which are no longer wanted. */
export const SIMULATED_LABEL = 'nullplane.io/simulated';

/**
 * What is not as it would be on AWS: tasks here need no network interface of their own, so that a
 * node takes as many as kubelet's default, and they share this machine's disk.
 */
const LOCAL_ROOM = { pods: '110', 'ephemeral-storage': '100Gi' };

export const ZONES = ['local-1a', 'local-1b', 'local-1c'] as const;

const PROVIDER = 'nullplane-local';
const RUNTIME = { containerRuntimeVersion: 'nullplane://local', osImage: 'Nullplane local' };

/** Drafts of all nodes: the virtual ones first. */
export function localNodes(groups: readonly NodeGroup[], nowMs: number): readonly Node[] {
  const counters = new Map<string, number>();
  const instances = groups.flatMap(({ count, type, gpuLabels = GPU_LABELS }) =>
    Array.from({ length: count }, () => {
      const index = (counters.get(type.name) ?? 0) + 1;
      counters.set(type.name, index);
      return instanceNode(type, index, nvidiaGpus(type) > 0 ? gpuLabels : {}, nowMs);
    }),
  );
  return [
    ...virtualNodes({ zone: ZONES[0], provider: PROVIDER, runtime: RUNTIME }, nowMs),
    ...instances,
  ];
}

function instanceNode(type: InstanceType, index: number, gpuLabels: Labels, nowMs: number): Node {
  const name = `${type.name.replace('.', '-')}-${index}`;
  const zone = ZONES[(index - 1) % ZONES.length] ?? ZONES[0];
  const place = { zone, capacityType: 'on-demand' } as const;
  const labels = { ...labelsOf(type, place), ...gpuLabels, [SIMULATED_LABEL]: 'true' };
  const draft = {
    name,
    providerID: `${PROVIDER}:///${name}`,
    labels,
    capacity: withGpuResources({ ...capacityOf(type), ...LOCAL_ROOM }, labels),
    allocatable: withGpuResources({ ...allocatableOf(type), ...LOCAL_ROOM }, labels),
    ...RUNTIME,
  };
  return draftNode(draft, nowMs);
}
