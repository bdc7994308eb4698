/**
 * Volumes of a task: a folder that its containers share and that goes with it, or a tmpfs of one
 * container. Files (ConfigMaps, Secrets) are put into their folder by a first container, out of its
 * variables: `files.ts`.
 */
import type { MountPoint, Tmpfs, Volume } from '@aws-sdk/client-ecs';
import {
  FARGATE_INCLUDED_STORAGE_GIB,
  FARGATE_MAX_STORAGE_GIB,
} from '../../../shared/api/fargate-sizes.ts';
import type { ContainerSpec, TaskSpec, TaskVolume } from '../../../shared/api/task.ts';
import { TaskRejected } from '../../../shared/ports/runtime.ts';
import { MIB } from './sizes.ts';

/** Above what a task has on Fargate anyway, storage is asked for. */
const INCLUDED_STORAGE_BYTES = FARGATE_INCLUDED_STORAGE_GIB * 2 ** 30;
const MIN_STORAGE_GIB = FARGATE_INCLUDED_STORAGE_GIB + 1;

/** Half of the memory of the smallest size: for a tmpfs whose size nobody states. */
const DEFAULT_TMPFS_MIB = 256;

type Mount = ContainerSpec['mounts'][number];

/** The volumes that some container mounts, each as a folder or in memory. */
export class TaskVolumes {
  readonly folders: readonly TaskVolume[];
  readonly #inMemory: ReadonlyMap<string, TaskVolume>;

  /** Throws `TaskRejected` for mounts that ECS can't do. */
  constructor(task: TaskSpec) {
    const mounts = [...task.initContainers, ...task.containers].flatMap((c) => c.mounts);
    mounts.forEach(checkMount);
    const users = (name: string) => mounts.filter(({ volume }) => volume === name).length;
    const mounted = task.volumes.filter(({ name }) => users(name) > 0);
    // A tmpfs is a container's own: what several share is a folder, which is slower and as good.
    const inMemory = mounted.filter(
      (volume) => volume.type === 'empty' && volume.memory && users(volume.name) === 1,
    );
    this.folders = mounted.filter((volume) => !inMemory.includes(volume));
    this.#inMemory = new Map(inMemory.map((volume) => [volume.name, volume]));
  }

  definitions(): Volume[] {
    return this.folders.map(({ name }) => ({ name, host: {} }));
  }

  mountPoints({ mounts }: ContainerSpec): MountPoint[] {
    return mounts
      .filter(({ volume }) => this.folders.some(({ name }) => name === volume))
      .map(({ volume, path, readOnly }) => ({
        sourceVolume: volume,
        containerPath: path,
        readOnly: readOnly || this.#isFiles(volume),
      }));
  }

  tmpfs({ mounts }: ContainerSpec): Tmpfs[] {
    return mounts.flatMap(({ volume: name, path, readOnly }) => {
      const volume = this.#inMemory.get(name);
      if (volume?.type !== 'empty') return [];
      const size = Math.ceil(volume.sizeBytes / MIB) || DEFAULT_TMPFS_MIB;
      return [{ containerPath: path, size, ...(readOnly ? { mountOptions: ['ro'] } : {}) }];
    });
  }

  /** What Fargate must be asked for; undefined when what is included will do. */
  storageGiB(): number | undefined {
    const sizes = this.folders.map((volume) => (volume.type === 'empty' ? volume.sizeBytes : 0));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if (bytes <= INCLUDED_STORAGE_BYTES) return undefined;
    const gib = Math.max(Math.ceil(bytes / 2 ** 30), MIN_STORAGE_GIB);
    if (gib <= FARGATE_MAX_STORAGE_GIB) return gib;
    const most = FARGATE_MAX_STORAGE_GIB;
    const problem = `its volumes ask for ${gib} GiB; Fargate has at most ${most} GiB`;
    throw new TaskRejected('TaskTooLarge', problem);
  }

  #isFiles(name: string): boolean {
    return this.folders.some((volume) => volume.name === name && volume.type === 'files');
  }
}

function checkMount({ volume, subPath }: Mount): void {
  if (subPath === undefined || subPath === '') return;
  throw new TaskRejected(
    'SubPathUnsupported',
    `volume ${volume}: ECS mounts whole volumes; mount it without subPath`,
  );
}
