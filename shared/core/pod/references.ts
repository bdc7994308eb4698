/**
 * What a pod refers to in ConfigMaps and Secrets, and what of it is missing. Knows names and keys,
 * never values. A missing key of a variable stops one container; a missing file stops them all,
 * since volumes come first.
 */
import type { Container } from '../../api/kinds/container.ts';
import type { Pod } from '../../api/kinds/pod.ts';

export type ConfigResource = 'configmaps' | 'secrets';

export interface Reference {
  readonly resource: ConfigResource;
  readonly name: string;
  /** Keys that must be there; the object alone is enough when there are none. */
  readonly keys: readonly string[];
  readonly optional: boolean;
  readonly by:
    | { readonly type: 'container'; readonly name: string }
    | { readonly type: 'volume'; readonly name: string };
}

/** The keys that an object has; undefined when there is no such object. */
export type KeysOf = (resource: ConfigResource, name: string) => readonly string[] | undefined;

/** What keeps a pod from starting. */
export interface Want {
  /** `resource/name` of each object whose change may help. */
  readonly waitsFor: readonly string[];
  /** By container: what its variables lack, in the words that users know. */
  readonly containers: { readonly [name: string]: string };
  /** What the first volume lacks. */
  readonly volume?: string;
}

export function referencesOf(pod: Pod): readonly Reference[] {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  return [...containers.flatMap(containerReferences), ...volumeReferences(pod)];
}

function containerReferences({ name, env = [], envFrom = [] }: Container): Reference[] {
  const by = { type: 'container', name } as const;
  const references: Reference[] = [];
  for (const { configMapRef, secretRef } of envFrom) {
    if (configMapRef) references.push(reference('configmaps', configMapRef, [], by));
    if (secretRef) references.push(reference('secrets', secretRef, [], by));
  }
  for (const { valueFrom } of env) {
    const { configMapKeyRef, secretKeyRef } = valueFrom ?? {};
    if (configMapKeyRef) {
      references.push(reference('configmaps', configMapKeyRef, [configMapKeyRef.key], by));
    }
    if (secretKeyRef) references.push(reference('secrets', secretKeyRef, [secretKeyRef.key], by));
  }
  return references;
}

function volumeReferences(pod: Pod): Reference[] {
  return (pod.spec.volumes ?? []).flatMap(({ name, configMap, secret }) => {
    const by = { type: 'volume', name } as const;
    const keys = (items: readonly { readonly key: string }[] = []) => items.map(({ key }) => key);
    if (configMap) return reference('configmaps', configMap, keys(configMap.items), by);
    if (!secret) return [];
    const { secretName = '', optional } = secret;
    const given = { name: secretName, ...(optional === undefined ? {} : { optional }) };
    return reference('secrets', given, keys(secret.items), by);
  });
}

function reference(
  resource: ConfigResource,
  given: { readonly name: string; readonly optional?: boolean },
  keys: readonly string[],
  by: Reference['by'],
): Reference {
  return { resource, name: given.name, keys, optional: given.optional === true, by };
}

/** What of the references is missing; undefined when the pod may start. */
export function wantOf(pod: Pod, keysOf: KeysOf): Want | undefined {
  const waitsFor = new Set<string>();
  const containers: { [name: string]: string } = {};
  let volume: string | undefined;
  for (const ref of referencesOf(pod)) {
    const lack = lackOf(ref, keysOf(ref.resource, ref.name), pod.metadata.namespace ?? '');
    if (lack === undefined) continue;
    waitsFor.add(`${ref.resource}/${ref.name}`);
    if (ref.by.type === 'container') containers[ref.by.name] ??= lack;
    else volume ??= `MountVolume.SetUp failed for volume "${ref.by.name}" : ${lack}`;
  }
  if (waitsFor.size === 0) return undefined;
  const want = { waitsFor: [...waitsFor].sort(), containers };
  return volume === undefined ? want : { ...want, volume };
}

function lackOf(ref: Reference, present: readonly string[] | undefined, namespace: string) {
  if (ref.optional) return undefined;
  const isSecret = ref.resource === 'secrets';
  if (!present) return `${isSecret ? 'secret' : 'configmap'} "${ref.name}" not found`;
  const key = ref.keys.find((wanted) => !present.includes(wanted));
  if (key === undefined) return undefined;
  if (ref.by.type === 'volume') {
    return isSecret
      ? `references non-existent secret key: ${key}`
      : `configmap references non-existent config key: ${key}`;
  }
  const kind = isSecret ? 'Secret' : 'ConfigMap';
  return `couldn't find key ${key} in ${kind} ${namespace}/${ref.name}`;
}
