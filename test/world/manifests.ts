/** Manifests as people write them, in short. */
import type { AnyObject, Labels } from '../../shared/api/meta.ts';
import { withGpuResources } from '../../shared/core/node/gpus.ts';

export function namespace(name: string): AnyObject {
  return manifest('v1', 'Namespace', { name });
}

export interface Room {
  readonly cpu: string;
  readonly memory: string;
  readonly pods?: string;
  readonly 'nvidia.com/gpu'?: string;
}

export function node(name: string, room: Room, labels: Labels = {}): AnyObject {
  const allocatable = withGpuResources({ pods: '110', ...room }, labels);
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady' };
  return manifest(
    'v1',
    'Node',
    { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    { spec: {}, status: { capacity: allocatable, allocatable, conditions: [ready] } },
  );
}

export interface PodShape {
  readonly image?: string;
  readonly cpu?: string;
  readonly gpuMilli?: number;
  readonly restartPolicy?: string;
  readonly command?: readonly string[];
  readonly nodeSelector?: { readonly [label: string]: string };
}

export function podSpec(shape: PodShape): object {
  const { image = 'app:1', cpu = '100m', gpuMilli, restartPolicy, command, nodeSelector } = shape;
  const limits = gpuMilli === undefined ? {} : { limits: { 'nullplane.io/gpu-milli': gpuMilli } };
  const resources = { requests: { cpu, memory: '64Mi' }, ...limits };
  return {
    containers: [{ name: 'main', image, resources, ...(command ? { command } : {}) }],
    terminationGracePeriodSeconds: 5,
    ...(nodeSelector ? { nodeSelector } : {}),
    ...(restartPolicy ? { restartPolicy } : {}),
  };
}

export function pod(name: string, ns: string, shape: PodShape): AnyObject {
  const metadata = { name, namespace: ns, labels: { app: name } };
  return manifest('v1', 'Pod', metadata, { spec: podSpec(shape) });
}

export function deployment(
  name: string,
  ns: string,
  {
    replicas = 1,
    strategy,
    behaviour,
    ...shape
  }: PodShape & {
    readonly replicas?: number;
    readonly strategy?: object;
    /** How simulated tasks behave. */
    readonly behaviour?: object;
  },
): AnyObject {
  const labels = { app: name };
  const annotations = { 'nullplane.io/simulate': JSON.stringify(behaviour) };
  return manifest(
    'apps/v1',
    'Deployment',
    { name, namespace: ns },
    {
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels, ...(behaviour ? { annotations } : {}) },
          spec: podSpec(shape),
        },
        ...(strategy ? { strategy } : {}),
      },
    },
  );
}

export function service(name: string, ns: string, selector: object): AnyObject {
  const spec = { selector, ports: [{ port: 80, targetPort: 8080 }] };
  return manifest('v1', 'Service', { name, namespace: ns }, { spec });
}

/** The server fills in what a client leaves out. */
function manifest(apiVersion: string, kind: string, metadata: object, rest = {}): AnyObject {
  return { apiVersion, kind, metadata, ...rest } as AnyObject;
}
