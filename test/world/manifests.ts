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
  readonly priorityClassName?: string;
}

export function podSpec(shape: PodShape): object {
  const { image = 'app:1', cpu = '100m', gpuMilli, restartPolicy, command, nodeSelector } = shape;
  const { priorityClassName } = shape;
  const limits = gpuMilli === undefined ? {} : { limits: { 'nullplane.io/gpu-milli': gpuMilli } };
  const resources = { requests: { cpu, memory: '64Mi' }, ...limits };
  return {
    containers: [{ name: 'main', image, resources, ...(command ? { command } : {}) }],
    terminationGracePeriodSeconds: 5,
    ...(nodeSelector ? { nodeSelector } : {}),
    ...(restartPolicy ? { restartPolicy } : {}),
    ...(priorityClassName ? { priorityClassName } : {}),
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
    labels: more = {},
    ...shape
  }: PodShape & {
    readonly replicas?: number;
    readonly strategy?: object;
    /** How simulated tasks behave. */
    readonly behaviour?: object;
    /** Of its pods, besides. */
    readonly labels?: { readonly [name: string]: string };
  },
): AnyObject {
  const matchLabels = { app: name };
  const labels = { ...matchLabels, ...more };
  const annotations = { 'nullplane.io/simulate': JSON.stringify(behaviour) };
  return manifest(
    'apps/v1',
    'Deployment',
    { name, namespace: ns },
    {
      spec: {
        replicas,
        selector: { matchLabels },
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

/** A disruption budget of the pods of a Deployment. */
export function budget(name: string, ns: string, limits: object): AnyObject {
  const spec = { selector: { matchLabels: { app: name } }, ...limits };
  return manifest('policy/v1', 'PodDisruptionBudget', { name, namespace: ns }, { spec });
}

/** Pods that are placed together; they name it in their label. */
export function podGroup(name: string, ns: string, minMember: number): AnyObject {
  const spec = { minMember };
  return manifest('scheduling.x-k8s.io/v1alpha1', 'PodGroup', { name, namespace: ns }, { spec });
}

/** A pool of machines of any type, at the price of on-demand ones. */
export function nodePool(name: string): AnyObject {
  const onDemand = { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] };
  const template = { spec: { requirements: [onDemand], expireAfter: 'Never' } };
  return manifest('karpenter.sh/v1', 'NodePool', { name }, { spec: { template } });
}

export function priorityClass(name: string, value: number): AnyObject {
  return manifest('scheduling.k8s.io/v1', 'PriorityClass', { name }, { value });
}

/** The server fills in what a client leaves out. */
export function manifest(apiVersion: string, kind: string, metadata: object, rest = {}): AnyObject {
  return { apiVersion, kind, metadata, ...rest } as AnyObject;
}
