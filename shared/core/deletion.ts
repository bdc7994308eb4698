/**
 * Deletion: what asking for an object's deletion does to it. Owns deletionTimestamp, the grace
 * period and the two finalizers by which owners wait for, or let go of, what they own. Does not own
 * what happens then: the pod controller stops tasks, the garbage collector handles the finalizers,
 * the namespace controller empties.
 *
 * Invariants:
 *  D1 A pod is removed only when no task of it can be alive: never launched, or its task is known
 *     to have ended (S5). The one exception is a caller who knows that the node, and with it the
 *     task, is gone for good.
 *  D2 Asking again changes nothing, except that a pod's grace may become shorter and the
 *     propagation another.
 */
import { expectedOf, keyOf } from '../api/change.ts';
import { withCondition } from '../api/conditions.ts';
import { sameJson } from '../api/hash.ts';
import type { Pod, PodControl } from '../api/kinds/pod.ts';
import type { AnyObject, KubeObject, ObjectMeta, ResourceName } from '../api/meta.ts';

import { parseTime, rfc3339 } from '../api/time.ts';
import { type Action, update } from './plan.ts';
import { hasNoTask } from './pod/attempt.ts';

/** The owner waits until the dependents that block its deletion are gone. */
export const FOREGROUND_FINALIZER = 'foregroundDeletion';
/** The dependents lose their reference to the owner before it goes. */
export const ORPHAN_FINALIZER = 'orphan';

/** In a namespace's spec.finalizers: its contents are not gone yet. */
export const NAMESPACE_FINALIZER = 'kubernetes';

export type PropagationPolicy = 'Background' | 'Foreground' | 'Orphan';

export interface DeletionOptions {
  /** For pods only; their own terminationGracePeriodSeconds when absent. 0 is `--force`. */
  readonly gracePeriodSeconds?: number;
  /** When absent, what an earlier deletion asked for, and Background otherwise. */
  readonly propagationPolicy?: PropagationPolicy;
  /** The node is gone for good, so that no task of the pod can be alive (D1). */
  readonly nodeLost?: boolean;
  /** Why the pod has to go although its owner wants it: its DisruptionTarget condition. */
  readonly disruption?: { readonly reason: string; readonly message: string };
}

/**
 * The write that deletes the object: a mark or its removal; undefined when it would change nothing.
 */
export function deletion(
  resource: ResourceName,
  object: KubeObject,
  options: DeletionOptions,
  nowMs: number,
): Action | undefined {
  const metadata = marked(resource, object, options, nowMs);
  const next: KubeObject =
    resource === 'namespaces'
      ? terminating(object, metadata)
      : { ...disrupted(resource, object, options, nowMs), metadata };
  const settled = options.nodeLost === true ? withoutTask(resource, next) : next;
  if (mayBeRemoved(resource, settled, nowMs)) return removal(resource, object);
  return sameJson(next, object) ? undefined : update(resource, next);
}

/** The object without this hold on it. */
export function withoutFinalizer<T extends KubeObject>(object: T, finalizer: string): T {
  const { finalizers = [], ...metadata } = object.metadata;
  const left = finalizers.filter((one) => one !== finalizer);
  return { ...object, metadata: left.length > 0 ? { ...metadata, finalizers: left } : metadata };
}

/** Removes exactly this version of the object. */
export function removal(resource: ResourceName, object: KubeObject): Action {
  return { kind: 'remove', key: keyOf(resource, object), expected: expectedOf(object) };
}

/**
 * Whether nothing holds the object any longer, so that whoever writes this state removes it
 * instead: it is being deleted, no finalizer is left, and no task of it can be alive (D1).
 */
export function mayBeRemoved(resource: ResourceName, object: KubeObject, nowMs: number): boolean {
  const { deletionTimestamp, finalizers } = object.metadata;
  if (deletionTimestamp === undefined || (finalizers?.length ?? 0) > 0) return false;
  if (resource === 'pods') return hasNoTask(object as Pod, nowMs);
  // A namespace goes once its controller has emptied it and taken `kubernetes` out of its spec.
  if (resource === 'namespaces') return namespaceFinalizers(object).length === 0;
  return true;
}

