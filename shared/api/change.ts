/**
 * What a store tells of its objects: changes, the identity that a write expects, and the indexes it
 * keeps.
 */
import { isJsonObject } from './json.ts';
import {
  type AnyObject,
  controllerAmong,
  type KubeObject,
  type ObjectKey,
  type OwnerReference,
  type ResourceName,
} from './meta.ts';
import { generatedNamePrefix } from './names.ts';

/** The identity of one version of one object: a namesake made later has another uid. */
export interface Expected {
  readonly uid: string;
  readonly resourceVersion: string;
}

/**
 * One change. `object` is the state after it (of a deletion: the last state, under the deletion's
 * version). `previous` is the state before it; there was none when it is absent, unless `earlier`
 * says otherwise.
 */
export interface Change<T extends KubeObject = AnyObject> {
  readonly type: 'put' | 'delete';
  readonly resource: ResourceName;
  readonly object: T;
  readonly previous?: T;
  /**
   * Of a store that merges changes and may show them twice: further states than `previous` that a
   * watcher may have seen last; `unknown` when it may have seen one that is no longer kept.
   */
  readonly earlier?: readonly T[] | 'unknown';
}

/**
 * `owner`: the uid of each owner reference; '' for a pod or ReplicaSet that nothing controls, so
 * that who selects it finds it without looking at all others. `node`: a pod's spec.nodeName, ''
 * while it has none; of a node, the id of its registration.
 */
export type IndexName = 'owner' | 'node';

export const INDEX_NAMES: readonly IndexName[] = ['owner', 'node'];

/** What is looked for in an index. */
export type IndexQuery =
  | { readonly name: 'node'; readonly value: string }
  | {
      readonly name: 'owner';
      readonly value: string;
      /**
       * What the names of its pods begin with that are named after the owner: a store may find
       * those by their names and leave them out of its index. `ownedBy` says it.
       */
      readonly names?: string;
    };

/** The question for what the object owns. */
export function ownedBy({ kind, metadata: { uid, name } }: KubeObject): IndexQuery {
  const names = kind === NAMING_KIND ? { names: generatedNamePrefix(name) } : {};
  return { name: 'owner', value: uid, ...names };
}

/** The question for what nothing controls. */
export const UNCONTROLLED: IndexQuery = { name: 'owner', value: '' };

/** Most pods are of ReplicaSets, which name theirs after themselves. */
const NAMING_KIND = 'ReplicaSet';

/** The uid of the owner that is found by the object's name: its controller, if it named it. */
export function ownerByName(resource: ResourceName, object: KubeObject): string | undefined {
  if (resource !== 'pods') return undefined;
  const owner = controllerAmong(referencesOf(object));
  if (owner?.kind !== NAMING_KIND) return undefined;
  const isNamedAfter = object.metadata.name.startsWith(generatedNamePrefix(owner.name));
  return isNamedAfter ? owner.uid : undefined;
}

/** The values under which an object is found in an index, whatever has become of it (B7). */
export function indexValues(
  index: IndexName,
  resource: ResourceName,
  object: KubeObject,
): string[] {
  if (index === 'owner') return ownerValues(resource, object);
  if (resource === 'nodes') return registrationValues(object);
  if (resource !== 'pods') return [];
  const { nodeName } = (object as { spec?: { nodeName?: unknown } | null }).spec ?? {};
  return [typeof nodeName === 'string' ? nodeName : ''];
}

function registrationValues({ control }: KubeObject): string[] {
  const { registrationId } = (control ?? {}) as { registrationId?: string };
  return registrationId === undefined ? [] : [registrationId];
}

/** Stores see objects as they are stored: what is spoilt is of no form. */
function referencesOf({ metadata }: KubeObject): readonly OwnerReference[] {
  const given: unknown = metadata.ownerReferences;
  return Array.isArray(given) ? (given.filter(isJsonObject) as unknown as OwnerReference[]) : [];
}

const ADOPTABLE: readonly ResourceName[] = ['pods', 'replicasets.apps'];

function ownerValues(resource: ResourceName, object: KubeObject): string[] {
  const references = referencesOf(object);
  const owners = references.map(({ uid }) => uid).filter((uid) => typeof uid === 'string');
  return ADOPTABLE.includes(resource) && !controllerAmong(references) ? [...owners, ''] : owners;
}

export function expectedOf(object: KubeObject): Expected {
  return { uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion };
}

export function keyOf(resource: ResourceName, object: KubeObject): ObjectKey {
  return { resource, namespace: object.metadata.namespace ?? '', name: object.metadata.name };
}
