/** What benchmarks place and store: nodes and pods as Kubernetes' scheduler benchmark has them. */
import type { Node } from '../shared/api/kinds/node.ts';
import type { Pod, PodSpec } from '../shared/api/kinds/pod.ts';

export const ZONE = 'topology.kubernetes.io/zone';
export const HOST = 'kubernetes.io/hostname';
export const LABELS = { app: 'bench' };

const ZONES = 3;

export interface PodKind {
  readonly spec: Partial<PodSpec>;
  /** It is a replica of a ReplicaSet. */
  readonly owned?: true;
}

export function node(i: number): Node {
  const name = `node-${String(i).padStart(5, '0')}`;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      ...meta(name),
      labels: { [HOST]: name, [ZONE]: `zone-${i % ZONES}` },
    },
    spec: {},
    status: { allocatable: { cpu: '4', memory: '32Gi', pods: '110' } },
  };
}

export function pod(i: number, { spec, owned }: PodKind): Pod {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'bench', uid: 'owner' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...meta(`pod-${i}`),
      namespace: 'default',
      labels: LABELS,
      ...(owned ? { ownerReferences: [{ ...owner, controller: true }] } : {}),
    },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'app',
          resources: { requests: { cpu: '100m', memory: '500Mi' } },
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
