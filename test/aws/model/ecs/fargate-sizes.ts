/** The sizes that Fargate runs: memory in MiB by CPU units (aws-semantics.md 3.4). */

const GIB = 1024;

const MEMORY_MIB: ReadonlyMap<number, readonly number[]> = new Map([
  [256, [512, 1024, 2048]],
  [512, steps(1, 4, 1)],
  [1024, steps(2, 8, 1)],
  [2048, steps(4, 16, 1)],
  [4096, steps(8, 30, 1)],
  [8192, steps(16, 60, 4)],
  [16_384, steps(32, 120, 8)],
]);

function steps(fromGiB: number, toGiB: number, byGiB: number): number[] {
  const count = (toGiB - fromGiB) / byGiB + 1;
  return Array.from({ length: count }, (_, i) => (fromGiB + i * byGiB) * GIB);
}

/** `1 vCPU` and `2 GB` mean the same as `1024` and `2048`. */
export function unitsOf(text: string | undefined): number | undefined {
  const match = /^([\d.]+)\s*(vcpu|gb)?$/i.exec(text ?? '');
  if (!match) return undefined;
  return Number(match[1]) * (match[2] === undefined ? 1 : GIB);
}

/** What is wrong with the size, or undefined. */
export function fargateSizeError(cpu?: string, memory?: string): string | undefined {
  const [units, memoryMiB] = [unitsOf(cpu), unitsOf(memory)];
  if (units === undefined || memoryMiB === undefined) {
    return "Fargate requires that 'cpu' and 'memory' be defined at the task level.";
  }
  if (MEMORY_MIB.get(units)?.includes(memoryMiB)) return undefined;
  return 'No Fargate configuration exists for given values: ' + `${cpu} CPU, ${memory} memory.`;
}
