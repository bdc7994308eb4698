/**
 * EndpointSlices: which pods stand behind a service. Owns the slices that carry our name; does not own Services, nor
 * whether anything routes to what is listed.
 *
 * Invariants:
 *  K1 Slices are a function of the service and its pods: the same pods give the same slices, byte for byte.
 *  K2 An endpoint stays in its slice while it lives, so that one pod's change rewrites one slice.
 */
import { nameHash, sameJson } from '../../api/hash.ts';
import type { Endpoint, EndpointSlice, Service } from '../../api/kinds/core.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { controllerReference, draftMeta } from '../../api/meta.ts';
import { matchesLabels } from '../../api/selectors.ts';
import { removal } from '../deletion.ts';
import { type Action, create, NOTHING, type Plan, update } from '../plan.ts';
import { podIsReady } from '../pod/predicates.ts';
import { portsOf, type SlicePorts } from './ports.ts';

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
const SLICES = 'endpointslices.discovery.k8s.io';
const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'nullplane.io';

/** As Kubernetes' default: small enough to rewrite, large enough that most services have one. */
export const MAX_ENDPOINTS = 100;

export interface EndpointSliceSnapshot {
  readonly service: Service;
  /** The pods of the namespace that the selector matches. */
  readonly pods: readonly Pod[];
  /** The slices that carry the service's name. */
  readonly slices: readonly EndpointSlice[];
}

export function planEndpointSlices({ service, pods, slices }: EndpointSliceSnapshot): Plan {
  if (service.metadata.deletionTimestamp || !service.spec.selector) return NOTHING;
  const selector = service.spec.selector;
  const members = pods.filter(
    (pod) => isMember(pod) && matchesLabels(selector, pod.metadata.labels),
  );
  const ours = slices.filter(({ metadata }) => metadata.labels?.[MANAGED_BY_LABEL] === MANAGER);
  const groups = groupByPorts(service, members);
  const actions = groups.flatMap((group) => planGroup(service, group, ours));
  const wanted = new Set(groups.map(({ ports }) => portKey(ports)));
  const stale = ours.filter((slice) => !wanted.has(portKey(slice.ports ?? [])));
  const removals = stale.map((slice) => removal(SLICES, slice));
  const all = [...actions, ...removals];
  return all.length > 0 ? { stages: [all], blocked: [] } : NOTHING;
}

/** Pods with an address that have not ended. Terminating ones are listed as such until they are gone. */
function isMember({ status }: Pod): boolean {
  return status.podIP !== undefined && status.phase !== 'Succeeded' && status.phase !== 'Failed';
}

interface Group {
  readonly ports: SlicePorts;
  readonly pods: readonly Pod[];
}

/** Named target ports may differ from pod to pod; a slice has one set of ports. */
function groupByPorts(service: Service, pods: readonly Pod[]): readonly Group[] {
  const groups = new Map<string, { ports: SlicePorts; pods: Pod[] }>();
  for (const pod of pods) {
    const ports = portsOf(service, pod);
    const group = groups.get(portKey(ports)) ?? { ports, pods: [] };
    groups.set(portKey(ports), group);
    group.pods.push(pod);
  }
  // A service without pods has one empty slice, so that who looks sees that it is kept.
  if (groups.size === 0) return [{ ports: portsOf(service, undefined), pods: [] }];
  return [...groups.values()];
}

function portKey(ports: SlicePorts): string {
  return JSON.stringify(ports.map((p) => [p.name ?? '', p.protocol ?? '', p.port ?? 0]));
}

function planGroup(
  service: Service,
  { ports, pods }: Group,
  ours: readonly EndpointSlice[],
): Action[] {
  const slices = ours.filter((slice) => portKey(slice.ports ?? []) === portKey(ports));
  const byName = new Map(slices.map((slice) => [slice.metadata.name, slice]));
  const chunks = assign(pods, slices);
  const count = Math.max(1, chunks.length);
  return Array.from({ length: count }, (_, index) => {
    const draft = sliceOf(service, ports, index, chunks[index] ?? []);
    const old = byName.get(draft.metadata.name);
    byName.delete(draft.metadata.name);
    return old ? refreshed(old, draft) : [create(SLICES, draft)];
  })
    .flat()
    .concat([...byName.values()].map((s) => removal(SLICES, s)));
}

/** Pods by slice: where they are already, else where there is room (K2); within a slice by name (K1). */
function assign(
  pods: readonly Pod[],
  slices: readonly EndpointSlice[],
): readonly (readonly Pod[])[] {
  const sorted = [...pods].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const home = new Map(
    slices.flatMap((slice, index) =>
      slice.endpoints.map((endpoint) => [endpoint.targetRef?.uid ?? '', index] as const),
    ),
  );
  const chunks: Pod[][] = Array.from({ length: Math.ceil(pods.length / MAX_ENDPOINTS) }, () => []);
  const homeless: Pod[] = [];
  for (const pod of sorted) {
    const chunk = chunks[home.get(pod.metadata.uid) ?? -1];
    if (chunk && chunk.length < MAX_ENDPOINTS) chunk.push(pod);
    else homeless.push(pod);
  }
  let index = 0;
  for (const pod of homeless) {
    while ((chunks[index]?.length ?? 0) >= MAX_ENDPOINTS) index++;
    chunks[index]?.push(pod);
  }
  return chunks;
}

function sliceOf(
  service: Service,
  ports: SlicePorts,
  index: number,
  pods: readonly Pod[],
): EndpointSlice {
  const { name, uid, namespace = '' } = service.metadata;
  const endpoints = pods
    .map((pod) => endpointOf(pod, service))
    .sort((a, b) => ((a.targetRef?.name ?? '') < (b.targetRef?.name ?? '') ? -1 : 1));
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: draftMeta({
      name: `${name}-${nameHash(`${uid}/${portKey(ports)}/${index}`, 5)}`,
      namespace,
      labels: { [SERVICE_NAME_LABEL]: name, [MANAGED_BY_LABEL]: MANAGER },
      ownerReferences: [controllerReference(service)],
    }),
    addressType: 'IPv4',
    endpoints,
    ports,
  };
}

function endpointOf(pod: Pod, service: Service): Endpoint {
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const serving = podIsReady(pod);
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const { name, uid, namespace = '' } = pod.metadata;
  return {
    addresses: [pod.status.podIP ?? ''],
    conditions: { ready, serving, terminating },
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(pod.spec.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
  };
}

function refreshed(old: EndpointSlice, draft: EndpointSlice): Action[] {
  const next: EndpointSlice = {
    ...old,
    endpoints: draft.endpoints,
    ...(draft.ports ? { ports: draft.ports } : {}),
  };
  if (sameJson(next, old)) return [];
  const generation = (old.metadata.generation ?? 1) + 1;
  const metadata = { ...old.metadata, generation };
  return [update(SLICES, { ...next, metadata })];
}
