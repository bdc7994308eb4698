/**
 * The nodes of local mode: Fargate's two virtual nodes, and simulated instances of the shapes asked
 * for.
 */
import type { Node } from '../shared/api/kinds/node.ts';
import { GPU_SHARING_LABEL, isGpuLabel } from '../shared/api/gpus.ts';
import { type InstanceType, nvidiaGpus } from '../shared/api/instance.ts';
import type { Labels } from '../shared/api/meta.ts';
import { allocatableOf, capacityOf, labelsOf } from '../shared/core/capacity/catalogue/nodes.ts';
import { allInstanceTypes, instanceType } from '../shared/core/capacity/catalogue/types.ts';
import { withGpuResources } from '../shared/core/node/gpus.ts';
import { draftNode } from '../shared/core/node/draft.ts';
import { virtualNodes } from '../shared/core/node/virtual-nodes.ts';

/** Marks the nodes that `--nodes` made, so that a later start knows which are no longer wanted. */
export const SIMULATED_LABEL = 'nullplane.io/simulated';

/** Enough for a bench of 50,000 pods, few enough to print. */
const MAX_NODES = 10_000;

/**
 * What is not as it would be on AWS: tasks here need no network interface of their own, so that a
 * node takes as many as kubelet's default, and they share this machine's disk.
 */
const LOCAL_ROOM = { pods: '110', 'ephemeral-storage': '100Gi' };

export const ZONES = ['local-1a', 'local-1b', 'local-1c'] as const;

const PROVIDER = 'nullplane-local';
const RUNTIME = { containerRuntimeVersion: 'nullplane://local', osImage: 'Nullplane local' };

export interface NodeGroup {
  readonly count: number;
  readonly type: InstanceType;
  /** What is said of the GPUs of its nodes, as labels. */
  readonly gpuLabels?: Labels;
}

/** Tasks here are simulated or Docker's: nobody but us hands out GPUs. */
const GPU_LABELS: Labels = { [GPU_SHARING_LABEL]: 'assigned' };

/**
 * Reads `2xg5.12xlarge,10xm7i.xlarge`. A type may be followed by labels of its GPUs, such as
 * `1xp4d.24xlarge/mig-0=3g.20gb_3g.20gb/gpu-sharing=assigned`, without `nullplane.io/`. Throws an
 * Error that says what is wrong with it.
 */
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
  const [group = '', ...labels] = part.split('/');
  const match = /^(?:(\d{1,6})x)?([a-z0-9-]+\.[a-z0-9-]+)$/.exec(group);
  if (!match) throw new Error(`--nodes: "${part}" is not of the form 10xm7i.xlarge`);
  const [, count = '1', name = ''] = match;
  const type = instanceType(name);
  if (!type) throw new Error(`--nodes: "${name}" is no type of EC2's. ${advice(name)}`);
  return { count: Number(count), type, gpuLabels: gpuLabelsOf(labels) };
}

function gpuLabelsOf(texts: readonly string[]): Labels {
  const labels = texts.map((text) => {
    const [name = '', value = ''] = text.split('=');
    const label = `nullplane.io/${name}`;
    if (value === '' || !isGpuLabel(label)) throw new Error(`--nodes: "${text}" says no GPU's`);
    return [label, value] as const;
  });
  return { ...GPU_LABELS, ...Object.fromEntries(labels) };
}

/** What the family has, or else some families. */
function advice(name: string): string {
  const [family = ''] = name.split('.');
  const sizes = allInstanceTypes().filter((type) => type.name.startsWith(`${family}.`));
  if (sizes.length === 0) return 'There are, for example, m7i.xlarge, c8g.2xlarge, g5.12xlarge';
  return `There are ${sizes.map((type) => type.name).join(', ')}`;
}

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
