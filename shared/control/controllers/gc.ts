/**
 * Wakes and reads for core/gc. Owners are looked for by a strong read and compared by uid; dependents are found by the
 * owner index, which may lag: one that it misses finds its owner gone later, and goes then.
 */
import type { Change } from '../../api/change.ts';
import { keyOf } from '../../api/change.ts';
import { sameJson } from '../../api/hash.ts';
import type { AnyObject, ObjectKey, OwnerReference } from '../../api/meta.ts';
import { RESOURCES, type ResourceType } from '../../api/resources.ts';
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from '../../core/deletion.ts';
import { type Dependent, type GcSnapshot, type OwnerState, planGc } from '../../core/gc/plan.ts';
import type { Controller, Reader } from '../controller.ts';

/** Dependents of a resource that one look reads. */
const BATCH = 500;

export const gcController: Controller<GcSnapshot> = {
  name: 'gc',
  resource: '*',
  wakes,
  snapshot,
  plan: planGc,
};

async function wakes(change: Change, read: Reader): Promise<readonly ObjectKey[]> {
  const { resource, object } = change;
  if (change.type === 'delete') {
    return [...(await dependentKeys(object, read)), ...ownerKeys(object)];
  }
  const self = keyOf(resource, object);
  if (ownFinalizer(object)) {
    const news = !change.previous || !ownFinalizer(change.previous);
    return news ? [self, ...(await dependentKeys(object, read))] : [self];
  }
  const references = object.metadata.ownerReferences;
  const known = change.previous?.metadata.ownerReferences;
  return references && !sameJson(references, known) ? [self] : [];
}

/** The object is being deleted in a way that is ours to finish. */
function ownFinalizer({ metadata }: AnyObject): boolean {
  const { deletionTimestamp, finalizers = [] } = metadata;
  if (deletionTimestamp === undefined) return false;
  return finalizers.includes(FOREGROUND_FINALIZER) || finalizers.includes(ORPHAN_FINALIZER);
}

async function dependentKeys(owner: AnyObject, read: Reader): Promise<readonly ObjectKey[]> {
  const keys: ObjectKey[] = [];
  for (const type of ownable(owner)) {
    let after: string | undefined;
    do {
      const page = await read.list({ ...dependentsOf(owner, type), ...(after ? { after } : {}) });
      keys.push(...page.items.map((object) => keyOf(type.name, object)));
      after = page.next;
    } while (after !== undefined);
  }
  return keys;
}

/** A namespaced object owns within its namespace; a cluster-scoped one may own anything. */
function ownable(owner: AnyObject): readonly ResourceType[] {
  const mayOwn = (type: ResourceType) => type.namespaced || !owner.metadata.namespace;
  return RESOURCES.filter((type) => type.name !== 'events' && mayOwn(type));
}

function dependentsOf({ metadata }: AnyObject, type: ResourceType) {
  return {
    resource: type.name,
    index: { name: 'owner' as const, value: metadata.uid },
    limit: BATCH,
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
  };
}

/** The owners of a deleted object: one of them may have waited for it. */
function ownerKeys(object: AnyObject): readonly ObjectKey[] {
  return (object.metadata.ownerReferences ?? []).flatMap((reference) => {
    return reference.blockOwnerDeletion ? (ownerKey(reference, object) ?? []) : [];
  });
}

/** Where the owner would be; undefined for kinds that are not known here. */
function ownerKey(reference: OwnerReference, dependent: AnyObject): ObjectKey | undefined {
  const [group] = reference.apiVersion.includes('/') ? reference.apiVersion.split('/') : [''];
  const type = RESOURCES.find((t) => t.kind === reference.kind && t.group === group);
  if (!type) return undefined;
  const namespace = type.namespaced ? (dependent.metadata.namespace ?? '') : '';
  return { resource: type.name, namespace, name: reference.name };
}

async function snapshot(key: ObjectKey, read: Reader): Promise<GcSnapshot | undefined> {
  const object = await read.get(key);
  if (!object) return undefined;
  const { resource } = key;
  if (ownFinalizer(object)) {
    return { resource, object, owners: [], dependents: await findDependents(object, read) };
  }
  if (object.metadata.deletionTimestamp !== undefined) return undefined;
  const references = object.metadata.ownerReferences ?? [];
  const owners = await Promise.all(
    references.map(async (reference) => {
      return { reference, state: await ownerState(reference, object, read) };
    }),
  );
  return owners.length > 0 ? { resource, object, owners, dependents: [] } : undefined;
}

async function findDependents(owner: AnyObject, read: Reader): Promise<readonly Dependent[]> {
  const pages = await Promise.all(
    ownable(owner).map(async (type) => {
      const { items } = await read.list(dependentsOf(owner, type));
      return items.map((object) => ({ resource: type.name, object }));
    }),
  );
  return pages.flat();
}

async function ownerState(
  reference: OwnerReference,
  dependent: AnyObject,
  read: Reader,
): Promise<OwnerState> {
  const key = ownerKey(reference, dependent);
  if (!key) return 'present';
  const owner = await read.get(key);
  if (owner?.metadata.uid !== reference.uid) return 'absent';
  const { deletionTimestamp, finalizers = [] } = owner.metadata;
  const waits = deletionTimestamp !== undefined && finalizers.includes(FOREGROUND_FINALIZER);
  return waits ? 'waiting' : 'present';
}
