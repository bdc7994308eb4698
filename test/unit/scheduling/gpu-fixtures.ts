/** Nodes with GPUs and pods that ask for them. */
import type { Node } from '../../../shared/api/kinds/node.ts';
import type { Pod, PodControl } from '../../../shared/api/kinds/pod.ts';
import type { Labels } from '../../../shared/api/meta.ts';
import { withGpuResources } from '../../../shared/core/node/gpus.ts';
import { node, pod } from './fixtures.ts';

/** With this much memory each. */
export const GPU_MIB = 24_000;

export function gpuNode(
  name: string,
  gpus: number,
  labels: Labels = { 'nullplane.io/gpu-sharing': 'assigned' },
): Node {
  const all = { 'karpenter.k8s.aws/instance-gpu-memory': String(GPU_MIB), ...labels };
  const room = { cpu: '64', memory: '512Gi', 'nvidia.com/gpu': String(gpus) };
  return node(name, { labels: all, allocatable: withGpuResources(room, all) });
}

export type Asked = { readonly [resource: string]: string };

export const whole = (count: number): Asked => ({ 'nvidia.com/gpu': String(count) });
export const share = (milli: number, memoryMiB = 0): Asked => ({
  'nullplane.io/gpu-milli': String(milli),
  ...(memoryMiB > 0 ? { 'nullplane.io/gpu-memory-mib': String(memoryMiB) } : {}),
});
export const slices = (profile: string, count = 1): Asked => ({
  [`nvidia.com/mig-${profile}`]: String(count),
});

export function gpuPod(name: string, asked: Asked, given: Parameters<typeof pod>[1] = {}): Pod {
  return pod(name, { requests: { cpu: '100m', ...asked }, ...given });
}

/** Bound, with devices that the scheduler chose: `main` is the container of these pods. */
export function holding(on: string, devices: string, given: Pod): Pod {
  const control: PodControl = { attempt: 1, gpuDevices: { main: devices } };
  const spec = { ...given.spec, nodeName: on };
  return { ...given, spec, status: { ...given.status, phase: 'Running' }, control };
}

/** By MPS, where the pod asks for it. */
export const ISOLATED = {
  meta: { annotations: { 'nullplane.io/gpu-isolation': 'mps' } },
} as const;
