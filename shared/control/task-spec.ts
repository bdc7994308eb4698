/**
 * The task of a pod's present attempt: every reference resolved, so that a runtime needs nothing
 * but this value. Owns the translation from a pod's words into a task's; variables are task-env.ts,
 * files are task-files.ts.
 *
 * Invariants:
 *  R1 The same pod, attempt and configuration give the same task, so that asking twice is the same
 *     question.
 *  R2 Values of Secrets are in the task only: not in errors, not in logs.
 */
import { GPU, GPU_MEMORY, GPU_MILLI, VISIBLE_DEVICES } from '../api/gpus.ts';
import type { Container, Probe } from '../api/kinds/container.ts';
import type { Pod } from '../api/kinds/pod.ts';
import type { VolumeMount } from '../api/kinds/volumes.ts';
import { milliValue, wholeValue } from '../api/quantity.ts';
import type { ContainerSpec, ProbeSpec, TaskSpec, TaskVariable } from '../api/task.ts';
import { runsAgain, taskIdOfAttempt } from '../core/pod/attempt.ts';
import { isSidecar } from '../core/pod/phase.ts';
import { type Want, wantOf } from '../core/pod/references.ts';
import { gpuDevicesOf, isGpuIsolated } from '../core/pod/gpus.ts';
import { containerRequests, type Requests } from '../core/pod/requests.ts';
import type { Reader } from './controller.ts';
import { PodConfig } from './pod-config.ts';
import { environment } from './task-env.ts';
import { taskVolume } from './task-files.ts';

/** Something that the pod refers to went away since the launch was decided: decide again. */
export class ConfigMissing extends Error {
  override readonly name = 'ConfigMissing';
  readonly want: Want;
  constructor(want: Want) {
    super(want.volume ?? Object.values(want.containers).join('; '));
    this.want = want;
  }
}

/** Annotations under this prefix are for the runtime. */
const ANNOTATION_PREFIX = 'nullplane.io/';

/** Throws `ConfigMissing`. */
export async function resolveTaskSpec(pod: Pod, read: Reader): Promise<TaskSpec> {
  const config = await PodConfig.read(pod, read);
  const want = wantOf(pod, config.keysOf);
  if (want) throw new ConfigMissing(want);
  return taskSpecOf(pod, config);
}

/** The task, of a pod all of whose references are there. */
export function taskSpecOf(pod: Pod, config: PodConfig): TaskSpec {
  const { metadata, spec } = pod;
  const attempt = pod.control?.attempt ?? 1;
  const init = (spec.initContainers ?? []).filter((container) => !isSidecar(container));
  return {
    id: taskIdOfAttempt(pod, attempt),
    podUid: metadata.uid,
    attempt,
    namespace: metadata.namespace ?? '',
    podName: metadata.name,
    nodeName: spec.nodeName ?? '',
    hostname: spec.hostname ?? metadata.name,
    labels: metadata.labels ?? {},
    annotations: runtimeAnnotations(pod),
    initContainers: init.map((container) => containerSpec(pod, container, config)),
    containers: running(pod).map((container) => ({
      ...containerSpec(pod, container, config),
      essential: isEssential(pod, container),
    })),
    volumes: (spec.volumes ?? []).flatMap((volume) => taskVolume(volume, config) ?? []),
    hostAliases: (spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => ({ ip, hostnames })),
    graceSeconds: spec.terminationGracePeriodSeconds,
  };
}

function runtimeAnnotations({ metadata }: Pod): { readonly [key: string]: string } {
  const entries = Object.entries(metadata.annotations ?? {});
  return Object.fromEntries(entries.filter(([key]) => key.startsWith(ANNOTATION_PREFIX)));
}

/** What runs side by side: sidecars first, and without what has succeeded under OnFailure. */
function running(pod: Pod): readonly Container[] {
  const { initContainers = [], containers } = pod.spec;
  const statuses = pod.status.containerStatuses ?? [];
  const left = containers.filter(({ name }) =>
    runsAgain(
      pod,
      statuses.find((status) => status.name === name),
    ),
  );
  return [...initContainers.filter(isSidecar), ...left];
}

/**
 * Always: the end of any container is the end of the task, which then starts again. Otherwise the
 * task lasts until all have ended; where sidecars would keep it for ever, until the one container
 * has that is not a sidecar.
 */
function isEssential({ spec }: Pod, container: Container): boolean {
  if (spec.restartPolicy === 'Always') return true;
  const hasSidecars = (spec.initContainers ?? []).some(isSidecar);
  return hasSidecars && spec.containers.length === 1 && !isSidecar(container);
}

