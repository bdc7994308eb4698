/**
 * Shapes of the EC2 instance types that `--nodes` may name: virtual CPUs, memory, GPUs. General
 * sizes follow from their family; GPU types are listed. Source: Amazon EC2 instance types pages,
 * July 2026.
 */
import type { InstanceShape as Shape } from '../shared/api/instance.ts';

export interface InstanceShape extends Shape {
  readonly type: string;
}

/** GiB of memory per virtual CPU, by the letter that families of general types start with. */
const GIB_PER_CPU: { readonly [letter: string]: number } = { c: 2, m: 4, r: 8 };

const CPUS: { readonly [size: string]: number } = {
  medium: 1,
  large: 2,
  xlarge: 4,
  '2xlarge': 8,
  '4xlarge': 16,
  '8xlarge': 32,
  '12xlarge': 48,
  '16xlarge': 64,
  '24xlarge': 96,
  '48xlarge': 192,
};

type GpuRow = readonly [
  type: string,
  cpus: number,
  memoryGiB: number,
  name: string,
  count: number,
  gpuMiB: number,
];

const GPU_TYPES: readonly GpuRow[] = [
  ['g4dn.xlarge', 4, 16, 't4', 1, 16384],
  ['g4dn.2xlarge', 8, 32, 't4', 1, 16384],
  ['g4dn.12xlarge', 48, 192, 't4', 4, 16384],
  ['g5.xlarge', 4, 16, 'a10g', 1, 22888],
  ['g5.2xlarge', 8, 32, 'a10g', 1, 22888],
  ['g5.4xlarge', 16, 64, 'a10g', 1, 22888],
  ['g5.12xlarge', 48, 192, 'a10g', 4, 22888],
  ['g5.48xlarge', 192, 768, 'a10g', 8, 22888],
  ['g6.xlarge', 4, 16, 'l4', 1, 22888],
  ['g6.12xlarge', 48, 192, 'l4', 4, 22888],
  ['p3.2xlarge', 8, 61, 'v100', 1, 16384],
  ['p3.8xlarge', 32, 244, 'v100', 4, 16384],
  ['p4d.24xlarge', 96, 1152, 'a100', 8, 40960],
  ['p5.48xlarge', 192, 2048, 'h100', 8, 81920],
];

/** The shape of a type; undefined for types that are not known here. */
export function instanceShape(type: string): InstanceShape | undefined {
  const row = GPU_TYPES.find(([name]) => name === type);
  if (row) {
    const [, cpus, memoryGiB, name, count, memoryMiB] = row;
    return {
      type,
      cpus,
      memoryMiB: memoryGiB * 1024,
      arch: 'amd64',
      gpu: { name, count, memoryMiB },
    };
  }
  return generalShape(type);
}

/**
 * Types such as m7i.xlarge or c8g.2xlarge: a family letter, a generation, processor letters, a
 * size.
 */
function generalShape(type: string): InstanceShape | undefined {
  const match = /^([cmr])([5-9])(a|i|g|gd|id|n|in|gn)?\.([a-z0-9]{5,8})$/.exec(type);
  if (!match) return undefined;
  const [, family = '', , processor = '', size = ''] = match;
  const cpus = CPUS[size];
  const gibPerCpu = GIB_PER_CPU[family];
  if (cpus === undefined || gibPerCpu === undefined) return undefined;
  const arch = processor.startsWith('g') ? 'arm64' : 'amd64';
  return { type, cpus, memoryMiB: cpus * gibPerCpu * 1024, arch };
}

export function knownGpuTypes(): readonly string[] {
  return GPU_TYPES.map(([type]) => type);
}
