/**
 * The ConfigMaps and Secrets that a pod refers to, as read from the store. Holds values for as long
 * as a task is being put together; nothing of it is stored or logged. Of a sealed Secret it knows
 * where the values are, and no more.
 */
import { textOf, toBase64 } from '../api/base64.ts';
import type { ConfigMap, Secret } from '../api/kinds/core.ts';
import type { Pod } from '../api/kinds/pod.ts';
import type { SecretFileRef } from '../api/task.ts';
import { secretFileRef, vaultedValues } from '../api/vault-ref.ts';
import { type ConfigResource, type KeysOf, referencesOf } from '../core/pod/references.ts';
import type { Reader } from './controller.ts';

export { textOf, toBase64 };

/** A value in base64, or where it is. */
export type ConfigValue =
  { readonly base64: string; readonly sealed?: undefined } | { readonly sealed: SecretFileRef };

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
    const object = this.#objects.get(`${resource}/${name}`);
    if (!object) return undefined;
    if (object.kind === 'Secret') return Object.keys(object.data ?? {});
    return Object.keys({ ...object.binaryData, ...object.data });
  };

  /** The value of a key; undefined when there is none. */
  value(resource: ConfigResource, name: string, key: string): ConfigValue | undefined {
    const object = this.#objects.get(`${resource}/${name}`);
    if (!object) return undefined;
    if (object.kind === 'Secret') return secretValue(object, key);
    const { data = {}, binaryData = {} } = object;
    if (Object.hasOwn(data, key)) return { base64: toBase64(data[key] ?? '') };
    return Object.hasOwn(binaryData, key) ? { base64: binaryData[key] ?? '' } : undefined;
  }
}

/** A sealed Secret shows its keys with empty values. */
function secretValue(secret: Secret, key: string): ConfigValue | undefined {
  const { data = {} } = secret;
  if (!Object.hasOwn(data, key)) return undefined;
  const base64 = data[key] ?? '';
  const vaulted = base64 === '' ? vaultedValues(secret) : undefined;
  const sealed = vaulted && secretFileRef(vaulted.ref, key);
  return sealed ? { sealed } : { base64 };
}

interface Named {
  readonly resource: ConfigResource;
  readonly name: string;
}