function containerSpec(pod: Pod, container: Container, config: PodConfig): ContainerSpec {
  const { command, args, workingDir, image = '', ports = [] } = container;
  const env = environment(pod, container, config);
  const expand = (words: readonly string[]) => words.map((word) => env.expand(word));
  const { limits } = container.resources;
  const requests = containerRequests(container);
  const devices = gpuDevicesOf(pod, container);
  return {
    name: container.name,
    image,
    imagePullPolicy: container.imagePullPolicy ?? defaultPullPolicy(image),
    essential: true,
    ...(command && command.length > 0 ? { command: expand(command) } : {}),
    ...(args && args.length > 0 ? { args: expand(args) } : {}),
    ...(workingDir ? { workingDir } : {}),
    env: devices ? [...withoutDevices(env.variables), visibleDevices(devices)] : env.variables,
    ports: ports.map(({ containerPort, protocol }) => ({ containerPort, protocol })),
    cpuMillisRequest: requests.cpu ?? 0,
    cpuMillisLimit: milliValue(limits?.cpu ?? 0),
    memoryBytesRequest: requests.memory ?? 0,
    memoryBytesLimit: wholeValue(limits?.memory ?? 0),
    ...gpuFields(pod, requests, devices),
    mounts: (container.volumeMounts ?? []).map(mount),
    ...privileges(pod, container),
    tty: container.tty ?? false,
    stdin: container.stdin ?? false,
    probes: probes(container),
  };
}

/** What the pod's owner says of devices does not count where we hand them out (S3). */
function withoutDevices(variables: readonly TaskVariable[]): readonly TaskVariable[] {
  return variables.filter(({ name }) => name !== VISIBLE_DEVICES);
}

function visibleDevices(devices: readonly string[]): TaskVariable {
  return { name: VISIBLE_DEVICES, value: devices.join(',') || 'void' };
}

function gpuFields(
  pod: Pod,
  requests: Requests,
  gpuDevices: readonly string[] | undefined,
): Pick<ContainerSpec, 'gpus' | 'gpuDevices' | 'gpuShare'> {
  if (gpuDevices) return { gpus: 0, gpuDevices };
  const { [GPU]: gpus = 0, [GPU_MILLI]: milli = 0, [GPU_MEMORY]: memoryMiB = 0 } = requests;
  const isShare = milli > 0 && isGpuIsolated(pod);
  return { gpus, ...(isShare ? { gpuShare: { milli, memoryMiB } } : {}) };
}

function mount({ name, mountPath, readOnly, subPath }: VolumeMount) {
  return {
    volume: name,
    path: mountPath,
    readOnly: readOnly ?? false,
    ...(subPath ? { subPath } : {}),
  };
}

function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  const name = image.slice(image.lastIndexOf('/') + 1);
  const isLatest = !image.includes('@') && (!name.includes(':') || name.endsWith(':latest'));
  return isLatest ? 'Always' : 'IfNotPresent';
}

function privileges(pod: Pod, { securityContext = {} }: Container) {
  const common = pod.spec.securityContext;
  const user = securityContext.runAsUser ?? common.runAsUser;
  const group = securityContext.runAsGroup ?? common.runAsGroup;
  return {
    ...(user === undefined ? {} : { user: group === undefined ? `${user}` : `${user}:${group}` }),
    readOnlyRootFilesystem: securityContext.readOnlyRootFilesystem ?? false,
    capabilitiesAdd: securityContext.capabilities?.add ?? [],
    capabilitiesDrop: securityContext.capabilities?.drop ?? [],
    noNewPrivileges: securityContext.allowPrivilegeEscalation === false,
    runAsNonRoot: securityContext.runAsNonRoot ?? common.runAsNonRoot ?? false,
  };
}

function probes(container: Container): ContainerSpec['probes'] {
  const startup = probe(container, container.startupProbe);
  const liveness = probe(container, container.livenessProbe);
  const readiness = probe(container, container.readinessProbe);
  return {
    ...(startup ? { startup } : {}),
    ...(liveness ? { liveness } : {}),
    ...(readiness ? { readiness } : {}),
  };
}

function probe(container: Container, given: Probe | undefined): ProbeSpec | undefined {
  const action = given && probeAction(container, given);
  return (
    action && {
      action,
      initialDelayMs: (given.initialDelaySeconds ?? 0) * 1000,
      periodMs: given.periodSeconds * 1000,
      timeoutMs: given.timeoutSeconds * 1000,
      successThreshold: given.successThreshold,
      failureThreshold: given.failureThreshold,
    }
  );
}

function probeAction(container: Container, probe: Probe): ProbeSpec['action'] | undefined {
  const { exec, httpGet, tcpSocket, grpc } = probe;
  const host = httpGet?.host ?? tcpSocket?.host;
  const at = host ? { host } : {};
  if (exec) return { type: 'exec', command: exec.command ?? [] };
  if (grpc) return { type: 'grpc', port: grpc.port, service: grpc.service };
  if (tcpSocket) return { type: 'tcp', ...at, port: portOf(container, tcpSocket.port) };
  if (!httpGet) return undefined;
  const { scheme, path, httpHeaders = [] } = httpGet;
  const port = portOf(container, httpGet.port);
  return { type: 'http', scheme, ...at, port, path, headers: httpHeaders };
}

/** A port by number or by name. A name that is none of the container's never answers: port 0. */
function portOf({ ports = [] }: Container, port: number | string): number {
  if (typeof port === 'number') return port;
  const named = ports.find(({ name }) => name === port);
  return named?.containerPort ?? (/^\d{1,5}$/.test(port) ? Number(port) : 0);
}
