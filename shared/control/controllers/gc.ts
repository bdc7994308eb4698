/**
 * The garbage collector: woken for dependents when an owner goes, and for owners when a dependent
 * does. Reads owners strongly, and dependents by the owner index until that shows none that holds
 * the owner: the last word have the tables themselves (G2 of core/gc/plan.ts).
 */
import { type Change, keyOf, ownedBy } from '../../api/change.ts';
import { sameJson } from '../../api/hash.ts';
import type { AnyObject, KubeObject, ObjectKey, OwnerReference } from '../../api/meta.ts';
import { RESOURCES, resourceTypeOf } from '../../api/resources.ts';
import {
  type Dependent,
  type GcSnapshot,
  holding,
  isUnsettled,
  MAX_DEPENDENTS,
  type OwnerFact,
  planGarbage,
  takesDependents,
  waitsForDependents,
} from '../../core/gc/plan.ts';
import type { ListQuery } from '../../ports/store.ts';
import type { Controller, Reader } from '../controller.ts';
import { listAll, pagesOf } from '../list-all.ts';

export const gcController: Controller<GcSnapshot> = {
  name: 'gc',
  // Any resource: the key says which.
  resource: '*',
  wakes,
  snapshot,
  plan: planGarbage,
};

async function wakes(change: Change, read: Reader): Promise<readonly ObjectKey[]> {
  const { object, previous } = change;
  // Events are owned by nobody: they are about things, and expire.
  if (change.resource === 'events') return [];
  if (change.type === 'delete') {
    const owners = await waitingOwners(object, referencesOf(object), read);
    return [...(await dependentKeys(object, read)), ...owners];
  }
  const keys: ObjectKey[] = [];
  const changed = !previous || !sameJson(referencesOf(object), referencesOf(previous));
  if (changed && (await hasUnsettledOwner(object, read))) keys.push(keyOf(change.resource, object));
  if (changed && previous)
    keys.push(...(await waitingOwners(previous, lost(object, previous), read)));
  if (waitsForDependents(object) && !(previous && sameWait(object, previous))) {
    keys.push(keyOf(change.resource, object));
    if (takesDependents(object)) keys.push(...(await dependentKeys(object, read)));
  }
  return keys;
}

function sameWait(object: KubeObject, previous: KubeObject): boolean {
  return (
    waitsForDependents(previous) &&
    sameJson(object.metadata.finalizers, previous.metadata.finalizers)
  );
}

function referencesOf({ metadata }: KubeObject): readonly OwnerReference[] {
  return metadata.ownerReferences ?? [];
}

/** References that are gone or no longer what they were. */
function lost(object: KubeObject, previous: KubeObject): readonly OwnerReference[] {
  const now = referencesOf(object);
  return referencesOf(previous).filter((old) => !now.some((reference) => sameJson(reference, old)));
}

async function hasUnsettledOwner(object: KubeObject, read: Reader): Promise<boolean> {
  if (object.metadata.deletionTimestamp !== undefined) return false;
  const facts = await Promise.all(referencesOf(object).map((ref) => factOf(object, ref, read)));
  return facts.some(isUnsettled);
}

/** The owners, of these references, that wait for the object to go. */
async function waitingOwners(
  object: KubeObject,
  references: readonly OwnerReference[],
  read: Reader,
): Promise<ObjectKey[]> {
  const facts = await Promise.all(references.map((ref) => factOf(object, ref, read)));
  return facts.flatMap(({ reference, found }) => {
    const waits = found !== 'unknown' && found && waitsForDependents(found);
    const key = ownerKey(object, reference);
    return waits && key ? [key] : [];
  });
}

async function factOf(
  object: KubeObject,
  reference: OwnerReference,
  read: Reader,
): Promise<OwnerFact> {
  const key = ownerKey(object, reference);
  return { reference, found: key ? await read.get<AnyObject>(key) : 'unknown' };
}

function ownerKey(object: KubeObject, reference: OwnerReference) {
  const type = resourceTypeOf(reference);
  if (!type) return undefined;
  const namespace = type.namespaced ? (object.metadata.namespace ?? '') : '';
  return { resource: type.name, namespace, name: reference.name };
}

async function dependentKeys(owner: KubeObject, read: Reader): Promise<ObjectKey[]> {
  const lists = await Promise.all(
    dependentQueries(owner).map(async (query) => {
      const objects = await listAll(read, query);
      return objects.map((object) => keyOf(query.resource, object));
    }),
  );
  return lists.flat();
}

/** Where dependents may be: with a namespaced owner in its namespace, with another one anywhere. */
function dependentQueries(owner: KubeObject): readonly ListQuery[] {
  const index = ownedBy(owner);
  const { namespace } = owner.metadata;
  const mayDepend = RESOURCES.filter((type) => type.name !== 'events').filter(
    (type) => type.namespaced || !namespace,
  );
  const within = namespace ? { namespace } : {};
  return mayDepend.map(({ name }) => ({ resource: name, index, ...within }));
}

async function snapshot(key: ObjectKey, read: Reader): Promise<GcSnapshot | undefined> {
  const object = await read.get(key);
  if (!object) return undefined;
  const owners = await Promise.all(referencesOf(object).map((ref) => factOf(object, ref, read)));
  const dependents = waitsForDependents(object) ? await someDependents(object, read) : [];
  return { resource: key.resource, object, owners, dependents };
}

async function someDependents(owner: KubeObject, read: Reader): Promise<readonly Dependent[]> {
  const lists = await Promise.all(
    dependentQueries(owner).map(async (query) => {
      const { items } = await read.list({ ...query, limit: MAX_DEPENDENTS });
      return items.map((object) => ({ resource: query.resource, object }));
    }),
  );
  const indexed = lists.flat().slice(0, MAX_DEPENDENTS);
  return holding(owner, indexed).length > 0 ? indexed : listedHolding(owner, read);
}

/**
 * Those that hold the owner, by lists that lag behind nothing. They cost a look at all that is in
 * its namespace, once for an owner that goes.
 */
async function listedHolding(owner: KubeObject, read: Reader): Promise<readonly Dependent[]> {
  const lists = await Promise.all(
    dependentQueries(owner).map(async ({ index: _, ...query }) => {
      const found: Dependent[] = [];
      for await (const page of pagesOf(read, query)) {
        const listed = page.map((object) => ({ resource: query.resource, object }));
        found.push(...holding(owner, listed));
        if (found.length >= MAX_DEPENDENTS) break;
      }
      return found;
    }),
  );
  return lists.flat().slice(0, MAX_DEPENDENTS);
}
