/**
 * EndpointSlice: the addresses behind a service, in slices. Owns which endpoint is in which slice;
 * what an endpoint shows of its pod is endpoints.ts.
 *
 * Invariants:
 *  P1 An endpoint stays in its slice for as long as it can, so that a change of one pod changes one
 *     slice.
 *  P2 Names follow from the service's uid and a number: two looks that both add a slice add the
 *     same one.
 */
import { nameHash, sameJson } from '../../api/hash.ts';
import type { Endpoint, EndpointSlice, Service } from '../../api/kinds/core.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { controllerReference, draftMeta } from '../../api/meta.ts';
import { removal } from '../deletion.ts';
import { type Action, create, NOTHING, type Plan, update } from '../plan.ts';
import { type EndpointGroup, groupsOf } from './endpoints.ts';

export const ENDPOINT_SLICES = 'endpointslices.discovery.k8s.io';
export const SERVICE_NAME = 'kubernetes.io/service-name';
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
export const MANAGER = 'endpointslice-controller.k8s.io';

/**
 * As in Kubernetes: large enough that few are needed, small enough that a change is cheap to send.
 */
export const MAX_ENDPOINTS = 100;

export interface EndpointSliceSnapshot {
  readonly service: Service;
  readonly pods: readonly Pod[];
  /** The slices that the service owns. */
  readonly slices: readonly EndpointSlice[];
}

export function planEndpointSlices({ service, pods, slices }: EndpointSliceSnapshot): Plan {
  if (service.metadata.deletionTimestamp !== undefined) return NOTHING;
  const ours = slices.filter(isOurs);
  const wanted = assign(service, groupsOf(service, pods), ours);
  const byName = new Map(ours.map((slice) => [slice.metadata.name, slice]));
  const actions = [
    ...wanted.flatMap((slice) => written(slice, byName.get(slice.metadata.name))),
    ...ours.filter((slice) => !wanted.some((w) => sameName(w, slice))).flatMap(dropped),
  ];
  return actions.length > 0 ? { stages: [actions], blocked: [] } : NOTHING;
}

function isOurs({ metadata }: EndpointSlice): boolean {
  return metadata.labels?.[MANAGED_BY] === MANAGER;
}

function sameName(a: EndpointSlice, b: EndpointSlice): boolean {
  return a.metadata.name === b.metadata.name;
}

/** The slices as they are to be. */
function assign(
  service: Service,
  groups: readonly EndpointGroup[],
  slices: readonly EndpointSlice[],
): readonly EndpointSlice[] {
  const names = new Set(slices.map((slice) => slice.metadata.name));
  return groups.flatMap((group) => {
    const fitting = slices.filter((slice) => fits(slice, group));
    return distribute(group, fitting).map(({ slice, endpoints }) => {
      const base = slice ?? draft(service, group, freeName(service, names));
      return withLabels(service, { ...base, endpoints });
    });
  });
}

/** Address type and ports of a slice never change: other ports mean another slice. */
function fits(slice: EndpointSlice, { addressType, ports }: EndpointGroup): boolean {
  return slice.addressType === addressType && sameJson(slice.ports ?? [], ports);
}

interface Share {
  /** The slice that exists; a new one when absent. */
  readonly slice?: EndpointSlice;
  readonly endpoints: readonly Endpoint[];
}

function distribute(
  { endpoints }: EndpointGroup,
  slices: readonly EndpointSlice[],
): readonly Share[] {
  const waiting = new Map(endpoints.map((endpoint) => [uidOf(endpoint), endpoint]));
  const kept = slices.map((slice) => {
    const stay = slice.endpoints.flatMap((old) => {
      const endpoint = waiting.get(uidOf(old));
      waiting.delete(uidOf(old));
      return endpoint ?? [];
    });
    return { slice, endpoints: stay };
  });
  const rest = [...waiting.values()];
  const filled: Share[] = kept.map(({ slice, endpoints: stay }) => ({
    slice,
    endpoints: sorted([...stay, ...rest.splice(0, Math.max(0, MAX_ENDPOINTS - stay.length))]),
  }));
  while (rest.length > 0) filled.push({ endpoints: rest.splice(0, MAX_ENDPOINTS) });
  const used = filled.filter((share) => share.endpoints.length > 0);
  return used.length > 0 ? used : [filled[0] ?? { endpoints: [] }];
}

function uidOf({ targetRef }: Endpoint): string {
  return targetRef?.uid ?? '';
}

function sorted(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const name = ({ targetRef }: Endpoint) => targetRef?.name ?? '';
  return [...endpoints].sort((a, b) => (name(a) < name(b) ? -1 : 1));
}

function freeName(service: Service, taken: Set<string>): string {
  for (let number = 0; ; number++) {
    const name = `${service.metadata.name}-${nameHash(`${service.metadata.uid}/${number}`, 5)}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}

function draft(service: Service, group: EndpointGroup, name: string): EndpointSlice {
  const { namespace } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: draftMeta({
      name,
      generateName: `${service.metadata.name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      ownerReferences: [controllerReference(service)],
    }),
    addressType: group.addressType,
    endpoints: [],
    ports: group.ports,
  };
}

/** The service's own labels are the slice's as well, as in Kubernetes. */
function withLabels(service: Service, slice: EndpointSlice): EndpointSlice {
  const labels = {
    ...service.metadata.labels,
    [SERVICE_NAME]: service.metadata.name,
    [MANAGED_BY]: MANAGER,
  };
  return { ...slice, metadata: { ...slice.metadata, labels } };
}

function written(slice: EndpointSlice, before: EndpointSlice | undefined): readonly Action[] {
  if (!before) return [create(ENDPOINT_SLICES, slice)];
  if (sameJson(slice, before)) return [];
  const generation = (before.metadata.generation ?? 0) + 1;
  const next = { ...slice, metadata: { ...slice.metadata, generation } };
  return [update(ENDPOINT_SLICES, next)];
}

/** A slice that somebody else's finalizer holds is left to its deletion. */
function dropped(slice: EndpointSlice): readonly Action[] {
  const held = (slice.metadata.finalizers?.length ?? 0) > 0;
  return held ? [] : [removal(ENDPOINT_SLICES, slice)];
}
