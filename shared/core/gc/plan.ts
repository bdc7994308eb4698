/**
 * The garbage collector: what becomes of an object when its owners go, and of an owner that waits for, or lets go of,
 * what it owns. It looks at one object at a time and at nothing but references (Kubernetes: "Garbage Collection",
 * owners and dependents).
 *
 * Invariants:
 *  G1 An object is deleted for want of owners only if each of them was looked for and not found under its uid, or is
 *     itself being deleted in the foreground. An owner of a kind that is not known here counts as present.
 *  G2 The finalizers of foreground deletion and orphaning go only after what they stand for is done.
 */
import type { AnyObject, OwnerReference, ResourceName } from '../../api/meta.ts';
import {
  deletion,
  FOREGROUND_FINALIZER,
  mayBeRemoved,
  ORPHAN_FINALIZER,
  removal,
} from '../deletion.ts';
import { withoutOwners } from '../ownership.ts';
import { type Action, blocked, NOTHING, type Plan, update } from '../plan.ts';

/** `waiting`: it is being deleted in the foreground, and waits for its dependents. */
export type OwnerState = 'present' | 'absent' | 'waiting';

export interface GcSnapshot {
  readonly resource: ResourceName;
  readonly object: AnyObject;
  readonly owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[];
  /** What names this object as an owner, some of it; looked for only if a finalizer of ours is on the object. */
  readonly dependents: readonly Dependent[];
}

export interface Dependent {
  readonly resource: ResourceName;
  readonly object: AnyObject;
}

export function planGc(snapshot: GcSnapshot, nowMs: number): Plan {
  const { finalizers = [], deletionTimestamp } = snapshot.object.metadata;
  if (deletionTimestamp === undefined) return planDependent(snapshot, nowMs);
  if (finalizers.includes(ORPHAN_FINALIZER)) return planOrphaning(snapshot);
  if (finalizers.includes(FOREGROUND_FINALIZER)) return planForeground(snapshot);
  return NOTHING;
}

/** An object without a present owner goes; one that keeps a present owner loses the references to the others. */
function planDependent({ resource, object, owners }: GcSnapshot, nowMs: number): Plan {
  const left = owners.filter(({ state }) => state !== 'present');
  if (left.length === 0) return NOTHING;
  if (left.length < owners.length) {
    const uids = left.map(({ reference }) => reference.uid);
    return { stages: [[update(resource, withoutOwners(object, uids))]], blocked: [] };
  }
  // Under an owner that waits, what this object owns itself must go first, too.
  const waits = owners.some(({ state }) => state === 'waiting');
  const propagationPolicy = waits && resource !== 'pods' ? 'Foreground' : 'Background';
  const action = deletion(resource, object, { propagationPolicy }, nowMs);
  return action ? { stages: [[action]], blocked: [] } : NOTHING;
}

/** The dependents lose their reference; once none is left, the finalizer goes. */
function planOrphaning({ resource, object, dependents }: GcSnapshot): Plan {
  if (dependents.length === 0) return withoutFinalizer(resource, object, ORPHAN_FINALIZER);
  const { uid } = object.metadata;
  const released = dependents.map((d) => update(d.resource, withoutOwners(d.object, [uid])));
  return { stages: [released], againAfterMs: 0, blocked: [] };
}

/** The finalizer goes once no dependent blocks it any more; dependents see to their own deletion. */
function planForeground({ resource, object, dependents }: GcSnapshot): Plan {
  const { uid } = object.metadata;
  const blocking = dependents.filter(({ object: { metadata } }) =>
    metadata.ownerReferences?.some((r) => r.uid === uid && r.blockOwnerDeletion === true),
  );
  if (blocking.length > 0) return blocked(`${blocking.length} dependents block the deletion`);
  return withoutFinalizer(resource, object, FOREGROUND_FINALIZER);
}

function withoutFinalizer(resource: ResourceName, object: AnyObject, finalizer: string): Plan {
  const { finalizers = [], ...metadata } = object.metadata;
  const rest = finalizers.filter((f) => f !== finalizer);
  const next = {
    ...object,
    metadata: rest.length > 0 ? { ...metadata, finalizers: rest } : metadata,
  };
  const action: Action = mayBeRemoved(resource, next)
    ? removal(resource, object)
    : update(resource, next);
  return { stages: [[action]], blocked: [] };
}
