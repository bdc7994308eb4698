/** Nodes, pods and ledgers for tests of placement: short to write, complete enough to be judged. */
import type { Namespace } from '../../../shared/api/kinds/core.ts';
import type { Allocation, Node, NodeAllocation } from '../../../shared/api/kinds/node.ts';
import type { Pod, PodControl, PodSpec } from '../../../shared/api/kinds/pod.ts';
import type { Labels, ObjectMeta } from '../../../shared/api/meta.ts';
import type { ClusterSnapshot } from '../../../shared/core/scheduling/schedule.ts';

export const NOW_MS = 1_700_000_000_000;
const CREATED = '2023-11-14T22:00:00Z';

export function node(
  name: string,
  given: {
    readonly labels?: Labels;
    readonly allocatable?: { readonly [resource: string]: string };
    readonly spec?: Node['spec'];
  } = {},
): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: meta(name, { labels: { 'kubernetes.io/hostname': name, ...given.labels } }),
    spec: given.spec ?? {},
    status: { allocatable: { cpu: '4', memory: '32Gi', pods: '110', ...given.allocatable } },
  };
}

export function pod(
  name: string,
  given: {
    readonly namespace?: string;
    readonly labels?: Labels;
    readonly requests?: { readonly [resource: string]: string };
    readonly spec?: Partial<PodSpec>;
    readonly status?: Partial<Pod['status']>;
    readonly meta?: Partial<ObjectMeta>;
    readonly control?: PodControl;
  } = {},
): Pod {
  const namespace = given.namespace ?? 'default';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta(name, {
      namespace,
      uid: `uid-${namespace}-${name}`,
      ...(given.labels ? { labels: given.labels } : {}),
      ...given.meta,
    }),
    spec: {
      containers: [container(given.requests ?? {})],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
      ...given.spec,
    },
    status: { phase: 'Pending', ...given.status },
    ...(given.control ? { control: given.control } : {}),
  };
}

export function container(requests: { readonly [resource: string]: string }) {
  return {
    name: 'main',
    image: 'app',
    resources: { requests },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File' as const,
  };
}

/** The pod as it is once it runs on the node. */
export function running(on: string, given: Pod): Pod {
  return {
    ...given,
    spec: { ...given.spec, nodeName: on },
    status: { ...given.status, phase: 'Running' },
    control: { attempt: 1, intentAtMs: NOW_MS },
  };
}

export function ledger(name: string, ...pods: readonly Pod[]): NodeAllocation {
  return {
    apiVersion: 'nullplane.io/v1alpha1',
    kind: 'NodeAllocation',
    metadata: meta(name),
    allocations: pods.map(entry),
  };
}

function entry({ metadata }: Pod): Allocation {
  const { uid: podUid, name: podName, namespace = '' } = metadata;
  return { podUid, podName, namespace, requests: {} };
}

export function namespace(name: string, labels: Labels): Namespace {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: meta(name, { labels }),
    spec: {},
    status: { phase: 'Active' },
  };
}

export function snapshot(given: Partial<ClusterSnapshot>): ClusterSnapshot {
  return { nodes: [], ledgers: [], pods: [], namespaces: [], ...given };
}

function meta(name: string, given: Partial<ObjectMeta> = {}): ObjectMeta {
  return { name, uid: `uid-${name}`, resourceVersion: '1', creationTimestamp: CREATED, ...given };
}
