/**
 * The nodes of local mode: Fargate's two virtual nodes, and simulated instances of the shapes asked
 * for.
 */
import type { Node } from '../shared/api/kinds/node.ts';
import { allocatableOf, capacityOf, labelsOf } from '../shared/core/capacity/catalogue/nodes.ts';
import {
  type GroupMember,
  membersOf,
  type NodeGroup,
} from '../shared/core/capacity/catalogue/node-groups.ts';
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
  return [
    ...virtualNodes({ zone: ZONES[0], provider: PROVIDER, runtime: RUNTIME }, nowMs),
    ...membersOf(groups).map((member) => instanceNode(member, nowMs)),
  ];
}

function instanceNode({ type, name, index, labels: own }: GroupMember, nowMs: number): Node {
  const zone = ZONES[index % ZONES.length] ?? ZONES[0];
  const place = { zone, capacityType: 'on-demand' } as const;
  const labels = { ...labelsOf(type, place), ...own, [SIMULATED_LABEL]: 'true' };
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
