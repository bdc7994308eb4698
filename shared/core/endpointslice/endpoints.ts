/** Endpoints: what a service shows of each of its pods. */
import { sameJson } from '../../api/hash.ts';
import type { Endpoint, Service } from '../../api/kinds/core.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { matchesLabels } from '../../api/selectors.ts';
import { isTerminal, podIsReady } from '../pod/predicates.ts';
import { portsOf, type SlicePorts } from './ports.ts';

/** Endpoints that share a slice: their addresses are of one kind, and they serve the same ports. */
export interface EndpointGroup {
  readonly addressType: 'IPv4' | 'IPv6';
  readonly ports: SlicePorts;
  /** Sorted by pod name. */
  readonly endpoints: readonly Endpoint[];
}

/** Whether the service selects the pod. One without a selector has its endpoints from elsewhere. */
export function selects(service: Service, pod: Pod): boolean {
  const { spec, metadata } = service;
  return (
    hasSelector(service) &&
    metadata.namespace === pod.metadata.namespace &&
    matchesLabels(spec.selector ?? {}, pod.metadata.labels)
  );
}

function hasSelector({ spec }: Service): boolean {
  return Object.keys(spec.selector ?? {}).length > 0 && spec.type !== 'ExternalName';
}

/** All that a slice may show of the pod, so that other changes of it concern no service. */
export function shownOf(pod: Pod): unknown {
  const { labels, deletionTimestamp } = pod.metadata;
  const { nodeName, hostname, subdomain } = pod.spec;
  return {
    labels,
    nodeName,
    hostname,
    subdomain,
    ip: pod.status.podIP,
    ready: podIsReady(pod),
    ended: isTerminal(pod),
    terminating: deletionTimestamp !== undefined,
  };
}

export function groupsOf(service: Service, pods: readonly Pod[]): readonly EndpointGroup[] {
  const groups: { addressType: 'IPv4' | 'IPv6'; ports: SlicePorts; endpoints: Endpoint[] }[] = [];
  const byName = pods.filter((pod) => selects(service, pod) && hasAddress(pod)).sort(byPodName);
  for (const pod of byName) {
    const addressType = pod.status.podIP?.includes(':') ? 'IPv6' : 'IPv4';
    const ports = portsOf(service, pod);
    const endpoint = endpointOf(service, pod);
    const same = groups.find((g) => g.addressType === addressType && sameJson(g.ports, ports));
    if (same) same.endpoints.push(endpoint);
    else groups.push({ addressType, ports, endpoints: [endpoint] });
  }
  // A service without pods has one empty slice, so that who looks sees that it is kept.
  const empty = { addressType: 'IPv4', ports: portsOf(service, undefined), endpoints: [] } as const;
  return groups.length > 0 || !hasSelector(service) ? groups : [empty];
}

function byPodName(a: Pod, b: Pod): number {
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

function hasAddress(pod: Pod): boolean {
  return Boolean(pod.status.podIP) && !isTerminal(pod);
}

function endpointOf({ spec, metadata }: Service, pod: Pod): Endpoint {
  const { name, namespace = '', uid, deletionTimestamp } = pod.metadata;
  const { hostname, subdomain, nodeName } = pod.spec;
  const serving = podIsReady(pod);
  const terminating = deletionTimestamp !== undefined;
  const ready = spec.publishNotReadyAddresses === true || (serving && !terminating);
  return {
    addresses: [pod.status.podIP ?? ''],
    conditions: { ready, serving, terminating },
    ...(hostname && subdomain === metadata.name ? { hostname } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName ? { nodeName } : {}),
  };
}
