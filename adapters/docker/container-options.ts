/**
 * From a task's spec to what the engine is asked to create. Pure: everything it depends on is an
 * argument.
 *
 * One sandbox a task holds the network, the host name, the shared memory and the volumes; all other
 * containers join it, so that they share localhost whichever of them comes, ends or fails.
 */
import type Dockerode from 'dockerode';
import type { ContainerSpec, TaskSpec, TaskVolume } from '../../shared/api/task.ts';
import { TaskRejected } from '../../shared/ports/runtime.ts';
import type { Engine } from './engine.ts';
import { containerName, labelsOf, sandboxName, volumeName } from './names.ts';
import type { Role } from './names.ts';
import { SANDBOX_IMAGE } from './sandbox-image.ts';

/** Where the sandbox has the volumes, so that files can be put in. */
export const VOLUMES_FOLDER = 'volumes';

/** The engine refuses a smaller memory limit. */
const MIN_MEMORY_BYTES = 6 * 1024 * 1024;
/** The engine refuses a smaller CPU limit. */
const MIN_CPU_MILLIS = 10;
/** The kernel's smallest weight. */
const MIN_CPU_SHARES = 2;
/** A container that talks without end must not fill the disk. As the kubelet: about 50 MB. */
const LOG_CONFIG = { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '5' } };

/**
 * Where volumes are on the engine's machine, for engines that can't mount a folder of one by name.
 */
export type Mountpoints = ReadonlyMap<string, string>;

/** Throws `TaskRejected` for what this engine can't do, before anything is created. */
export function checkTask(engine: Engine, task: TaskSpec): void {
  for (const volume of task.volumes) checkVolume(volume);
  for (const container of [...task.initContainers, ...task.containers]) {
    checkGpus(engine, container);
    for (const mount of container.mounts) checkMount(engine, task, mount);
  }
}

function checkGpus(engine: Engine, { gpus, gpuDevices = [], gpuShare }: ContainerSpec): void {
  if ((gpus > 0 || gpuDevices.length > 0) && !engine.hasGpus) {
    throw new TaskRejected('GpuUnavailable', 'the Docker engine has no nvidia runtime');
  }
  if (gpuShare) {
    throw new TaskRejected(
      'GpuIsolationUnsupported',
      'Docker does not set up MPS for parts of GPUs',
    );
  }
}

export function sandboxOptions(instance: string, task: TaskSpec): Dockerode.ContainerCreateOptions {
  return {
    name: sandboxName(task.id),
    Image: SANDBOX_IMAGE,
    Hostname: task.hostname,
    Labels: labelsOf(instance, task, 'sandbox'),
    HostConfig: {
      IpcMode: 'shareable',
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      LogConfig: { Type: 'none', Config: {} },
      ExtraHosts: task.hostAliases.flatMap(({ ip, hostnames }) =>
        hostnames.map((hostname) => `${hostname}:${ip}`),
      ),
      Mounts: task.volumes.map((volume) => sandboxMount(instance, task, volume)),
    },
  };
}

export function memberOptions(
  engine: Engine,
  instance: string,
  task: TaskSpec,
  container: ContainerSpec,
  role: Extract<Role, 'init' | 'main'>,
  mountpoints: Mountpoints,
): Dockerode.ContainerCreateOptions {
  return {
    name: containerName(task.id, container.name),
    Image: container.image,
    Labels: labelsOf(instance, task, role, container.name),
    Env: container.env.map(({ name, value }) => `${name}=${value}`),
    Tty: container.tty,
    OpenStdin: container.stdin,
    // A command replaces the image's entry point and, with it, the image's arguments.
    ...(container.command?.length && { Entrypoint: [...container.command] }),
    ...(container.args?.length && { Cmd: [...container.args] }),
    ...(container.workingDir !== undefined && { WorkingDir: container.workingDir }),
    ...(container.user !== undefined && { User: container.user }),
    HostConfig: {
      NetworkMode: `container:${sandboxName(task.id)}`,
      IpcMode: `container:${sandboxName(task.id)}`,
      RestartPolicy: { Name: 'no' },
      LogConfig: LOG_CONFIG,
      ReadonlyRootfs: container.readOnlyRootFilesystem,
      CapAdd: [...container.capabilitiesAdd],
      CapDrop: [...container.capabilitiesDrop],
      ...(container.noNewPrivileges && { SecurityOpt: ['no-new-privileges'] }),
      ...resourceOptions(engine, container),
      ...mountOptions(engine, task, container, mountpoints),
    },
  };
}