function marked(
  resource: ResourceName,
  object: KubeObject,
  options: DeletionOptions,
  nowMs: number,
): ObjectMeta {
  const { finalizers: old, ...metadata } = object.metadata;
  const finalizers = propagated(old ?? [], options.propagationPolicy);
  const timed =
    metadata.deletionTimestamp === undefined
      ? firstMark(metadata, resource === 'pods' ? graceOf(object as Pod, options) : 0, nowMs)
      : shortened(metadata, options);
  return finalizers.length > 0 ? { ...timed, finalizers } : timed;
}

/** The finalizers that this policy leaves; the last deletion that names a policy has its way. */
function propagated(
  finalizers: readonly string[],
  policy: PropagationPolicy | undefined,
): readonly string[] {
  if (policy === undefined) return finalizers;
  const others = finalizers.filter((f) => f !== FOREGROUND_FINALIZER && f !== ORPHAN_FINALIZER);
  const wanted = { Background: [], Foreground: [FOREGROUND_FINALIZER], Orphan: [ORPHAN_FINALIZER] };
  return [...others, ...wanted[policy]];
}

/** Seconds that the pod may take to stop. Where there is nothing to wait for, none. */
function graceOf(pod: Pod, options: DeletionOptions): number {
  const unscheduled = !pod.spec.nodeName;
  const terminal = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
  if (unscheduled || terminal) return 0;
  const asked = options.gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds;
  // A negative grace is a client's mistake that must not turn into a kill without warning.
  return asked < 0 ? 1 : asked;
}

/**
 * The desired state of a deleted object has changed, so that its generation grows (where it has
 * one).
 */
function firstMark(metadata: ObjectMeta, graceSeconds: number, nowMs: number): ObjectMeta {
  return {
    ...metadata,
    deletionTimestamp: rfc3339(nowMs + graceSeconds * 1000),
    deletionGracePeriodSeconds: graceSeconds,
    ...(metadata.generation ? { generation: metadata.generation + 1 } : {}),
  };
}

/** A repeat may only bring the end nearer; it counts from when the deletion was first asked for. */
function shortened(metadata: ObjectMeta, options: DeletionOptions): ObjectMeta {
  const old = metadata.deletionGracePeriodSeconds ?? 0;
  const grace = Math.max(options.gracePeriodSeconds ?? old, 0);
  const endsAtMs = parseTime(metadata.deletionTimestamp);
  if (grace >= old || endsAtMs === undefined) return metadata;
  return {
    ...metadata,
    deletionTimestamp: rfc3339(endsAtMs - (old - grace) * 1000),
    deletionGracePeriodSeconds: grace,
  };
}

/**
 * A namespace becomes Terminating, and waits for its controller even if it was stored without its
 * finalizer.
 */
function terminating(namespace: KubeObject, metadata: ObjectMeta): KubeObject {
  const { status, spec } = namespace as AnyObject;
  const first = namespace.metadata.deletionTimestamp === undefined;
  const waits = first ? [NAMESPACE_FINALIZER] : [];
  const finalizers = [...new Set([...namespaceFinalizers(namespace), ...waits])];
  return {
    ...namespace,
    metadata,
    spec: { ...(spec as object), finalizers },
    status: { ...(status as object), phase: 'Terminating' },
  } as AnyObject;
}

function namespaceFinalizers(namespace: KubeObject): readonly string[] {
  const spec = (namespace as AnyObject).spec as { finalizers?: readonly string[] } | undefined;
  return spec?.finalizers ?? [];
}

/** The pod with what disrupts it, said once: with the first mark. */
function disrupted(
  resource: ResourceName,
  object: KubeObject,
  { disruption }: DeletionOptions,
  nowMs: number,
): KubeObject {
  const isFirst = object.metadata.deletionTimestamp === undefined;
  if (resource !== 'pods' || !disruption || !isFirst) return object;
  const pod = object as Pod;
  const target = { type: 'DisruptionTarget', status: 'True' as const, ...disruption };
  const conditions = withCondition(pod.status.conditions, target, nowMs);
  return { ...pod, status: { ...pod.status, conditions } } as Pod;
}

function withoutTask(resource: ResourceName, object: KubeObject): KubeObject {
  if (resource !== 'pods') return object;
  const { refusedAtMs: _, ...control }: PodControl = (object as Pod).control ?? {};
  return { ...object, control: { ...control, taskStopped: true } };
}
