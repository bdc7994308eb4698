/** Lists of machines as people type them: `2xg5.12xlarge,10xm7i.xlarge`. */
import { GPU_SHARING_LABEL, isGpuLabel } from '../../../api/gpus.ts';
import type { InstanceType } from '../../../api/instance.ts';
import type { Labels } from '../../../api/meta.ts';
import { allInstanceTypes, instanceType } from './types.ts';

/** Enough for a bench of 50,000 pods, few enough to print. */
const MAX_NODES = 10_000;

export interface NodeGroup {
  readonly count: number;
  readonly type: InstanceType;
  /** What is said of the GPUs of its nodes, as labels. */
  readonly gpuLabels?: Labels;
}

/** Of nodes of no cloud: nobody but us hands out GPUs. */
export const GPU_LABELS: Labels = { [GPU_SHARING_LABEL]: 'assigned' };

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
