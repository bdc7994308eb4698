/** The small kinds of the core group: services, configuration, events. */
import type { ConfigMap, Event, Secret, Service, ServicePort } from '../kinds/core.ts';
import { configKey, dns1123Label, dns1123Subdomain } from '../names.ts';
import type { Faults } from './faults.ts';
import { byteLength, checkImmutable, checkLabels } from './metadata.ts';
import { checkPort } from './probe.ts';

/** Of all values of a ConfigMap or Secret together; Kubernetes' own limit. */
const MAX_DATA_BYTES = 1024 * 1024;

export function checkService({ spec }: Service, faults: Faults): void {
  const ports = spec.ports ?? [];
  if (spec.type === 'ExternalName') {
    if (!spec.externalName) faults.required('spec.externalName');
    else {
      const complaints = dns1123Subdomain(spec.externalName.replace(/\.$/, ''));
      faults.complaints('spec.externalName', spec.externalName, complaints);
    }
  } else if (ports.length === 0 && spec.clusterIP !== 'None') faults.required('spec.ports');
  checkLabels(spec.selector, 'spec.selector', faults);
  faults.unique(
    (index) => `spec.ports[${index}].name`,
    ports.map((port) => port.name),
  );
  faults.unique(
    (index) => `spec.ports[${index}]`,
    ports.map((port) => `${port.port}/${port.protocol}`),
  );
  for (const [index, port] of ports.entries()) {
    checkServicePort(port, ports.length > 1, `spec.ports[${index}]`, faults);
  }
}

function checkServicePort(port: ServicePort, named: boolean, field: string, faults: Faults): void {
  if (port.name) faults.complaints(`${field}.name`, port.name, dns1123Label(port.name));
  else if (named) faults.required(`${field}.name`);
  faults.port(`${field}.port`, port.port);
  if (port.targetPort !== undefined) checkPort(port.targetPort, `${field}.targetPort`, faults);
  if (port.nodePort) faults.port(`${field}.nodePort`, port.nodePort);
}

/** An address is kept for as long as the service has one. */
export function checkServiceUpdate(next: Service, old: Service, faults: Faults): void {
  const before = old.spec.clusterIP;
  const after = next.spec.clusterIP;
  const addressed = next.spec.type !== 'ExternalName' && old.spec.type !== 'ExternalName';
  if (addressed && before && after !== before) {
    faults.invalid('spec.clusterIPs[0]', after, 'may not change once set');
  }
}

export function checkConfigMap(object: ConfigMap, faults: Faults): void {
  const { data, binaryData } = object;
  checkKeys(data, 'data', faults);
  checkKeys(binaryData, 'binaryData', faults);
  for (const key of Object.keys(binaryData ?? {})) {
    if (data && Object.hasOwn(data, key)) {
      faults.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData');
    }
  }
  checkSize([data, binaryData], '', faults);
}

const REQUIRED_KEYS: { readonly [type: string]: readonly string[] } = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

export function checkSecret(object: Secret, faults: Faults): void {
  checkKeys(object.data, 'data', faults);
  checkSize([object.data], 'data', faults);
  for (const key of REQUIRED_KEYS[object.type] ?? []) {
    if (object.data?.[key] === undefined) faults.required(`data[${key}]`);
  }
}

type Data = { readonly [key: string]: string } | undefined;

function checkKeys(data: Data, field: string, faults: Faults): void {
  for (const key of Object.keys(data ?? {})) {
    faults.complaints(`${field}[${key}]`, key, configKey(key));
  }
}

function checkSize(maps: readonly Data[], field: string, faults: Faults): void {
  let size = 0;
  for (const data of maps) for (const value of Object.values(data ?? {})) size += byteLength(value);
  if (size > MAX_DATA_BYTES) faults.tooLong(field, MAX_DATA_BYTES);
}

export function checkConfigMapUpdate(next: ConfigMap, old: ConfigMap, faults: Faults): void {
  if (old.immutable) checkSealed(next, old, ['data', 'binaryData'], faults);
}

export function checkSecretUpdate(next: Secret, old: Secret, faults: Faults): void {
  checkImmutable('type', next.type, old.type, faults);
  if (old.immutable) checkSealed(next, old, ['data'], faults);
}

/** What was sealed with `immutable` stays, and so does the seal. */
function checkSealed<T extends ConfigMap | Secret>(
  next: T,
  old: T,
  fields: readonly (keyof T & string)[],
  faults: Faults,
): void {
  const detail = 'field is immutable when `immutable` is set';
  if (!next.immutable) faults.forbidden('immutable', detail);
  for (const field of fields) {
    if (!isSameData(next[field] as Data, old[field] as Data)) faults.forbidden(field, detail);
  }
}

function isSameData(a: Data, b: Data): boolean {
  const left = Object.entries(a ?? {});
  return (
    left.length === Object.keys(b ?? {}).length && left.every(([key, value]) => b?.[key] === value)
  );
}

export function checkEvent(event: Event, faults: Faults): void {
  const namespace = event.involvedObject.namespace || 'default';
  if (namespace !== event.metadata.namespace) {
    faults.invalid('involvedObject.namespace', namespace, 'does not match event.namespace');
  }
}
