/** What benchmarks place and store: nodes and pods as Kubernetes' scheduler benchmark has them. */
import type { Node } from '../shared/api/kinds/node.ts';
import type { Pod, PodSpec } from '../shared/api/kinds/pod.ts';
import type { Labels } from '../shared/api/meta.ts';

export const ZONE = 'topology.kubernetes.io/zone';
export const HOST = 'kubernetes.io/hostname';

export interface NodeKind {
  /** Taken in turn; a node has none when there are none. */
  readonly zones: readonly string[];
  /** Allocatable beside CPU, memory and pods. */
  readonly extra?: { readonly [resource: string]: string };
}

export interface PodKind {
  readonly namespace?: string;
  readonly labels?: Labels;
  readonly requests?: { readonly [resource: string]: string };
  readonly spec?: Partial<PodSpec>;
  /** The uid of the ReplicaSet of which it is one. */
  readonly owner?: string;
}

/** What pods are listed by. */
export const LABELS = { app: 'bench' };

const USUAL_REQUESTS = { cpu: '100m', memory: '500Mi' };

export function node(i: number, { zones, extra }: NodeKind): Node {
  const name = `node-${String(i).padStart(5, '0')}`;
  const zone = zones[i % zones.length];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      ...meta(name),
      labels: { [HOST]: name, ...(zone === undefined ? {} : { [ZONE]: zone }) },
    },
    spec: {},
    status: { allocatable: { cpu: '4', memory: '32Gi', pods: '110', ...extra } },
  };
}

export function pod(name: string, kind: PodKind): Pod {
  const { namespace = 'default', labels = {}, requests = USUAL_REQUESTS, spec, owner } = kind;
  const controller = { apiVersion: 'apps/v1', kind: 'ReplicaSet', controller: true };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...meta(name),
      namespace,
      labels,
      ...(owner ? { ownerReferences: [{ ...controller, name: owner, uid: owner }] } : {}),
    },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'app',
          resources: { requests },
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
      ...spec,
    },
    status: { phase: 'Pending' },
  };
}

function meta(name: string) {
  const creationTimestamp = '2024-01-01T00:00:00Z';
  return { name, uid: `uid-${name}`, resourceVersion: '1', creationTimestamp };
}
