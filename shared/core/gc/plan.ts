/**
 * Garbage collection: what becomes of an object when its owners go, and of an owner that waits for
 * its dependents. Owns the meaning of owner references and of the two finalizers; does not own
 * deletion itself (deletion.ts).
 *
 * Each object is decided on its own, from its owners or from its dependents, so that an owner of
 * thousands costs each of them one look.
 *
 * Invariants:
 *  G1 An object is deleted for want of owners only when each of them was looked up by name and uid,
 *     and is gone. An owner of a kind that is not served can't be looked up, and counts as there.
 *  G2 A finalizer is removed only when nothing is left of what it waits for. No index says so: it
 *     lags behind, and who is orphaned too late would be collected.
 */
import type { KubeObject, OwnerReference, ResourceName } from '../../api/meta.ts';
import {
  deletion,
  FOREGROUND_FINALIZER,
  mayBeRemoved,
  ORPHAN_FINALIZER,
  removal,
} from '../deletion.ts';
import { withoutOwners } from '../ownership.ts';
import { type Action, blocked, inOrder, NOTHING, type Plan, update } from '../plan.ts';

export interface GcSnapshot {
  readonly resource: ResourceName;
  readonly object: KubeObject;
  readonly owners: readonly OwnerFact[];
  /**
   * Objects that name this one as owner; read only when it waits for them, at most MAX_DEPENDENTS.
   * Where none of them holds it (`holding`), the tables themselves have been asked, not an index.
   */
  readonly dependents: readonly Dependent[];
}

export interface OwnerFact {
  readonly reference: OwnerReference;
  /** What a strong read of that name gave; `unknown` for kinds that are not served. */
  readonly found: KubeObject | 'unknown' | undefined;
}

export interface Dependent {
  readonly resource: ResourceName;
  readonly object: KubeObject;
}

/** Dependents looked at in one plan; letting some go brings the others into view. */
export const MAX_DEPENDENTS = 500;
const NEXT_BATCH_AFTER_MS = 50;

/**
 * Resources whose objects own others as a matter of course: their foreground deletion goes on
 * downwards.
 */
const OWNING: ReadonlySet<ResourceName> = new Set(['deployments.apps', 'replicasets.apps']);

export function planGarbage(snapshot: GcSnapshot, nowMs: number): Plan {
  const { object } = snapshot;
  if (waitsForDependents(object)) return planWaiting(snapshot, nowMs);
  if (object.metadata.deletionTimestamp !== undefined || snapshot.owners.length === 0)
    return NOTHING;
  return planOwned(snapshot, nowMs);
}

/** Whether the object is being deleted in a way that concerns its dependents first. */
export function waitsForDependents({ metadata }: KubeObject): boolean {
  const { deletionTimestamp, finalizers = [] } = metadata;
  const waits = finalizers.includes(FOREGROUND_FINALIZER) || finalizers.includes(ORPHAN_FINALIZER);
  return deletionTimestamp !== undefined && waits;
}

/** Whether the object is deleted in the foreground: its dependents go while it waits. */
export function takesDependents(object: KubeObject): boolean {
  return (
    waitsForDependents(object) &&
    object.metadata.finalizers?.includes(FOREGROUND_FINALIZER) === true
  );
}

/** Whether a dependent has reason to be looked at: an owner is gone or takes it along. */
export function isUnsettled({ reference, found }: OwnerFact): boolean {
  if (found === 'unknown') return false;
  return found?.metadata.uid !== reference.uid || takesDependents(found);
}

/** Those of the dependents that the object's deletion waits for. */
export function holding(
  { metadata }: KubeObject,
  dependents: readonly Dependent[],
): readonly Dependent[] {
  const { uid, finalizers = [] } = metadata;
  const isOrphaning = finalizers.includes(ORPHAN_FINALIZER);
  return dependents.filter(({ object }) =>
    object.metadata.ownerReferences?.some(
      (reference) => reference.uid === uid && (isOrphaning || reference.blockOwnerDeletion),
    ),
  );
}

function planWaiting({ resource, object, dependents }: GcSnapshot, nowMs: number): Plan {
  const { uid, finalizers = [] } = object.metadata;
  const finalizer = finalizers.includes(ORPHAN_FINALIZER) ? ORPHAN_FINALIZER : FOREGROUND_FINALIZER;
  const held = holding(object, dependents);
  if (held.length === 0) return inOrder(released(resource, object, finalizer, nowMs));
  if (finalizer === ORPHAN_FINALIZER) {
    const freed = held.map((d) => update(d.resource, withoutOwners(d.object, [uid])));
    return { stages: [freed], blocked: [], againAfterMs: NEXT_BATCH_AFTER_MS };
  }
  const names = held.slice(0, 3).map((d) => `${d.resource}/${d.object.metadata.name}`);
  return blocked(`waits for ${held.length} dependents, such as ${names.join(', ')}`);
}

/** The object without that finalizer; when it was all that held it, the object goes. */
function released(
  resource: ResourceName,
  object: KubeObject,
  finalizer: string,
  nowMs: number,
): Action {
  const { finalizers, ...metadata } = object.metadata;
  const rest = (finalizers ?? []).filter((f) => f !== finalizer);
  const next = {
    ...object,
    metadata: rest.length > 0 ? { ...metadata, finalizers: rest } : metadata,
  };
  return mayBeRemoved(resource, next, nowMs) ? removal(resource, object) : update(resource, next);
}

function planOwned({ resource, object, owners }: GcSnapshot, nowMs: number): Plan {
  const unsettled = owners.filter(isUnsettled);
  if (unsettled.length === 0) return NOTHING;
  if (unsettled.length < owners.length) {
    // Another owner is still there: the object stays, and forgets those that are not.
    const uids = unsettled.map(({ reference }) => reference.uid);
    return inOrder(update(resource, withoutOwners(object, uids)));
  }
  const taken = unsettled.some(({ reference, found }) => isThere(reference, found));
  const policy = taken && OWNING.has(resource) ? { propagationPolicy: 'Foreground' as const } : {};
  const action = deletion(resource, object, policy, nowMs);
  return action ? inOrder(action) : NOTHING;
}

function isThere(reference: OwnerReference, found: OwnerFact['found']): boolean {
  return found !== undefined && found !== 'unknown' && found.metadata.uid === reference.uid;
}
