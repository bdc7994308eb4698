/** What a task asks for, and the sizes that Fargate has. CPU in units of 1/1024 vCPU, MiB. */
import type { ContainerSpec, TaskSpec } from '../../../shared/api/task.ts';
import { TaskRejected } from '../../../shared/ports/runtime.ts';

export interface Size {
  readonly cpu: number;
  readonly memoryMiB: number;
}

export const MIB = 2 ** 20;
const UNITS_PER_VCPU = 1024;

/** "Task CPU and memory": by CPU, the least and the most memory, and its step. */
const GRID: readonly (readonly [cpu: number, min: number, max: number, step: number])[] = [
  [256, 512, 512, 512],
  [256, 1024, 2048, 1024],
  [512, 1024, 4096, 1024],
  [1024, 2048, 8192, 1024],
  [2048, 4096, 16_384, 1024],
  [4096, 8192, 30_720, 1024],
  [8192, 16_384, 61_440, 4096],
  [16_384, 32_768, 122_880, 8192],
];

/** What the containers that run side by side ask for, or the hungriest init container. */
export function requestedSize({ containers, initContainers }: TaskSpec): Size {
  const together = containers.map(requestOf).reduce(plus, { cpu: 0, memoryMiB: 0 });
  return initContainers.map(requestOf).reduce(larger, together);
}

/** What one container asks for; rounded up. */
export function requestOf(container: ContainerSpec): Size {
  const { cpuMillisRequest, memoryBytesRequest = 0 } = container;
  return {
    cpu: Math.ceil((cpuMillisRequest * UNITS_PER_VCPU) / 1000),
    memoryMiB: Math.ceil(memoryBytesRequest / MIB),
  };
}

/** The smallest size of Fargate that holds what is asked for. Throws `TaskRejected`. */
export function fargateSize(asked: Size): Size {
  for (const [cpu, min, max, step] of GRID) {
    if (asked.cpu > cpu || asked.memoryMiB > max) continue;
    const steps = Math.ceil(Math.max(asked.memoryMiB - min, 0) / step);
    return { cpu, memoryMiB: min + steps * step };
  }
  throw new TaskRejected(
    'TaskTooLarge',
    `Fargate has no size for ${sizeText(asked)}: the largest is ${sizeText(LARGEST)}`,
  );
}

const LARGEST: Size = { cpu: 16_384, memoryMiB: 122_880 };

/** Such as `0.25 vCPU / 512 MiB`; of characters that tags may have. */
export function sizeText({ cpu, memoryMiB }: Size): string {
  return `${Number((cpu / UNITS_PER_VCPU).toFixed(3))} vCPU / ${memoryMiB} MiB`;
}

function plus(a: Size, b: Size): Size {
  return { cpu: a.cpu + b.cpu, memoryMiB: a.memoryMiB + b.memoryMiB };
}

function larger(a: Size, b: Size): Size {
  return { cpu: Math.max(a.cpu, b.cpu), memoryMiB: Math.max(a.memoryMiB, b.memoryMiB) };
}
