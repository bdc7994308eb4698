/**
 * GPUs in the words of manifests and node labels: whole ones, parts of one, and MIG profiles. Owns
 * names and notations; what a pod's containers ask is core/pod/gpus.ts, who gets which device is
 * core/scheduling/gpu.
 *
 * A device has the index by which nvidia-smi lists it; a MIG slice is `GPU:slice`, such as `0:2`.
 * That is what `NVIDIA_VISIBLE_DEVICES` takes (NVIDIA Container Toolkit, "Environment variables").
 */

/** Whole devices. */
export const GPU = 'nvidia.com/gpu';
/** Thousandths of one device. */
export const GPU_MILLI = 'nullplane.io/gpu-milli';
/** Memory of that device, in MiB: goes with `GPU_MILLI`. */
export const GPU_MEMORY = 'nullplane.io/gpu-memory-mib';

export const WHOLE_GPU_MILLI = 1000;

/** `nvidia.com/mig-1g.10gb`, as NVIDIA's device plugin calls slices ("mixed" strategy). */
const MIG_RESOURCE = /^nvidia\.com\/mig-(\d+g\.\d+gb(?:\.me)?)$/;

/** The profile that the resource counts; undefined for other resources. */
export function migProfileOf(resource: string): string | undefined {
  return MIG_RESOURCE.exec(resource)?.[1];
}

export function migResource(profile: string): string {
  return `nvidia.com/mig-${profile}`;
}

/** What of a container's resources a device has to be found for. */
export function isGpuResource(resource: string): boolean {
  return resource === GPU || resource === GPU_MILLI || migProfileOf(resource) !== undefined;
}

/** Nodes offer these where their label says who shares or splits devices. */
export function isOfSharedGpus(resource: string): boolean {
  return resource === GPU_MILLI || resource === GPU_MEMORY || migProfileOf(resource) !== undefined;
}

/**
 * Who hands out the GPUs of a node:
 *  - `assigned`: we do, by `NVIDIA_VISIBLE_DEVICES`; whole, in parts and as MIG slices;
 *  - `mps`: the runtime does (ECS), whole, and in parts that MPS keeps to their share;
 *  - a node without the label has whole ones, which the runtime hands out.
 * The two ways don't know of each other, so that a node has one of them.
 */
export const GPU_SHARING_LABEL = 'nullplane.io/gpu-sharing';
export type GpuSharing = 'assigned' | 'mps';

/** `nullplane.io/mig-0: 3g.20gb_2g.10gb_2g.10gb`: the slices of GPU 0, as they are numbered. */
const MIG_LABEL = /^nullplane\.io\/mig-(\d{1,2})$/;
const MIG_SEPARATOR = '_';

/** `0-1-2-3_4-5-6-7`: the devices that NVLink joins; all of them where the label is missing. */
export const GPU_LINKS_LABEL = 'nullplane.io/gpu-links';

/** Of each device, in MiB. */
export const GPU_MEMORY_LABEL = 'karpenter.k8s.aws/instance-gpu-memory';
export const GPU_NAME_LABEL = 'karpenter.k8s.aws/instance-gpu-name';

/** On a pod: `mps` when its part of a device must not take more than its share. */
export const GPU_ISOLATION_ANNOTATION = 'nullplane.io/gpu-isolation';
/** On a bound pod, for people: the devices of each container. */
export const GPU_DEVICES_ANNOTATION = 'nullplane.io/gpu-devices';

/** The variable by which a container sees devices; `void` for none. */
export const VISIBLE_DEVICES = 'NVIDIA_VISIBLE_DEVICES';

type Labels = { readonly [name: string]: string };

export function gpuSharingOf(labels: Labels = {}): GpuSharing | undefined {
  const value = labels[GPU_SHARING_LABEL];
  return value === 'assigned' || value === 'mps' ? value : undefined;
}

/** Labels about GPUs that pools may give their machines. */
export function isGpuLabel(label: string): boolean {
  return label === GPU_SHARING_LABEL || label === GPU_LINKS_LABEL || MIG_LABEL.test(label);
}

/** The profiles that the slices of each split device have, by the device's index. */
export function migSlicesOf(labels: Labels = {}): ReadonlyMap<number, readonly string[]> {
  const slices = Object.entries(labels).flatMap(([label, value]) => {
    const index = MIG_LABEL.exec(label)?.[1];
    if (index === undefined) return [];
    const profiles = value.split(MIG_SEPARATOR);
    const isRead = profiles.every((one) => migProfileOf(migResource(one)) !== undefined);
    return isRead ? [[Number(index), profiles] as const] : [];
  });
  return new Map(slices.sort(([a], [b]) => a - b));
}

/** Groups of devices that are joined; undefined where nothing is said of it. */
export function gpuLinksOf(labels: Labels = {}): readonly (readonly number[])[] | undefined {
  const text = labels[GPU_LINKS_LABEL];
  if (text === undefined || !/^\d{1,2}([-_]\d{1,2})*$/.test(text)) return undefined;
  return text.split('_').map((group) => group.split('-').map(Number));
}

/** By container: `0,3`, or `0:2,0:3` for slices. */
export type DevicesByContainer = { readonly [container: string]: string };
