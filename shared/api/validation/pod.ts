/** Pods and pod templates: what may run here, and what of a pod an update may change. */
import { sameJson } from '../hash.ts';
import type { Container } from '../kinds/container.ts';
import type { Pod, PodSpec, PodTemplate } from '../kinds/pod.ts';
import { dns1123Label, dns1123Subdomain, qualifiedName } from '../names.ts';
import { checkConfinement, checkContainers } from './container.ts';
import { type Faults, MAX_INT32 } from './faults.ts';
import { checkGpus } from './gpus.ts';
import { checkAnnotations, checkLabels } from './metadata.ts';
import { checkPlacement } from './placement.ts';
import { checkScheduling, checkTolerations } from './scheduling.ts';
import { checkVolumes } from './volumes.ts';

export function checkPod(pod: Pod, faults: Faults): void {
  checkPlacement(pod.metadata, 'metadata', faults);
  checkPodSpec(pod.spec, 'spec', faults);
  checkGpus(pod.spec, pod.metadata.annotations, '', faults);
}

/** The template of a controller that keeps its pods running. */
export function checkTemplate(template: PodTemplate, field: string, faults: Faults): void {
  const { metadata, spec } = template;
  checkLabels(metadata.labels, `${field}.metadata.labels`, faults);
  checkAnnotations(metadata.annotations, `${field}.metadata.annotations`, faults);
  checkPlacement(metadata, `${field}.metadata`, faults);
  checkPodSpec(spec, `${field}.spec`, faults);
  checkGpus(spec, metadata.annotations, field, faults);
  if (spec.restartPolicy !== 'Always') {
    faults.notSupported(`${field}.spec.restartPolicy`, spec.restartPolicy, ['Always']);
  }
  if (spec.activeDeadlineSeconds !== undefined) {
    const path = `${field}.spec.activeDeadlineSeconds`;
    faults.forbidden(path, 'activeDeadlineSeconds in ReplicaSet is not Supported');
  }
}

