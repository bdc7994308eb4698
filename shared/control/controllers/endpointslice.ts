/**
 * The endpoint-slice controller: woken by services, by their slices, and by pods where a slice
 * shows them.
 */
import { type Change, keyOf, ownedBy } from '../../api/change.ts';
import { sameJson } from '../../api/hash.ts';
import type { EndpointSlice, Service } from '../../api/kinds/core.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { ObjectKey } from '../../api/meta.ts';
import { selects, shownOf } from '../../core/endpointslice/endpoints.ts';
import {
  ENDPOINT_SLICES,
  type EndpointSliceSnapshot,
  planEndpointSlices,
  SERVICE_NAME,
} from '../../core/endpointslice/plan.ts';
import type { Controller, Reader } from '../controller.ts';
import { listAll } from '../list-all.ts';

const SERVICES = 'services';

export const endpointSliceController: Controller<EndpointSliceSnapshot> = {
  name: 'endpointslice',
  resource: SERVICES,
  wakes,
  snapshot,
  plan: planEndpointSlices,
};

async function wakes(change: Change, read: Reader): Promise<readonly ObjectKey[]> {
  if (change.resource === SERVICES) {
    return change.type === 'put' ? [keyOf(SERVICES, change.object)] : [];
  }
  if (change.resource === ENDPOINT_SLICES) return serviceOf(change);
  return change.resource === 'pods' ? servicesOf(change, read) : [];
}

/**
 * A slice that is gone is made again. One that was written most likely was so by us; the sweep
 * mends others.
 */
function serviceOf({ type, object }: Change): readonly ObjectKey[] {
  const name = object.metadata.labels?.[SERVICE_NAME];
  if (type === 'put' || !name) return [];
  return [{ resource: SERVICES, namespace: object.metadata.namespace ?? '', name }];
}

/** The services that select the pod, or did. */
async function servicesOf(change: Change, read: Reader): Promise<readonly ObjectKey[]> {
  const pods = [change.object, change.previous].flatMap((pod) =>
    pod ? [pod as unknown as Pod] : [],
  );
  const [now, before] = pods;
  if (change.type === 'put' && now && before && sameJson(shownOf(now), shownOf(before))) return [];
  // A pod that never had an address was never shown.
  if (pods.every((pod) => !pod.status.podIP)) return [];
  const namespace = change.object.metadata.namespace ?? '';
  const services = await listAll<Service>(read, { resource: SERVICES, namespace });
  return services
    .filter((service) => pods.some((pod) => selects(service, pod)))
    .map((service) => keyOf(SERVICES, service));
}

async function snapshot(key: ObjectKey, read: Reader): Promise<EndpointSliceSnapshot | undefined> {
  const service = await read.get<Service>(key);
  if (!service) return undefined;
  const { namespace } = key;
  const index = ownedBy(service);
  const [pods, slices] = await Promise.all([
    listAll<Pod>(read, { resource: 'pods', namespace }),
    listAll<EndpointSlice>(read, { resource: ENDPOINT_SLICES, namespace, index }),
  ]);
  return { service, pods: pods.filter((pod) => selects(service, pod)), slices };
}
