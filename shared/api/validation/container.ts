/**
 * Containers: names, images, environment, ports, mounts, resources, privileges. Probes are in
 * probe.ts.
 */
import type { Container, EnvVar, ResourceRequirements } from '../kinds/container.ts';
import type { VolumeMount } from '../kinds/volumes.ts';
import { dns1123Label, envVarName, portName, qualifiedName } from '../names.ts';
import { canonicalQuantity, compareQuantities, milliValue } from '../quantity.ts';
import { type Faults, MAX_INT32 } from './faults.ts';
import { checkProbes } from './probe.ts';

export function checkContainers(
  containers: readonly Container[],
  volumes: ReadonlySet<string>,
  field: string,
  faults: Faults,
): void {
  faults.unique(
    (index) => `${field}[${index}].name`,
    containers.map((container) => container.name),
  );
  for (const [index, container] of containers.entries()) {
    checkContainer(container, volumes, `${field}[${index}]`, faults);
  }
}

function checkContainer(
  container: Container,
  volumes: ReadonlySet<string>,
  field: string,
  faults: Faults,
): void {
  if (!container.name) faults.required(`${field}.name`);
  else faults.complaints(`${field}.name`, container.name, dns1123Label(container.name));
  checkImage(container.image ?? '', `${field}.image`, faults);
  checkPorts(container, `${field}.ports`, faults);
  for (const [index, variable] of (container.env ?? []).entries()) {
    checkVariable(variable, `${field}.env[${index}]`, faults);
  }
  checkEnvFrom(container, `${field}.envFrom`, faults);
  checkMounts(container.volumeMounts ?? [], volumes, `${field}.volumeMounts`, faults);
  checkResources(container.resources, `${field}.resources`, faults);
  checkSecurity(container, `${field}.securityContext`, faults);
  checkProbes(container, field, faults);
}

function checkImage(image: string, field: string, faults: Faults): void {
  if (image === '') faults.required(field);
  else if (image !== image.trim()) {
    faults.invalid(field, image, 'must not have leading or trailing whitespace');
  }
}

function checkPorts(container: Container, field: string, faults: Faults): void {
  const ports = container.ports ?? [];
  faults.unique(
    (index) => `${field}[${index}].name`,
    ports.map((port) => port.name),
  );
  for (const [index, port] of ports.entries()) {
    const path = `${field}[${index}]`;
    if (port.name) faults.complaints(`${path}.name`, port.name, portName(port.name));
    faults.port(`${path}.containerPort`, port.containerPort);
    if (port.hostPort) faults.port(`${path}.hostPort`, port.hostPort);
  }
}

const FIELD_PATHS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

const RESOURCE_FIELDS = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

/** `metadata.labels['key']` */
const MAP_FIELD = /^metadata\.(labels|annotations)\['([^']{1,320})'\]$/;

function checkVariable(variable: EnvVar, field: string, faults: Faults): void {
  const { name, value, valueFrom } = variable;
  if (!name) faults.required(`${field}.name`);
  else faults.complaints(`${field}.name`, name, envVarName(name));
  if (!valueFrom) return;
  const path = `${field}.valueFrom`;
  const sources = Object.keys(valueFrom).length;
  if (value) faults.invalid(path, '', 'may not be specified when `value` is not empty');
  if (sources === 0) faults.invalid(path, '', 'must specify one of: `fieldRef`, ' + OTHER_SOURCES);
  if (sources > 1) faults.invalid(path, '', 'may not have more than one field specified at a time');
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef && !FIELD_PATHS.includes(fieldRef.fieldPath) && !isMapField(fieldRef.fieldPath)) {
    faults.notSupported(`${path}.fieldRef.fieldPath`, fieldRef.fieldPath, FIELD_PATHS);
  }
  if (resourceFieldRef && !RESOURCE_FIELDS.includes(resourceFieldRef.resource)) {
    const at = `${path}.resourceFieldRef.resource`;
    faults.notSupported(at, resourceFieldRef.resource, RESOURCE_FIELDS);
  }
  for (const [kind, ref] of Object.entries({ configMapKeyRef, secretKeyRef })) {
    if (ref && !ref.name) faults.required(`${path}.${kind}.name`);
    if (ref && !ref.key) faults.required(`${path}.${kind}.key`);
  }
}

const OTHER_SOURCES = '`resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`';

function isMapField(path: string): boolean {
  const [, , key] = path.length <= 400 ? (MAP_FIELD.exec(path) ?? []) : [];
  return key !== undefined && qualifiedName(key.toLowerCase()).length === 0;
}