function checkPodSpec(spec: PodSpec, field: string, faults: Faults): void {
  const volumes = new Set((spec.volumes ?? []).map((volume) => volume.name));
  checkVolumes(spec.volumes ?? [], `${field}.volumes`, faults);
  if (spec.containers.length === 0) faults.required(`${field}.containers`);
  checkContainers(spec.containers, volumes, `${field}.containers`, faults);
  checkInitContainers(spec, volumes, `${field}.initContainers`, faults);
  checkHost(spec, field, faults);
  checkScheduling(spec, field, faults);
  faults.between(`${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, 1, MAX_INT32);
  faults.notNegative(`${field}.terminationGracePeriodSeconds`, spec.terminationGracePeriodSeconds);
  const { hostname, subdomain, nodeName, serviceAccountName, securityContext } = spec;
  if (hostname) faults.complaints(`${field}.hostname`, hostname, dns1123Label(hostname));
  if (subdomain) faults.complaints(`${field}.subdomain`, subdomain, dns1123Label(subdomain));
  if (nodeName) faults.complaints(`${field}.nodeName`, nodeName, dns1123Subdomain(nodeName));
  if (serviceAccountName) {
    const path = `${field}.serviceAccountName`;
    faults.complaints(path, serviceAccountName, dns1123Subdomain(serviceAccountName));
  }
  for (const [index, { conditionType }] of (spec.readinessGates ?? []).entries()) {
    const path = `${field}.readinessGates[${index}].conditionType`;
    faults.complaints(path, conditionType, qualifiedName(conditionType));
  }
  const path = `${field}.securityContext`;
  checkConfinement(securityContext, path, faults);
  faults.between(`${path}.runAsUser`, securityContext.runAsUser, 0, MAX_INT32);
  faults.between(`${path}.runAsGroup`, securityContext.runAsGroup, 0, MAX_INT32);
  faults.between(`${path}.fsGroup`, securityContext.fsGroup, 0, MAX_INT32);
}

/**
 * Init containers end before the others start: they have no probes and share the names of the pod.
 */
function checkInitContainers(
  spec: PodSpec,
  volumes: ReadonlySet<string>,
  field: string,
  faults: Faults,
): void {
  const names = new Set(spec.containers.map((container) => container.name));
  const containers = spec.initContainers ?? [];
  checkContainers(containers, volumes, field, faults);
  for (const [index, container] of containers.entries()) {
    const path = `${field}[${index}]`;
    if (names.has(container.name)) faults.duplicate(`${path}.name`, container.name);
    if (container.restartPolicy) {
      faults.forbidden(`${path}.restartPolicy`, 'sidecar containers are not served yet');
    }
    for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
      if (!container[probe]) continue;
      const detail = 'must not be set for init containers without restartPolicy=Always';
      faults.forbidden(`${path}.${probe}`, detail);
    }
  }
  for (const [index, container] of spec.containers.entries()) {
    if (!container.restartPolicy) continue;
    const path = `${field.replace('initContainers', 'containers')}[${index}].restartPolicy`;
    faults.forbidden(path, 'may not be set for non-init containers');
  }
}

const HOST_NAMESPACES = ['hostNetwork', 'hostPID', 'hostIPC'] as const;

function checkHost(spec: PodSpec, field: string, faults: Faults): void {
  for (const name of HOST_NAMESPACES) {
    if (spec[name]) faults.forbidden(`${field}.${name}`, `${name} is refused: hosts are shared`);
  }
  if (spec.os && spec.os.name !== 'linux') {
    faults.notSupported(`${field}.os.name`, spec.os.name, ['linux']);
  }
}

const MUTABLE =
  'pod updates may not change fields other than `spec.containers[*].image`,' +
  '`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,' +
  '`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

export function checkPodUpdate(next: Pod, old: Pod, faults: Faults): void {
  const { spec } = next;
  if (sameJson(spec, old.spec)) return;
  checkDeadline(spec, old.spec, faults);
  checkGatesUpdate(spec, old.spec, faults);
  checkTolerationsUpdate(spec, old.spec, faults);
  const sizes = (s: PodSpec) => [s.containers.length, s.initContainers?.length ?? 0];
  if (!sameJson(sizes(spec), sizes(old.spec))) {
    faults.forbidden('spec.containers', 'pod updates may not add or remove containers');
    return;
  }
  if (!sameJson(frozenPart(spec, old.spec), frozenPart(old.spec, old.spec))) {
    faults.forbidden('spec', MUTABLE);
  }
}

/** The spec without what an update may change. */
function frozenPart(spec: PodSpec, old: PodSpec): object {
  const { terminationGracePeriodSeconds: grace, nodeSelector, ...fixed } = spec;
  return {
    ...fixed,
    activeDeadlineSeconds: undefined,
    tolerations: undefined,
    schedulingGates: undefined,
    containers: spec.containers.map(withoutImage),
    initContainers: (spec.initContainers ?? []).map(withoutImage),
    grace: old.terminationGracePeriodSeconds < 0 && grace === 1 ? -1 : Math.max(grace, -1),
    nodeSelector: mayNarrow(spec, old) ? old.nodeSelector : nodeSelector,
  };
}

function withoutImage({ image: _, ...container }: Container): object {
  return container;
}

/** Whoever holds a pod back at a gate may say more closely where it is to go. */
function mayNarrow(spec: PodSpec, old: PodSpec): boolean {
  const entries = Object.entries(old.nodeSelector ?? {});
  const gated = (old.schedulingGates ?? []).length > 0;
  return gated && entries.every(([key, value]) => spec.nodeSelector?.[key] === value);
}

function checkDeadline(next: PodSpec, old: PodSpec, faults: Faults): void {
  const field = 'spec.activeDeadlineSeconds';
  const before = old.activeDeadlineSeconds;
  const after = next.activeDeadlineSeconds;
  if (before === undefined || after === before) return;
  if (after === undefined) {
    faults.invalid(field, after, 'must not update from a positive integer to nil value');
  } else if (after > before) {
    faults.invalid(field, after, 'must be less than or equal to previous value');
  }
}

function checkGatesUpdate(next: PodSpec, old: PodSpec, faults: Faults): void {
  const before = new Set((old.schedulingGates ?? []).map((gate) => gate.name));
  for (const [index, { name }] of (next.schedulingGates ?? []).entries()) {
    if (before.has(name)) continue;
    const detail = `only deletion is allowed, but found new scheduling gate '${name}'`;
    faults.forbidden(`spec.schedulingGates[${index}]`, detail);
  }
}

function checkTolerationsUpdate(next: PodSpec, old: PodSpec, faults: Faults): void {
  const left = next.tolerations ?? [];
  const forever = ({ tolerationSeconds: _, ...toleration }: (typeof left)[number]) => toleration;
  const kept = (old.tolerations ?? []).every((before) =>
    left.some((after) => sameJson(forever(after), forever(before))),
  );
  if (!kept) {
    const detail = 'existing toleration can not be modified except its tolerationSeconds';
    faults.forbidden('spec.tolerations', detail);
  }
  checkTolerations(left, 'spec.tolerations', faults);
}
