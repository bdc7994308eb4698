/** The objects that clients expect of every cluster. Made when they are missing, never changed. */
import type { AnyObject, ObjectKey } from '../../api/meta.ts';
import { SYSTEM_PRIORITY_CLASSES, type SystemPriorityClass } from '../../api/priority.ts';
import { rfc3339 } from '../../api/time.ts';
import { NAMESPACE_FINALIZER } from '../../core/deletion.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import { AlreadyExists, type Store } from '../../ports/store.ts';
import { PRIORITY_CLASSES } from '../priority-classes.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public'];
/** The first address of the range of services, as in Kubernetes. */
const API_CLUSTER_IP = '10.96.0.1';

export interface SystemObjectDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Idempotent, and safe to run in several places at once. */
export async function ensureSystemObjects(deps: SystemObjectDeps): Promise<void> {
  await Promise.all(NAMESPACES.map((name) => ensure(deps, namespaceKey(name), namespace(name))));
  const key = { resource: 'services', namespace: 'default', name: 'kubernetes' };
  await Promise.all([
    ensure(deps, key, API_SERVICE),
    ...SYSTEM_PRIORITY_CLASSES.map((one) => ensure(deps, classKey(one.name), priorityClass(one))),
  ]);
}

const classKey = (name: string) => ({ resource: PRIORITY_CLASSES, namespace: '', name });

const namespaceKey = (name: string) => ({ resource: 'namespaces', namespace: '', name });

type Draft = Omit<AnyObject, 'metadata'> & { readonly labels?: { readonly [key: string]: string } };

function priorityClass({ value, description }: SystemPriorityClass): Draft {
  return {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    value,
    description,
    preemptionPolicy: 'PreemptLowerPriority',
  };
}

function namespace(name: string): Draft {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    labels: { 'kubernetes.io/metadata.name': name },
    spec: { finalizers: [NAMESPACE_FINALIZER] },
    status: { phase: 'Active' },
  };
}

const API_SERVICE: Draft = {
  apiVersion: 'v1',
  kind: 'Service',
  labels: { component: 'apiserver', provider: 'kubernetes' },
  spec: {
    type: 'ClusterIP',
    clusterIP: API_CLUSTER_IP,
    clusterIPs: [API_CLUSTER_IP],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    internalTrafficPolicy: 'Cluster',
    sessionAffinity: 'None',
    ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
  },
  status: { loadBalancer: {} },
};

async function ensure(deps: SystemObjectDeps, key: ObjectKey, draft: Draft): Promise<void> {
  const { store, clock, ids } = deps;
  if (await store.get(key)) return;
  const { labels, ...object } = draft;
  const metadata = {
    name: key.name,
    ...(key.namespace && { namespace: key.namespace }),
    uid: ids.uid(),
    resourceVersion: '',
    creationTimestamp: rfc3339(clock.nowMs()),
    generation: 1,
    ...(labels && { labels }),
  };
  try {
    await store.create(key.resource, { ...object, metadata } as AnyObject);
  } catch (error) {
    if (!(error instanceof AlreadyExists)) throw error;
  }
}