function checkEnvFrom(container: Container, field: string, faults: Faults): void {
  for (const [index, source] of (container.envFrom ?? []).entries()) {
    const path = `${field}[${index}]`;
    const { prefix, configMapRef, secretRef } = source;
    if (prefix) faults.complaints(`${path}.prefix`, prefix, envVarName(prefix));
    if (configMapRef && secretRef) {
      faults.invalid(path, '', 'may not have more than one field specified at a time');
    }
    if (!configMapRef && !secretRef) {
      faults.invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`');
    }
    if (configMapRef && !configMapRef.name) faults.required(`${path}.configMapRef.name`);
    if (secretRef && !secretRef.name) faults.required(`${path}.secretRef.name`);
  }
}

function checkMounts(
  mounts: readonly VolumeMount[],
  volumes: ReadonlySet<string>,
  field: string,
  faults: Faults,
): void {
  const paths = new Set<string>();
  for (const [index, mount] of mounts.entries()) {
    const path = `${field}[${index}]`;
    if (!mount.name) faults.required(`${path}.name`);
    else if (!volumes.has(mount.name)) faults.notFound(`${path}.name`, mount.name);
    if (!mount.mountPath) faults.required(`${path}.mountPath`);
    else if (paths.has(mount.mountPath)) {
      faults.invalid(`${path}.mountPath`, mount.mountPath, 'must be unique');
    }
    paths.add(mount.mountPath);
    if (mount.subPath) checkRelativePath(mount.subPath, `${path}.subPath`, faults);
  }
}

/** A path inside a volume: it must not lead out of it. */
export function checkRelativePath(path: string, field: string, faults: Faults): void {
  if (path.startsWith('/')) faults.invalid(field, path, 'must be a relative path');
  if (path.split('/').includes('..')) faults.invalid(field, path, "must not contain '..'");
}

const CONTAINER_RESOURCES = ['cpu', 'memory', 'ephemeral-storage'];

function checkResources(
  resources: ResourceRequirements | undefined,
  field: string,
  faults: Faults,
): void {
  const limits = resources?.limits ?? {};
  const requests = resources?.requests ?? {};
  checkAmounts(limits, `${field}.limits`, faults);
  checkAmounts(requests, `${field}.requests`, faults);
  for (const [name, request] of Object.entries(requests)) {
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
    const extended = isExtended(name);
    if (limit === undefined) {
      if (extended) {
        faults.required(`${field}.limits`, 'Limit must be set for non overcommitable resources');
      }
    } else if (compareQuantities(request, limit) > 0 || (extended && request !== limit)) {
      const relation = extended ? 'equal to' : 'less than or equal to';
      const detail = `must be ${relation} ${name} limit of ${canonicalQuantity(limit)}`;
      faults.invalid(`${field}.requests`, request, detail);
    }
  }
}

function checkAmounts(amounts: { readonly [name: string]: string }, field: string, faults: Faults) {
  for (const [name, amount] of Object.entries(amounts)) {
    const path = `${field}[${name}]`;
    faults.complaints(path, name, qualifiedName(name));
    if (!CONTAINER_RESOURCES.includes(name) && !isExtended(name)) {
      faults.invalid(path, name, 'must be a standard resource for containers');
    }
    const millis = milliValue(amount);
    if (millis < 0) faults.invalid(path, amount, 'must be greater than or equal to 0');
    if (isExtended(name) && millis % 1000 !== 0) faults.invalid(path, amount, 'must be an integer');
  }
}

/** Devices and the like: whole numbers that can't be shared, under a name with a domain. */
function isExtended(name: string): boolean {
  return name.includes('/') && !name.startsWith('kubernetes.io/');
}

/**
 * What Docker gives every container; each other capability is a way to the host, which is shared.
 */
const SAFE_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

interface Confinement {
  readonly seccompProfile?: { readonly type: string };
  readonly appArmorProfile?: { readonly type: string };
}

/** A container without confinement could do to the host what others must not. */
export function checkConfinement(context: Confinement, field: string, faults: Faults): void {
  const { seccompProfile, appArmorProfile } = context;
  for (const [name, profile] of Object.entries({ seccompProfile, appArmorProfile })) {
    if (profile?.type !== 'Unconfined') continue;
    faults.forbidden(`${field}.${name}.type`, 'Unconfined is refused: hosts are shared');
  }
}

function checkSecurity({ securityContext }: Container, field: string, faults: Faults): void {
  if (!securityContext) return;
  checkConfinement(securityContext, field, faults);
  const { privileged, capabilities, runAsUser, runAsGroup } = securityContext;
  if (privileged) {
    faults.forbidden(`${field}.privileged`, 'privileged containers are refused: hosts are shared');
  }
  for (const [index, name] of (capabilities?.add ?? []).entries()) {
    if (SAFE_CAPABILITIES.has(name.replace(/^CAP_/, ''))) continue;
    const path = `${field}.capabilities.add[${index}]`;
    faults.forbidden(path, `capability ${JSON.stringify(name)} is refused: hosts are shared`);
  }
  faults.between(`${field}.runAsUser`, runAsUser, 0, MAX_INT32);
  faults.between(`${field}.runAsGroup`, runAsGroup, 0, MAX_INT32);
}
