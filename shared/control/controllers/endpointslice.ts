/** Wakes and reads for core/endpointslice. A pod wakes the services that select it, by its labels now and before. */
import { keyOf } from '../../api/change.ts';
import type { Change } from '../../api/change.ts';
import { sameJson } from '../../api/hash.ts';
import type { EndpointSlice, Service } from '../../api/kinds/core.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { AnyObject, KubeObject, ObjectKey } from '../../api/meta.ts';
import { matchesLabels } from '../../api/selectors.ts';
import {
  type EndpointSliceSnapshot,
  planEndpointSlices,
  SERVICE_NAME_LABEL,
} from '../../core/endpointslice/plan.ts';
import { podIsReady } from '../../core/pod/predicates.ts';
import type { Controller, Reader } from '../controller.ts';

const SLICES = 'endpointslices.discovery.k8s.io';

export const endpointSliceController: Controller<EndpointSliceSnapshot> = {
  name: 'endpointslice',
  resource: 'services',
  wakes,
  snapshot,
  plan: planEndpointSlices,
};

function wakes(change: Change, read: Reader): Promise<ObjectKey[]> | ObjectKey[] {
  const { type, resource, object } = change;
  switch (resource) {
    case 'services':
      return type === 'put' ? [keyOf('services', object)] : [];
    case 'pods':
      return onPod(change, read);
    case SLICES:
      return onSlice(object);
    default:
      return [];
  }
}

/** A slice that somebody else changed or removed is put right. */
function onSlice({ metadata }: AnyObject): ObjectKey[] {
  const name = metadata.labels?.[SERVICE_NAME_LABEL];
  return name ? [{ resource: 'services', namespace: metadata.namespace ?? '', name }] : [];
}

async function onPod(change: Change, read: Reader): Promise<ObjectKey[]> {
  const pod = change.object as KubeObject as Pod;
  const before = change.previous as KubeObject as Pod | undefined;
  if (change.type === 'put' && before && sameJson(shown(pod), shown(before))) return [];
  const services = await read.list<Service>({
    resource: 'services',
    namespace: pod.metadata.namespace ?? '',
  });
  return services.items
    .filter(({ spec: { selector } }) => {
      if (!selector) return false;
      const matches = (p: Pod) => matchesLabels(selector, p.metadata.labels);
      return matches(pod) || (before !== undefined && matches(before));
    })
    .map((service) => keyOf('services', service));
}

/** What an endpoint shows of a pod; nothing else about a pod matters here. */
function shown(pod: Pod): unknown {
  const { metadata, spec, status } = pod;
  const ended = status.phase === 'Succeeded' || status.phase === 'Failed';
  const terminating = metadata.deletionTimestamp !== undefined;
  return [status.podIP, podIsReady(pod), ended, terminating, metadata.labels, spec.nodeName];
}

async function snapshot(key: ObjectKey, read: Reader): Promise<EndpointSliceSnapshot | undefined> {
  const service = await read.get<Service>(key);
  if (!service?.spec.selector) return undefined;
  const { selector } = service.spec;
  const [pods, slices] = await Promise.all([
    read.list<Pod>({ resource: 'pods', namespace: key.namespace }),
    read.list<EndpointSlice>({ resource: SLICES, namespace: key.namespace }),
  ]);
  return {
    service,
    pods: pods.items.filter(({ metadata }) => matchesLabels(selector, metadata.labels)),
    slices: slices.items.filter(({ metadata }) => {
      return metadata.labels?.[SERVICE_NAME_LABEL] === key.name;
    }),
  };
}
