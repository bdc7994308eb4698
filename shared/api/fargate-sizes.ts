/**
 * The sizes of tasks that Fargate runs, and the rounding up to them. CPU in units of 1/1024 vCPU,
 * memory in MiB. Source: Amazon ECS Developer Guide, "Task CPU and memory" (up to 16 vCPU; larger
 * sizes exist, whose steps are not documented).
 */

export interface TaskSize {
  readonly cpu: number;
  readonly memoryMiB: number;
}

export const UNITS_PER_VCPU = 1024;
const MIB = 2 ** 20;

/** By CPU, the least and the most memory, and its step. In order: the first that holds is given. */
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

export const LARGEST_FARGATE_SIZE: TaskSize = { cpu: 16_384, memoryMiB: 122_880 };

/** Each task has that much storage; what goes beyond is asked for, and paid, up to the most. */
export const FARGATE_INCLUDED_STORAGE_GIB = 20;
export const FARGATE_MAX_STORAGE_GIB = 200;

/** All of them, the smallest first. */
export function fargateSizes(): readonly TaskSize[] {
  return GRID.flatMap(([cpu, min, max, step]) =>
    Array.from({ length: (max - min) / step + 1 }, (_, i) => ({ cpu, memoryMiB: min + i * step })),
  );
}

/** The smallest size that holds what is asked for; undefined where none does. */
export function roundedToFargate({ cpu: askedCpu, memoryMiB }: TaskSize): TaskSize | undefined {
  for (const [cpu, min, max, step] of GRID) {
    if (askedCpu > cpu || memoryMiB > max) continue;
    const steps = Math.ceil(Math.max(memoryMiB - min, 0) / step);
    return { cpu, memoryMiB: min + steps * step };
  }
  return undefined;
}

/** What pods ask for, in the units of tasks; rounded up. */
export function taskSizeOf(cpuMillis: number, memoryBytes: number): TaskSize {
  return {
    cpu: Math.ceil((cpuMillis * UNITS_PER_VCPU) / 1000),
    memoryMiB: Math.ceil(memoryBytes / MIB),
  };
}
