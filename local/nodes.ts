/**
 * The nodes of local mode: Fargate's two virtual nodes, and simulated instances of the shapes asked
 * for.
 */
import type { Node } from '../shared/api/kinds/node.ts';
import { draftNode, typeLabels } from '../shared/core/node/draft.ts';
import { virtualNodes } from '../shared/core/node/virtual-nodes.ts';
import { type InstanceShape, instanceShape, knownGpuTypes } from './instance-types.ts';

/** Marks the nodes that `--nodes` made, so that a later start knows which are no longer wanted. */
export const SIMULATED_LABEL = 'nullplane.io/simulated';

/** Enough for a bench of 50,000 pods, few enough to print. */
const MAX_NODES = 10_000;

/** Tasks an instance may hold, as kubelet's default. */
const PODS_PER_NODE = 110;

/** What the operating system and the agent keep for themselves, as Karpenter's default estimate. */
const MEMORY_OVERHEAD = 0.075;
const CPU_OVERHEAD_MILLIS = 100;

/** The root volume that an instance is launched with. */
const ROOT_VOLUME = '100Gi';

const ZONES = ['local-1a', 'local-1b', 'local-1c'] as const;

const PROVIDER = 'nullplane-local';
const RUNTIME = { containerRuntimeVersion: 'nullplane://local', osImage: 'Nullplane local' };

export interface NodeGroup {
  readonly count: number;
  readonly shape: InstanceShape;
}

/** Reads `2xg5.12xlarge,10xm7i.xlarge`. Throws an Error that says what is wrong with it. */
export function parseNodeGroups(text: string): readonly NodeGroup[] {
  const groups = text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => parseGroup(part.trim()));
  const total = groups.reduce((sum, { count }) => sum + count, 0);
  if (total > MAX_NODES) throw new Error(`--nodes: ${total} nodes are more than ${MAX_NODES}`);
  return groups;
}

function parseGroup(part: string): NodeGroup {
  const match = /^(?:(\d{1,6})x)?([a-z0-9-]+\.[a-z0-9-]+)$/.exec(part);
  if (!match) throw new Error(`--nodes: "${part}" is not of the form 10xm7i.xlarge`);
  const [, count = '1', type = ''] = match;
  const shape = instanceShape(type);
  if (!shape) {
    const known = `c, m and r types such as m7i.xlarge, and ${knownGpuTypes().join(', ')}`;
    throw new Error(`--nodes: the shape of "${type}" is not known. Known are ${known}`);
  }
  return { count: Number(count), shape };
}

/** Drafts of all nodes: the virtual ones first. */
export function localNodes(groups: readonly NodeGroup[], nowMs: number): readonly Node[] {
  const counters = new Map<string, number>();
  const instances = groups.flatMap(({ count, shape }) =>
    Array.from({ length: count }, () => {
      const index = (counters.get(shape.type) ?? 0) + 1;
      counters.set(shape.type, index);
      return instanceNode(shape, index, nowMs);
    }),
  );
  return [
    ...virtualNodes({ zone: ZONES[0], provider: PROVIDER, runtime: RUNTIME }, nowMs),
    ...instances,
  ];
}

function instanceNode(shape: InstanceShape, index: number, nowMs: number): Node {
  const name = `${shape.type.replace('.', '-')}-${index}`;
  const gpus: { [resource: string]: string } = shape.gpu
    ? { 'nvidia.com/gpu': String(shape.gpu.count) }
    : {};
  const room = { 'ephemeral-storage': ROOT_VOLUME, pods: String(PODS_PER_NODE), ...gpus };
  const draft = {
    name,
    providerID: `${PROVIDER}:///${name}`,
    labels: {
      'nullplane.io/compute': 'ec2',
      [SIMULATED_LABEL]: 'true',
      'topology.kubernetes.io/zone': ZONES[(index - 1) % ZONES.length] ?? ZONES[0],
      'karpenter.sh/capacity-type': 'on-demand',
      ...typeLabels(shape.type, shape),
    },
    capacity: { cpu: String(shape.cpus), memory: `${shape.memoryMiB}Mi`, ...room },
    allocatable: {
      cpu: `${shape.cpus * 1000 - CPU_OVERHEAD_MILLIS}m`,
      memory: `${Math.floor(shape.memoryMiB * (1 - MEMORY_OVERHEAD))}Mi`,
      ...room,
    },
    ...RUNTIME,
  };
  return draftNode(draft, nowMs);
}