function resourceOptions(engine: Engine, container: ContainerSpec): Dockerode.HostConfig {
  const { cpuMillisLimit, memoryBytesLimit } = container;
  const shares = Math.floor((container.cpuMillisRequest * 1024) / 1000);
  const cpuMillis = Math.min(Math.max(cpuMillisLimit, MIN_CPU_MILLIS), engine.cpuMillis);
  const memoryBytes = Math.max(memoryBytesLimit, MIN_MEMORY_BYTES);
  return {
    CpuShares: Math.max(shares, MIN_CPU_SHARES),
    ...(cpuMillisLimit > 0 && { NanoCpus: cpuMillis * 1_000_000 }),
    // As much swap as memory in sum: none, as in Kubernetes.
    ...(memoryBytesLimit > 0 && { Memory: memoryBytes, MemorySwap: memoryBytes }),
    ...deviceRequests(container),
  };
}

function deviceRequests({ gpus, gpuDevices = [] }: ContainerSpec): Dockerode.HostConfig {
  const Capabilities = [['gpu']];
  if (gpuDevices.length > 0) {
    return { DeviceRequests: [{ DeviceIDs: [...gpuDevices], Capabilities }] };
  }
  return gpus > 0 ? { DeviceRequests: [{ Count: gpus, Capabilities }] } : {};
}

function mountOptions(
  engine: Engine,
  task: TaskSpec,
  container: ContainerSpec,
  mountpoints: Mountpoints,
): Dockerode.HostConfig {
  const mounts = container.mounts.map((mount) => {
    const source = volumeName(task.id, mount.volume);
    const target = { Target: mount.path, ReadOnly: isReadOnly(task, mount) };
    const subPath = cleanPath(mount.subPath ?? '');
    if (subPath === '') {
      return { ...target, Type: 'volume', Source: source, VolumeOptions: { NoCopy: true } };
    }
    if (engine.mountsSubPaths) {
      const options = { NoCopy: true, Subpath: subPath };
      return { ...target, Type: 'volume', Source: source, VolumeOptions: options };
    }
    return { ...target, Type: 'bind', Source: `${mountpoints.get(source) ?? ''}/${subPath}` };
  });
  // The types ask for options that the engine has defaults for.
  return { Mounts: mounts as Dockerode.MountConfig };
}

function sandboxMount(
  instance: string,
  task: TaskSpec,
  volume: TaskVolume,
): Dockerode.MountSettings {
  return {
    Type: 'volume',
    Source: volumeName(task.id, volume.name),
    Target: `/${VOLUMES_FOLDER}/${volume.name}`,
    VolumeOptions: {
      NoCopy: true,
      Labels: labelsOf(instance, task, 'volume'),
      DriverConfig: { Name: 'local', Options: volumeDriverOptions(volume) },
    },
  };
}

/**
 * Configuration and secrets are in memory only: such a volume lives as long as the sandbox runs.
 */
function volumeDriverOptions(volume: TaskVolume): Record<string, string> {
  if (volume.type === 'files') return { type: 'tmpfs', device: 'tmpfs', o: 'mode=0755' };
  if (!volume.memory) return {};
  const size = volume.sizeBytes > 0 ? `size=${volume.sizeBytes},` : '';
  return { type: 'tmpfs', device: 'tmpfs', o: `${size}mode=0777` };
}

function checkVolume(volume: TaskVolume): void {
  if (volume.type === 'empty') return;
  for (const file of volume.files) {
    if (cleanPath(file.path) === '') {
      throw new TaskRejected('InvalidPath', `volume ${volume.name}: a file has an invalid path`);
    }
  }
}

function checkMount(engine: Engine, task: TaskSpec, mount: ContainerSpec['mounts'][number]): void {
  if (mount.subPath === undefined || mount.subPath === '') return;
  if (cleanPath(mount.subPath) === '') {
    throw new TaskRejected('InvalidPath', `volume ${mount.volume}: subPath must stay inside`);
  }
  const volume = task.volumes.find(({ name }) => name === mount.volume);
  if (volume?.type === 'empty' && !engine.mountsSubPaths) {
    // An older engine resolves the path on its own machine, through links that a container may have
    // made.
    throw new TaskRejected('SubPathUnsupported', 'subPath of an emptyDir needs Docker 26 or newer');
  }
}

function isReadOnly(task: TaskSpec, mount: ContainerSpec['mounts'][number]): boolean {
  const volume = task.volumes.find(({ name }) => name === mount.volume);
  return mount.readOnly || volume?.type === 'files';
}

/** Relative, without steps up; '' where that can't be. */
export function cleanPath(path: string): string {
  const steps = path.split('/').filter((step) => step !== '' && step !== '.');
  return path.startsWith('/') || steps.includes('..') ? '' : steps.join('/');
}
