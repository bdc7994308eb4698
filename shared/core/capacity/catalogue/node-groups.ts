/** Lists of machines as people type them: `2xg5.12xlarge,10xm7i.xlarge`. */
import { GPU_SHARING_LABEL, isGpuLabel } from '../../../api/gpus.ts';
import { type InstanceType, nvidiaGpus } from '../../../api/instance.ts';
import type { Labels } from '../../../api/meta.ts';
import { labelValue } from '../../../api/names.ts';
import { CELL_LABEL } from '../../../api/node-labels.ts';
import { allInstanceTypes, instanceType } from './types.ts';

/** Enough for a bench of 50,000 pods, few enough to print. */
const MAX_NODES = 10_000;

export interface NodeGroup {
  readonly count: number;
  readonly type: InstanceType;
  /** Of its nodes, beside those of their type: who shares their GPUs, and their cell. */
  readonly labels: Labels;
}

/** Of nodes of no cloud: nobody but us hands out GPUs. */
const GPU_LABELS: Labels = { [GPU_SHARING_LABEL]: 'assigned' };

/**
 * Reads `2xg5.12xlarge,10xm7i.xlarge`. A type may be followed by its nodes' cell and by labels of
 * its GPUs, such as `1xp4d.24xlarge/cell=batch/mig-0=3g.20gb_3g.20gb`, without `nullplane.io/`.
 * Throws an Error that says what is wrong with it.
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
  return { count: Number(count), type, labels: labelsFor(type, labels) };
}

function labelsFor(type: InstanceType, texts: readonly string[]): Labels {
  const hasGpus = nvidiaGpus(type) > 0;
  const labels = texts.map((text) => {
    const [name = '', value = ''] = text.split('=');
    const label = `nullplane.io/${name}`;
    const isKnown = label === CELL_LABEL || isGpuLabel(label);
    if (!isKnown) throw new Error(`--nodes: "${text}" is neither of a cell nor of GPUs`);
    const [fault] = labelValue(value);
    if (value === '' || fault) throw new Error(`--nodes: "${text}": ${fault ?? 'has no value'}`);
    if (isGpuLabel(label) && !hasGpus) throw new Error(`--nodes: ${type.name} has no such GPUs`);
    return [label, value] as const;
  });
  return { ...(hasGpus ? GPU_LABELS : {}), ...Object.fromEntries(labels) };
}

export interface GroupMember extends Pick<NodeGroup, 'type' | 'labels'> {
  /** Counted by type, over all groups: `m7i-xlarge-1`. */
  readonly name: string;
  /** From 0, by type. */
  readonly index: number;
}

export function membersOf(groups: readonly NodeGroup[]): readonly GroupMember[] {
  const counts = new Map<string, number>();
  return groups.flatMap(({ count, type, labels }) =>
    Array.from({ length: count }, () => {
      const index = counts.get(type.name) ?? 0;
      counts.set(type.name, index + 1);
      return { type, labels, index, name: `${type.name.replace('.', '-')}-${index + 1}` };
    }),
  );
}

/** What the family has, or else some families. */
function advice(name: string): string {
  const [family = ''] = name.split('.');
  const sizes = allInstanceTypes().filter((type) => type.name.startsWith(`${family}.`));
  if (sizes.length === 0) return 'There are, for example, m7i.xlarge, c8g.2xlarge, g5.12xlarge';
  return `There are ${sizes.map((type) => type.name).join(', ')}`;
}
