/**
 * Namespace: deletes the contents of one that is going, then lets it go. Owns that and the conditions that say what
 * holds it up; that nothing new is made in it is the API server's to refuse, and for controllers to heed.
 *
 * Invariants:
 *  N1 `kubernetes` leaves spec.finalizers only when a look found nothing in the namespace.
 *  N2 Pods go gracefully: the namespace waits for their tasks (S5).
 */
import { withCondition } from '../../api/conditions.ts';
import { sameJson } from '../../api/hash.ts';
import type { Namespace } from '../../api/kinds/core.ts';
import type { KubeObject, ResourceName } from '../../api/meta.ts';
import { deletion, mayBeRemoved, NAMESPACE_FINALIZER, removal } from '../deletion.ts';
import { type Action, inOrder, NOTHING, type Plan, update } from '../plan.ts';

export interface NamespaceSnapshot {
  readonly namespace: Namespace;
  /** What is in it, by resource; at most MAX_CONTENTS of each. Read only while it is Terminating. */
  readonly contents: readonly Contents[];
}

export interface Contents {
  readonly resource: ResourceName;
  readonly objects: readonly KubeObject[];
}

/** Objects of a resource deleted in one plan; their going wakes the namespace for the next. */
export const MAX_CONTENTS = 500;
const NEXT_BATCH_AFTER_MS = 50;

export function planNamespace({ namespace, contents }: NamespaceSnapshot, nowMs: number): Plan {
  if (namespace.metadata.deletionTimestamp === undefined) return NOTHING;
  const left = contents.filter(({ objects }) => objects.length > 0);
  if (left.length === 0) return finish(namespace);
  const deletions = left.flatMap(({ resource, objects }) =>
    objects.flatMap((object) => deletionOf(resource, object, nowMs)),
  );
  if (deletions.length > 0) {
    return { stages: [deletions], blocked: [], againAfterMs: NEXT_BATCH_AFTER_MS };
  }
  return wait(namespace, left, nowMs);
}

/** What is being deleted already needs no second word. */
function deletionOf(resource: ResourceName, object: KubeObject, nowMs: number): readonly Action[] {
  const marked = object.metadata.deletionTimestamp !== undefined;
  if (marked && !mayBeRemoved(resource, object)) return [];
  return [deletion(resource, object, {}, nowMs) ?? []].flat();
}

function finish(namespace: Namespace): Plan {
  const { finalizers = [], ...spec } = namespace.spec;
  const rest = finalizers.filter((finalizer) => finalizer !== NAMESPACE_FINALIZER);
  const next: Namespace = {
    ...namespace,
    spec: rest.length > 0 ? { ...spec, finalizers: rest } : spec,
  };
  if (mayBeRemoved('namespaces', next)) return inOrder(removal('namespaces', namespace));
  return sameJson(next, namespace) ? NOTHING : inOrder(update('namespaces', next));
}

/** Everything is on its way: say what is left. */
function wait(namespace: Namespace, left: readonly Contents[], nowMs: number): Plan {
  const remaining = left.map(
    ({ resource, objects }) =>
      `${resource}${dot(resource)} has ${objects.length} resource instances`,
  );
  const message = `Some resources are remaining: ${remaining.join(', ')}`;
  const next = said(namespace, 'NamespaceContentRemaining', 'SomeResourcesRemain', message, nowMs);
  const holders = left.flatMap(({ objects }) =>
    objects.flatMap((o) => o.metadata.finalizers ?? []),
  );
  const counts = [...new Set(holders)].sort().map((finalizer) => {
    const count = holders.filter((f) => f === finalizer).length;
    return `${finalizer} in ${count} resource instances`;
  });
  const held = `Some content in the namespace has finalizers remaining: ${counts.join(', ')}`;
  const done =
    counts.length > 0
      ? said(next, 'NamespaceFinalizersRemaining', 'SomeFinalizersRemain', held, nowMs)
      : next;
  return {
    stages: sameJson(done, namespace) ? [] : [[update('namespaces', done)]],
    blocked: [message],
  };
}

/** Kubernetes writes resources of the core group with a dot at the end. */
function dot(resource: ResourceName): string {
  return resource.includes('.') ? '' : '.';
}

function said(namespace: Namespace, type: string, reason: string, message: string, nowMs: number) {
  const condition = { type, status: 'True' as const, reason, message };
  const conditions = withCondition(namespace.status.conditions, condition, nowMs);
  return { ...namespace, status: { ...namespace.status, conditions } };
}
