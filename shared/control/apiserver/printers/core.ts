/** The small kinds as kubectl shows them. */
import type {
  ConfigMap,
  EndpointSlice,
  Event,
  Namespace,
  Secret,
  Service,
  ServiceAccount,
} from '../../../api/kinds/core.ts';
import {
  age,
  ageColumn,
  column,
  joined,
  labelsText,
  nameColumn,
  oneLine,
  orNone,
  printer,
  wide,
} from './columns.ts';

/** As many endpoints or ports as a line shows. */
const MAX_SHOWN = 3;

export const defaultPrinter = printer<ConfigMap>(nameColumn, ageColumn);

export const namespacePrinter = printer<Namespace>(
  nameColumn,
  column('Status', 'Active or Terminating.', ({ status }) => status.phase),
  ageColumn,
);

export const configMapPrinter = printer<ConfigMap>(
  nameColumn,
  column('Data', 'How many keys there are.', dataCount, 'integer'),
  ageColumn,
);

function dataCount(map: { data?: object; binaryData?: object }): number {
  return Object.keys(map.data ?? {}).length + Object.keys(map.binaryData ?? {}).length;
}

export const secretPrinter = printer<Secret>(
  nameColumn,
  column('Type', 'What kind of secret it is.', ({ type }) => type),
  column('Data', 'How many keys there are.', dataCount, 'integer'),
  ageColumn,
);

export const serviceAccountPrinter = printer<ServiceAccount>(
  nameColumn,
  column('Secrets', 'How many secrets it has.', ({ secrets }) => secrets?.length ?? 0, 'integer'),
  ageColumn,
);

function externalIp(service: Service): string {
  const { spec, status } = service;
  if (spec.type === 'ExternalName') return orNone(spec.externalName);
  const balancer = status.loadBalancer as
    { ingress?: readonly { ip?: string; hostname?: string }[] } | undefined;
  const ingress = (balancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '');
  const all = [...ingress, ...(spec.externalIPs ?? [])];
  return spec.type === 'LoadBalancer' && all.length === 0 ? '<pending>' : joined(all);
}

function servicePorts({ spec }: Service): string {
  const ports = spec.ports ?? [];
  return joined(
    ports.map(({ port, nodePort, protocol }) =>
      nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
    ),
  );
}

export const servicePrinter = printer<Service>(
  nameColumn,
  column('Type', 'How it is reached.', ({ spec }) => spec.type),
  column('Cluster-IP', 'Its address.', ({ spec }) => orNone(spec.clusterIP)),
  column('External-IP', 'Its addresses outside.', externalIp),
  column('Port(s)', 'Its ports.', servicePorts),
  ageColumn,
  wide(column('Selector', 'Labels of its pods.', ({ spec }) => labelsText(spec.selector))),
);

function shown(values: readonly string[]): string {
  const more = values.length - MAX_SHOWN;
  const first = joined(values.slice(0, MAX_SHOWN));
  return more > 0 ? `${first} + ${more} more...` : first;
}

export const endpointSlicePrinter = printer<EndpointSlice>(
  nameColumn,
  column('AddressType', 'The kind of addresses.', ({ addressType }) => addressType),
  column('Ports', 'The ports.', ({ ports }) => {
    const numbers = (ports ?? []).map(({ port }) => (port === undefined ? '*' : String(port)));
    return numbers.length > 0 ? shown(numbers) : '<unset>';
  }),
  column('Endpoints', 'Addresses of the pods.', ({ endpoints }) => {
    const addresses = endpoints.flatMap((endpoint) => endpoint.addresses);
    return addresses.length > 0 ? shown(addresses) : '<unset>';
  }),
  ageColumn,
);

function eventSource({ source, reportingComponent }: Event): string {
  const { component, host } = (source ?? {}) as { component?: string; host?: string };
  return [component || reportingComponent, host].filter(Boolean).join(', ');
}

function lastSeen(event: Event, nowMs: number): string {
  return age(event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp, nowMs);
}

function firstSeen(event: Event, nowMs: number): string {
  return age(event.firstTimestamp ?? event.eventTime, nowMs);
}

export const eventPrinter = printer<Event>(
  column('Last Seen', 'Time since it last happened.', lastSeen),
  column('Type', 'Normal or Warning.', ({ type }) => type ?? ''),
  column('Reason', 'What happened, in one word.', ({ reason }) => reason ?? ''),
  column('Object', 'What it happened to.', ({ involvedObject: { kind, name } }) => {
    return kind ? `${kind.toLowerCase()}/${name ?? ''}` : (name ?? '');
  }),
  wide(
    column('Subobject', 'A part of it.', ({ involvedObject }) => involvedObject.fieldPath ?? ''),
  ),
  wide(column('Source', 'Who noticed.', eventSource)),
  column('Message', 'What happened, for people.', ({ message }) => oneLine(message ?? '')),
  wide(column('First Seen', 'Time since it first happened.', firstSeen)),
  wide(column('Count', 'How often it happened.', ({ count }) => count ?? 1, 'integer')),
  wide(nameColumn),
);
