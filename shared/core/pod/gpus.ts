/**
 * What a pod asks of GPUs, container by container: devices have to be found for each. Sums of
 * resources are requests.ts; which devices it gets is core/scheduling/gpu.
 */
import {
  GPU,
  GPU_ISOLATION_ANNOTATION,
  GPU_MEMORY,
  GPU_MILLI,
  migProfileOf,
  WHOLE_GPU_MILLI,
} from '../../api/gpus.ts';
import type { Container } from '../../api/kinds/container.ts';
import type { Pod, PodSpec } from '../../api/kinds/pod.ts';
import { isSidecar } from './phase.ts';
import { containerRequests } from './requests.ts';

/** One container's wish: whole devices, a part of one, or slices of a profile. */
export interface GpuPart {
  /** '' for what only init containers ask for. */
  readonly container: string;
  readonly kind: 'whole' | 'share' | 'slice';
  /** How many devices, or slices; 1 for a part of one. */
  readonly count: number;
  /** Thousandths of each device. */
  readonly milli: number;
  /** Of the device, for a part; 0 where it does not say. */
  readonly memoryMiB: number;
  readonly profile?: string;
}

export interface GpuAsk {
  readonly parts: readonly GpuPart[];
  /** By MPS, on nodes that have it. */
  readonly isIsolated: boolean;
}

/** Undefined for a pod that asks for no GPU. */
export function gpuAskOf(pod: Pick<Pod, 'spec' | 'metadata'>): GpuAsk | undefined {
  const parts = gpuPartsOf(pod.spec);
  if (parts.length === 0) return undefined;
  return { parts, isIsolated: isGpuIsolated(pod) };
}

export function isGpuIsolated({ metadata }: Pick<Pod, 'metadata'>): boolean {
  return metadata.annotations?.[GPU_ISOLATION_ANNOTATION] === 'mps';
}

type Containers = Pick<PodSpec, 'containers' | 'initContainers'>;

/**
 * Init containers run before the others and see the others' whole devices; where one of them wants
 * more of these, the rest is held for it.
 */
export function gpuPartsOf({ containers, initContainers = [] }: Containers): readonly GpuPart[] {
  const sidecars = initContainers.filter(isSidecar);
  const parts = [...sidecars, ...containers].flatMap((container) => partsOf(container));
  const first = initContainers.filter((container) => !isSidecar(container)).map(wholeOf);
  const more = Math.max(0, ...first) - wholeDevices(parts);
  return more > 0 ? [...parts, wholePart('', more)] : parts;
}

/** How many devices these take whole. */
export function wholeDevices(parts: readonly GpuPart[]): number {
  return parts.reduce((sum, { kind, count }) => sum + (kind === 'whole' ? count : 0), 0);
}

function wholeOf(container: Pick<Container, 'resources'>): number {
  return containerRequests(container)[GPU] ?? 0;
}

function wholePart(container: string, count: number): GpuPart {
  return { container, kind: 'whole', count, milli: WHOLE_GPU_MILLI, memoryMiB: 0 };
}

function partsOf({ name, resources }: Container): readonly GpuPart[] {
  const requests = containerRequests({ resources });
  const parts: GpuPart[] = [];
  const whole = requests[GPU] ?? 0;
  if (whole > 0) parts.push(wholePart(name, whole));
  const milli = requests[GPU_MILLI] ?? 0;
  if (milli > 0) {
    const memoryMiB = requests[GPU_MEMORY] ?? 0;
    parts.push({ container: name, kind: 'share', count: 1, milli, memoryMiB });
  }
  for (const [resource, count] of Object.entries(requests)) {
    const profile = migProfileOf(resource);
    if (profile === undefined || count <= 0) continue;
    parts.push({ container: name, kind: 'slice', count, milli: 0, memoryMiB: 0, profile });
  }
  return parts;
}

/**
 * The devices that the container sees, of those that its pod was given; undefined where we give
 * none. An init container sees as many of the pod's whole devices as it asks for.
 */
export function gpuDevicesOf(pod: Pod, container: Container): readonly string[] | undefined {
  const given = pod.control?.gpuDevices;
  if (!given) return undefined;
  const namesOf = (name: string) => given[name]?.split(',').filter(Boolean) ?? [];
  const isFirst = pod.spec.initContainers?.includes(container) === true && !isSidecar(container);
  if (!isFirst) return namesOf(container.name);
  const whole = gpuPartsOf(pod.spec).filter(({ kind }) => kind === 'whole');
  const all = whole.flatMap((part) => namesOf(part.container));
  return all.slice(0, wholeOf(container));
}
