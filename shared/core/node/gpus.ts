/**
 * What a node offers of its GPUs, by what it has and what its labels say: whole devices,
 * thousandths and memory where they are shared, slices where they are split. Pure. One place for
 * machines that joined, that are coming, and that could be launched.
 */
import {
  GPU,
  GPU_MEMORY,
  GPU_MEMORY_LABEL,
  GPU_MILLI,
  gpuSharingOf,
  isOfSharedGpus,
  migResource,
  migSlicesOf,
  WHOLE_GPU_MILLI,
} from '../../api/gpus.ts';
import type { Labels } from '../../api/meta.ts';
import type { Requests } from '../pod/requests.ts';

/**
 * The room with what its devices offer; `room` counts all of them as whole. Room that has been
 * through here is returned as it is.
 *
 * Slices are for us to hand out: they are offered where we hand out the node's GPUs.
 */
export function withGpuOffer(room: Requests, labels: Labels): Requests {
  const sharing = gpuSharingOf(labels);
  const gpus = room[GPU] ?? 0;
  if (sharing === undefined || gpus === 0 || isOffered(room)) return room;
  const slices = sharing === 'assigned' ? sliceCounts(labels, gpus) : new Map<string, number>();
  const split = sharing === 'assigned' ? splitDevices(labels, gpus).length : 0;
  const whole = gpus - split;
  const memoryMiB = Number(labels[GPU_MEMORY_LABEL] ?? 0);
  const { [GPU]: _, ...rest } = room;
  return {
    ...rest,
    ...(whole > 0 ? { [GPU]: whole, [GPU_MILLI]: whole * WHOLE_GPU_MILLI } : {}),
    ...(whole > 0 && memoryMiB > 0 ? { [GPU_MEMORY]: whole * memoryMiB } : {}),
    ...Object.fromEntries(slices),
  };
}

function isOffered(room: Requests): boolean {
  return Object.keys(room).some(isOfSharedGpus);
}

function splitDevices(labels: Labels, gpus: number): readonly (readonly string[])[] {
  return [...migSlicesOf(labels)].filter(([index]) => index < gpus).map(([, slices]) => slices);
}

function sliceCounts(labels: Labels, gpus: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const profile of splitDevices(labels, gpus).flat()) {
    const resource = migResource(profile);
    counts.set(resource, (counts.get(resource) ?? 0) + 1);
  }
  return counts;
}

type Resources = { readonly [resource: string]: string };

/** The same for a node's status, whose amounts are texts. */
export function withGpuResources(resources: Resources, labels: Labels): Resources {
  const gpus = Number(resources[GPU] ?? 0);
  const known = Object.keys(resources).filter(isOfSharedGpus);
  const counted = Object.fromEntries(known.map((name) => [name, Number(resources[name])]));
  const offer = withGpuOffer({ ...counted, ...(gpus > 0 ? { [GPU]: gpus } : {}) }, labels);
  const { [GPU]: _, ...rest } = resources;
  const texts = Object.entries(offer).map(([name, amount]) => [name, String(amount)] as const);
  return { ...rest, ...Object.fromEntries(texts) };
}
