/** What a task asks for, and the size of Fargate that holds it. */
import {
  LARGEST_FARGATE_SIZE,
  roundedToFargate,
  type TaskSize,
  taskSizeOf,
  UNITS_PER_VCPU,
} from '../../../shared/api/fargate-sizes.ts';
import type { ContainerSpec, TaskSpec } from '../../../shared/api/task.ts';
import { TaskRejected } from '../../../shared/ports/runtime.ts';

export type Size = TaskSize;

export const MIB = 2 ** 20;

/** What the containers that run side by side ask for, or the hungriest init container. */
export function requestedSize({ containers, initContainers }: TaskSpec): Size {
  const together = containers.map(requestOf).reduce(plus, { cpu: 0, memoryMiB: 0 });
  return initContainers.map(requestOf).reduce(larger, together);
}

/** What one container asks for; rounded up. */
export function requestOf({ cpuMillisRequest, memoryBytesRequest = 0 }: ContainerSpec): Size {
  return taskSizeOf(cpuMillisRequest, memoryBytesRequest);
}

/** The smallest size of Fargate that holds what is asked for. Throws `TaskRejected`. */
export function fargateSize(asked: Size): Size {
  const size = roundedToFargate(asked);
  if (size) return size;
  throw new TaskRejected(
    'TaskTooLarge',
    `Fargate has no size for ${sizeText(asked)}: the largest is ${sizeText(LARGEST_FARGATE_SIZE)}`,
  );
}

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
