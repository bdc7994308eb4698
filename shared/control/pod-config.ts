/**
 * The ConfigMaps and Secrets that a pod refers to, as read from the store. Holds values for as long
 * as a task is being put together; nothing of it is stored or logged.
 */
import type { ConfigMap, Secret } from '../api/kinds/core.ts';
import type { Pod } from '../api/kinds/pod.ts';
import { type ConfigResource, type KeysOf, referencesOf } from '../core/pod/references.ts';
import type { Reader } from './controller.ts';

export class PodConfig {
  readonly #objects: ReadonlyMap<string, ConfigMap | Secret>;

  constructor(objects: ReadonlyMap<string, ConfigMap | Secret>) {
    this.#objects = objects;
  }

  static async read(pod: Pod, read: Reader): Promise<PodConfig> {
    const namespace = pod.metadata.namespace ?? '';
    const named = new Map(
      referencesOf(pod).map(({ resource, name }) => [`${resource}/${name}`, { resource, name }]),
    );
    const objects = new Map<string, ConfigMap | Secret>();
    const fetch = async ([id, { resource, name }]: [string, Named]): Promise<void> => {
      const object = await read.get<ConfigMap | Secret>({ resource, namespace, name });
      if (object) objects.set(id, object);
    };
    await Promise.all([...named].map(fetch));
    return new PodConfig(objects);
  }

  /** The keys of an object; undefined when there is none of that name. */
  readonly keysOf: KeysOf = (resource, name) => {
    const values = this.#values(resource, name);
    return values && Object.keys(values);
  };

  /** The value of a key in base64. */
  bytes(resource: ConfigResource, name: string, key: string): string | undefined {
    const values = this.#values(resource, name);
    return values && Object.hasOwn(values, key) ? values[key] : undefined;
  }

  /** Everything in an object, in base64; undefined when there is none of that name. */
  #values(resource: ConfigResource, name: string): { readonly [key: string]: string } | undefined {
    const object = this.#objects.get(`${resource}/${name}`);
    if (!object) return undefined;
    if (object.kind === 'Secret') return object.data ?? {};
    const texts = Object.entries(object.data ?? {}).map(([key, text]) => [key, toBase64(text)]);
    return { ...object.binaryData, ...(Object.fromEntries(texts) as { [key: string]: string }) };
  }
}

interface Named {
  readonly resource: ConfigResource;
  readonly name: string;
}

/** Bytes at a time, so that no call has more arguments than an engine takes. */
const CHUNK = 8192;

export function toBase64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let binary = '';
  for (let i = 0; i < bytes.length; i += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  }
  return btoa(binary);
}

export function textOf(base64: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
}
