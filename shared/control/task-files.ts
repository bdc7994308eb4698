/** The volumes of a task: empty directories, and files out of ConfigMaps and Secrets. */
import type { Volume } from '../api/kinds/volumes.ts';
import { wholeValue } from '../api/quantity.ts';
import type { TaskFile, TaskVolume } from '../api/task.ts';
import type { ConfigResource } from '../core/pod/references.ts';
import type { PodConfig } from './pod-config.ts';

/** The volume; undefined for a kind of volume that is not served (the API server refuses those). */
export function taskVolume(volume: Volume, config: PodConfig): TaskVolume | undefined {
  const { name, emptyDir, configMap, secret } = volume;
  if (emptyDir) {
    const sizeBytes = wholeValue(emptyDir.sizeLimit ?? 0);
    return { name, type: 'empty', memory: emptyDir.medium === 'Memory', sizeBytes };
  }
  if (configMap) {
    return { name, type: 'files', files: files('configmaps', configMap.name, configMap, config) };
  }
  if (!secret) return undefined;
  return {
    name,
    type: 'files',
    files: files('secrets', secret.secretName ?? '', secret, config),
  };
}

interface Projection {
  readonly items?: readonly {
    readonly key: string;
    readonly path: string;
    readonly mode?: number;
  }[];
  readonly defaultMode: number;
}

/** The chosen keys under their paths, or every key under its own name. */
function files(
  resource: ConfigResource,
  name: string,
  { items, defaultMode }: Projection,
  config: PodConfig,
): readonly TaskFile[] {
  const all = (config.keysOf(resource, name) ?? []).map((key) => ({ key, path: key }));
  return (items ?? all).flatMap((item: { key: string; path: string; mode?: number }) => {
    const value = config.value(resource, name, item.key);
    if (value === undefined) return []; // a key that is missing here is an optional one
    const place = { path: item.path, mode: item.mode ?? defaultMode };
    return value.sealed
      ? { ...place, content: '', secretRef: value.sealed }
      : { ...place, content: value.base64 };
  });
}
