/**
 * Addresses of services: cluster IPs and node ports, given once and kept. Derived from the
 * service's name, so that no pool has to be kept (D5); a number that is taken moves on to the next.
 * Two services that are made at the same moment and hash alike could share one: nothing routes by
 * them yet.
 */
import { invalid } from '../../api/errors.ts';
import { hash64 } from '../../api/hash.ts';
import type { Service, ServicePort } from '../../api/kinds/core.ts';
import { resourceType } from '../../api/resources.ts';
import type { Store } from '../../ports/store.ts';
import { pagesOf } from '../list-all.ts';
import { type Context, warn } from './context.ts';

/** 10.96.0.0/12, as kubeadm chooses. */
const RANGE_START = 0x0a600000;
const RANGE_SIZE = 2 ** 20;
/** Addresses at both ends of the range are left for the control plane. */
const RESERVED = 256;
const NODE_PORT_START = 30_000;
const NODE_PORT_COUNT = 2_768;
const MAX_PROBES = 1024;

const NOT_ROUTED = 'traffic to cluster IPs is not routed yet: reach pods by their own addresses';

interface Taken {
  readonly ips: ReadonlySet<string>;
  readonly ports: ReadonlySet<number>;
}

/**
 * The service with all addresses that its type calls for; `current` is the stored one, if there is
 * one.
 */
export async function addressed(
  context: Context,
  service: Service,
  current: Service | undefined,
): Promise<Service> {
  const { type } = service.spec;
  if (type === 'ExternalName') return withoutAddresses(service);
  const kept = current ? withKept(service, current) : service;
  if (!current && kept.spec.clusterIP !== 'None') warn(context, NOT_ROUTED);
  if (isComplete(kept, current)) return withFamilies(kept);
  const taken = await takenAddresses(context.deps.store, service);
  return withFamilies(withNodePorts(withClusterIp(kept, taken), taken));
}

const needsNodePorts = ({ spec }: Service) =>
  spec.type === 'NodePort' ||
  (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);

function isComplete(service: Service, current: Service | undefined): boolean {
  const { clusterIP, ports = [] } = service.spec;
  const ipKept = clusterIP === 'None' || (clusterIP && clusterIP === current?.spec.clusterIP);
  const before = new Set((current?.spec.ports ?? []).map(({ nodePort }) => nodePort));
  const isKept = ({ nodePort }: ServicePort) => nodePort !== undefined && before.has(nodePort);
  const portsKept = needsNodePorts(service)
    ? ports.every(isKept)
    : ports.every(({ nodePort }) => nodePort === undefined);
  return Boolean(ipKept) && portsKept;
}

function withoutAddresses(service: Service): Service {
  const {
    clusterIP: _ip,
    clusterIPs: _ips,
    ipFamilies: _f,
    ipFamilyPolicy: _p,
    ...spec
  } = service.spec;
  return { ...service, spec };
}

/** A client that leaves addresses out does not mean to change them. */
function withKept(service: Service, current: Service): Service {
  const { spec } = service;
  const old = current.spec;
  const ip = spec.clusterIP || old.clusterIP;
  const oldPorts = new Map((old.ports ?? []).map((port) => [portIdentity(port), port.nodePort]));
  const ports = (spec.ports ?? []).map((port) => {
    const nodePort = port.nodePort ?? oldPorts.get(portIdentity(port));
    return nodePort && needsNodePorts(service) ? { ...port, nodePort } : withoutNodePort(port);
  });
  return {
    ...service,
    spec: { ...spec, ...(ip && { clusterIP: ip }), ...(ports.length > 0 && { ports }) },
  };
}

const portIdentity = ({ port, protocol }: ServicePort) => `${port}/${protocol}`;

function withoutNodePort({ nodePort: _dropped, ...port }: ServicePort): ServicePort {
  return port;
}

function withClusterIp(service: Service, taken: Taken): Service {
  const { clusterIP } = service.spec;
  if (clusterIP === 'None') return service;
  if (clusterIP && taken.ips.has(clusterIP)) {
    throw refused(
      service,
      'spec.clusterIPs',
      `Invalid value: []string{"${clusterIP}"}: failed to allocate IP ${clusterIP}: ` +
        'provided IP is already allocated',
    );
  }
  return clusterIP ? service : withIp(service, freeIp(service, taken));
}

function withIp(service: Service, clusterIP: string): Service {
  return { ...service, spec: { ...service.spec, clusterIP } };
}

function freeIp(service: Service, taken: Taken): string {
  const room = RANGE_SIZE - 2 * RESERVED;
  const start = Number(hash64(nameOf(service)) % BigInt(room));
  for (let probe = 0; probe < MAX_PROBES; probe++) {
    const ip = ipText(RANGE_START + RESERVED + ((start + probe) % room));
    if (!taken.ips.has(ip)) return ip;
  }
  throw refused(service, 'spec.clusterIPs', 'Internal error: no cluster IP is free');
}

const nameOf = ({ metadata }: Service) => `${metadata.namespace ?? ''}/${metadata.name}`;

function ipText(ip: number): string {
  return [ip >>> 24, (ip >>> 16) & 255, (ip >>> 8) & 255, ip & 255].join('.');
}

function withNodePorts(service: Service, taken: Taken): Service {
  const { ports } = service.spec;
  if (!ports || !needsNodePorts(service)) return service;
  const used = new Set(taken.ports);
  const given = ports.map((port, index) => {
    const nodePort = port.nodePort ?? freePort(service, port, used);
    if (port.nodePort !== undefined && used.has(port.nodePort)) {
      throw refused(
        service,
        `spec.ports[${index}].nodePort`,
        `Invalid value: ${port.nodePort}: provided port is already allocated`,
      );
    }
    used.add(nodePort);
    return { ...port, nodePort };
  });
  return { ...service, spec: { ...service.spec, ports: given } };
}

function freePort(service: Service, port: ServicePort, used: ReadonlySet<number>): number {
  const start = Number(hash64(`${nameOf(service)}:${port.port}`) % BigInt(NODE_PORT_COUNT));
  for (let probe = 0; probe < NODE_PORT_COUNT; probe++) {
    const nodePort = NODE_PORT_START + ((start + probe) % NODE_PORT_COUNT);
    if (!used.has(nodePort)) return nodePort;
  }
  throw refused(service, 'spec.ports', 'Internal error: no node port is free');
}

function withFamilies(service: Service): Service {
  const { spec } = service;
  const { clusterIP = '' } = spec;
  return {
    ...service,
    spec: {
      ...spec,
      clusterIPs: [clusterIP],
      ipFamilies: spec.ipFamilies ?? [clusterIP.includes(':') ? 'IPv6' : 'IPv4'],
      ipFamilyPolicy: spec.ipFamilyPolicy ?? 'SingleStack',
    },
  };
}

/** What all other services hold. */
async function takenAddresses(store: Store, own: Service): Promise<Taken> {
  const ips = new Set<string>();
  const ports = new Set<number>();
  for await (const page of pagesOf<Service>(store, { resource: 'services' })) {
    for (const { metadata, spec } of page) {
      if (metadata.uid === own.metadata.uid) continue;
      if (spec.clusterIP) ips.add(spec.clusterIP);
      for (const { nodePort } of spec.ports ?? []) if (nodePort) ports.add(nodePort);
    }
  }
  return { ips, ports };
}

function refused(service: Service, field: string, message: string) {
  return invalid(resourceType('services'), service.metadata.name, [
    { reason: 'FieldValueInvalid', message, field },
  ]);
}
