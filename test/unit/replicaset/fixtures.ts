/** Workload objects as the server stores them. */
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { DeploymentSpec, ReplicaSet } from '../../../shared/api/kinds/workloads.ts';
import { controllerReference, draftMeta } from '../../../shared/api/meta.ts';

export function template(image = 'v1'): DeploymentSpec['template'] {
  return {
    metadata: { labels: { app: 'web' } },
    spec: {
      containers: [{ name: 'c', image, resources: {} }],
      terminationGracePeriodSeconds: 30,
    },
  } as unknown as DeploymentSpec['template'];
}

export function replicaSet(replicas: number, spec: object = {}, metadata: object = {}): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      ...draftMeta({ name: 'web', namespace: 'd' }),
      uid: 'rs1',
      resourceVersion: '1',
      ...metadata,
    },
    spec: {
      replicas,
      minReadySeconds: 0,
      selector: { matchLabels: { app: 'web' } },
      template: template(),
      ...spec,
    },
    status: { replicas: 0 },
  };
}

export function pod(name: string, owner: ReplicaSet | undefined, more: Partial<Pod> = {}): Pod {
  const { metadata, ...rest } = more;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'd',
      uid: `uid-${name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: 'web' },
      ...(owner ? { ownerReferences: [controllerReference(owner)] } : {}),
      ...metadata,
    },
    spec: { containers: [], terminationGracePeriodSeconds: 30 },
    status: { phase: 'Pending' },
    ...rest,
  } as unknown as Pod;
}
