/**
 * How many GPUs, with how much memory each, a machine needs for the pods on it: the sums of what
 * they ask for do not say, since a part is of one device. The answer is a way to lay them out, so
 * that a machine that has so much does have room; now and then fewer would do.
 *
 * Slices are not in it: how many of a profile a machine has is all that matters.
 */
import { GPU, GPU_MEMORY, GPU_MILLI, WHOLE_GPU_MILLI } from '../../api/gpus.ts';
import { type GpuAsk, type GpuPart, wholeDevices } from '../pod/gpus.ts';
import type { Requests } from '../pod/requests.ts';

export interface GpuNeeds {
  readonly devices: number;
  /** Of the device of which most is asked. */
  readonly memoryMiB: number;
}

/** So many pods of one kind. */
export interface AskedGpus {
  readonly ask: GpuAsk;
  readonly pods: number;
}

const NO_GPUS: GpuNeeds = { devices: 0, memoryMiB: 0 };

/** Parts are laid out the large ones first, each on the fullest device that has room. */
export function gpuNeeds(asked: readonly AskedGpus[]): GpuNeeds {
  if (asked.length === 0) return NO_GPUS;
  const parts = asked.flatMap(({ ask, pods }) =>
    ask.parts.flatMap((part) => Array.from({ length: pods }, () => part)),
  );
  const shared: { milli: number; memoryMiB: number }[] = [];
  const shares = parts.filter(({ kind }) => kind === 'share').sort(largestFirst);
  for (const { milli, memoryMiB } of shares) {
    const open = shared
      .filter((device) => device.milli + milli <= WHOLE_GPU_MILLI)
      .sort((a, b) => b.milli - a.milli)[0];
    if (open) {
      open.milli += milli;
      open.memoryMiB += memoryMiB;
    } else shared.push({ milli, memoryMiB });
  }
  const memoryMiB = Math.max(0, ...shared.map((device) => device.memoryMiB));
  return { devices: wholeDevices(parts) + shared.length, memoryMiB };
}

function largestFirst(a: GpuPart, b: GpuPart): number {
  return b.milli - a.milli || b.memoryMiB - a.memoryMiB;
}

/** Whether a machine with this room has so much. */
export function hasGpus(room: Requests, { devices, memoryMiB }: GpuNeeds): boolean {
  return (room[GPU] ?? 0) >= devices && memoryOfOne(room) >= memoryMiB;
}

/** In MiB; 0 where devices are not shared. */
export function memoryOfOne(room: Requests): number {
  const devices = (room[GPU_MILLI] ?? 0) / WHOLE_GPU_MILLI;
  return devices > 0 ? (room[GPU_MEMORY] ?? 0) / devices : 0;
}
