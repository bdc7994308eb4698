/**
 * Makes a task ready to be started: images, the sandbox, the content of volumes, the containers.
 * Every step may have been done before, by this process or by one that died in the middle.
 */
import type { ContainerSpec, TaskSpec, TaskVolume } from '../../shared/api/task.ts';
import { cleanPath, memberOptions, VOLUMES_FOLDER } from './container-options.ts';
import type { Mountpoints } from './container-options.ts';
import { engineCall, isRefusal } from './engine.ts';
import type { Engine } from './engine.ts';
import { CannotCreate } from './images.ts';
import type { Images } from './images.ts';
import { sandboxName, volumeName } from './names.ts';
import { packTar } from './tar.ts';
import type { TarEntry } from './tar.ts';
import { claimTask, markPrepared } from './task-record.ts';

export interface Workshop {
  readonly engine: Engine;
  readonly images: Images;
  readonly instance: string;
}

/** A container that can't be created now, and why. */
export class NotPrepared extends Error {
  override readonly name = 'NotPrepared';
  readonly container: string;
  override readonly cause: CannotCreate;
  constructor(container: string, cause: CannotCreate) {
    super(cause.message);
    this.container = container;
    this.cause = cause;
  }
}

/**
 * Throws `NotPrepared` to be tried again later. Gives up between any two steps once `signal`
 * aborts.
 */
export async function prepareTask(
  workshop: Workshop,
  task: TaskSpec,
  signal: AbortSignal,
): Promise<void> {
  const { engine, images, instance } = workshop;
  const containers = [...task.initContainers, ...task.containers];
  for (const container of containers) {
    await attributed(container, () => abortable(signal, images.ensure(container)));
  }
  const sandbox = engine.docker.getContainer(sandboxName(task.id));
  await startSandbox(workshop, task);
  const content = task.volumes.flatMap((volume) => volumeEntries(task, volume));
  if (content.length > 0) {
    await engineCall('fill volumes', () => sandbox.putArchive(packTar(content), { path: '/' }));
  }
  const mountpoints = await readMountpoints(engine, task);
  for (const container of containers) {
    signal.throwIfAborted();
    const role = task.initContainers.includes(container) ? 'init' : 'main';
    const options = memberOptions(engine, instance, task, container, role, mountpoints);
    await attributed(container, () => createMember(engine, options));
  }
  signal.throwIfAborted();
  await markPrepared(engine, task.id);
}

async function startSandbox({ engine, instance }: Workshop, task: TaskSpec): Promise<void> {
  const start = (): Promise<unknown> =>
    engineCall('start sandbox', () => engine.docker.getContainer(sandboxName(task.id)).start());
  try {
    await start();
  } catch (error) {
    if (isRefusal(error, 304)) return;
    if (!isRefusal(error, 404)) throw error;
    // Somebody removed it. Nothing of the task ever ran, so it may be made again.
    await claimTask(engine, instance, task);
    await start();
  }
}

async function createMember(
  engine: Engine,
  options: ReturnType<typeof memberOptions>,
): Promise<void> {
  try {
    await engineCall('create container', () => engine.docker.createContainer(options));
  } catch (error) {
    if (isRefusal(error, 409)) return; // its name is taken: it was created before
    if (isRefusal(error, 404)) throw new CannotCreate('ErrImagePull', error.message);
    if (isRefusal(error)) throw new CannotCreate('CreateContainerError', error.message);
    throw error;
  }
}

/** Folders that any user may write to, and files as they were given. */
function volumeEntries(task: TaskSpec, volume: TaskVolume): TarEntry[] {
  const root = `${VOLUMES_FOLDER}/${volume.name}`;
  if (volume.type === 'files') {
    return [
      { type: 'folder', path: root, mode: 0o755 },
      ...volume.files.map(({ path, content, mode }): TarEntry => {
        const data = Buffer.from(content, 'base64');
        return { type: 'file', path: `${root}/${cleanPath(path)}`, mode, data };
      }),
    ];
  }
  const subPaths = [...task.initContainers, ...task.containers]
    .flatMap(({ mounts }) => mounts)
    .filter((mount) => mount.volume === volume.name && (mount.subPath ?? '') !== '')
    .map((mount) => `${root}/${cleanPath(mount.subPath ?? '')}`);
  return [root, ...subPaths].map((path) => ({ type: 'folder', path, mode: 0o777 }));
}

/** Asked for only where it is needed: see `memberOptions`. */
async function readMountpoints(engine: Engine, task: TaskSpec): Promise<Mountpoints> {
  const all = [...task.initContainers, ...task.containers].flatMap(({ mounts }) => mounts);
  const needed = engine.mountsSubPaths ? [] : all.filter(({ subPath }) => (subPath ?? '') !== '');
  const names = new Set(needed.map(({ volume }) => volumeName(task.id, volume)));
  const found = [...names].map(async (name) => {
    const info = await engineCall('inspect volume', () => engine.docker.getVolume(name).inspect());
    return [name, info.Mountpoint] as const;
  });
  return new Map(await Promise.all(found));
}

async function attributed(container: ContainerSpec, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof CannotCreate) throw new NotPrepared(container.name, error);
    throw error;
  }
}

/** Does not wait for work that can't be called back, such as a pull that others may share. */
async function abortable(signal: AbortSignal, work: Promise<void>): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(new Error('the task was asked to end'));
  signal.addEventListener('abort', abort);
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
