/** Endpoints: what a service shows of each of its pods. */
import { sameJson } from '../../api/hash.ts';
import type { Endpoint, EndpointSlice, Service, ServicePort } from '../../api/kinds/core.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { matchesLabels } from '../../api/selectors.ts';
import { isTerminal, podIsReady } from '../pod/predicates.ts';

export type SlicePorts = NonNullable<EndpointSlice['ports']>;

/** Endpoints that share a slice: their addresses are of one kind, and they serve the same ports. */
export interface EndpointGroup {
  readonly addressType: 'IPv4' | 'IPv6';
  readonly ports: SlicePorts;
  /** Sorted by pod name. */
  readonly endpoints: readonly Endpoint[];
}

/** Whether the service selects the pod. One without a selector has its endpoints from elsewhere. */
export function selects({ spec, metadata }: Service, pod: Pod): boolean {
  const { selector } = spec;
  if (!selector || Object.keys(selector).length === 0 || spec.type === 'ExternalName') return false;
  return (
    metadata.namespace === pod.metadata.namespace && matchesLabels(selector, pod.metadata.labels)
  );
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
  return groups;
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

/** The service's ports as the pod serves them. A named port that the pod does not have is left out. */
function portsOf({ spec }: Service, pod: Pod): SlicePorts {
  return (spec.ports ?? []).flatMap((port) => {
    const number = targetOf(port, pod);
    if (number === undefined) return [];
    const { name = '', protocol, appProtocol } = port;
    return { name, protocol, port: number, ...(appProtocol ? { appProtocol } : {}) };
  });
}

function targetOf({ port, targetPort = port, protocol }: ServicePort, pod: Pod) {
  if (typeof targetPort === 'number') return targetPort;
  return pod.spec.containers
    .flatMap((container) => container.ports ?? [])
    .find((p) => p.name === targetPort && p.protocol === protocol)?.containerPort;
}
