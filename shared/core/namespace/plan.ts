/**
 * Namespace: deletes the contents of one that is going, then lets it go. Owns that and the
 * conditions that say what holds it up; that nothing new is made in it is the API server's to
 * refuse, and for controllers to heed.
 *
 * Invariants:
 *  N1 `kubernetes` leaves spec.finalizers only when a look found nothing in the namespace.
 *  N2 Pods go gracefully: the namespace waits for their tasks (S5).
 */
import { withCondition, withoutCondition } from '../../api/conditions.ts';
import { sameJson } from '../../api/hash.ts';
import type { Namespace } from '../../api/kinds/core.ts';
import type { KubeObject, ResourceName } from '../../api/meta.ts';
import { deletion, mayBeRemoved, NAMESPACE_FINALIZER, removal } from '../deletion.ts';
import { type Action, inOrder, NOTHING, type Plan, update } from '../plan.ts';

export interface NamespaceSnapshot {
  readonly namespace: Namespace;
  /** What is in it, at most MAX_CONTENTS of each resource. Read only while it is Terminating. */
  readonly contents: readonly Content[];
}

export interface Content {
  readonly resource: ResourceName;
  readonly object: KubeObject;
}

/** Objects of a resource deleted in one plan; their going wakes the namespace for the next. */
export const MAX_CONTENTS = 500;
const NEXT_BATCH_AFTER_MS = 50;

export function planNamespace({ namespace, contents }: NamespaceSnapshot, nowMs: number): Plan {
  if (namespace.metadata.deletionTimestamp === undefined) return NOTHING;
  if (contents.length === 0) return finish(namespace, nowMs);
  const deletions = contents.flatMap((content) => deletionOf(content, nowMs));
  if (deletions.length > 0) {
    return { stages: [deletions], blocked: [], againAfterMs: NEXT_BATCH_AFTER_MS };
  }
  return wait(namespace, contents, nowMs);
}

/** What is being deleted already needs no second word. */
function deletionOf({ resource, object }: Content, nowMs: number): readonly Action[] {
  const marked = object.metadata.deletionTimestamp !== undefined;
  if (marked && !mayBeRemoved(resource, object, nowMs)) return [];
  return [deletion(resource, object, {}, nowMs) ?? []].flat();
}

function finish(namespace: Namespace, nowMs: number): Plan {
  const { finalizers = [], ...spec } = namespace.spec;
  const rest = finalizers.filter((finalizer) => finalizer !== NAMESPACE_FINALIZER);
  const next: Namespace = {
    ...namespace,
    spec: rest.length > 0 ? { ...spec, finalizers: rest } : spec,
  };
  if (mayBeRemoved('namespaces', next, nowMs)) return inOrder(removal('namespaces', namespace));
  return sameJson(next, namespace) ? NOTHING : inOrder(update('namespaces', next));
}

/** Everything is on its way: say what is left, without counts, so that progress costs no writes. */
function wait(namespace: Namespace, contents: readonly Content[], nowMs: number): Plan {
  const resources = sortedSet(contents.map(({ resource }) => resource));
  const finalizers = sortedSet(contents.flatMap(({ object }) => object.metadata.finalizers ?? []));
  const remaining = {
    type: 'NamespaceContentRemaining',
    status: 'True' as const,
    reason: 'SomeResourcesRemain',
    message: `Some resources are remaining: ${resources.join(', ')}`,
  };
  const held = {
    type: 'NamespaceFinalizersRemaining',
    status: 'True' as const,
    reason: 'SomeFinalizersRemain',
    message: `Some content in the namespace has finalizers remaining: ${finalizers.join(', ')}`,
  };
  const told = withCondition(namespace.status.conditions, remaining, nowMs);
  const conditions =
    finalizers.length > 0
      ? withCondition(told, held, nowMs)
      : withoutCondition(told, 'NamespaceFinalizersRemaining');
  const next = { ...namespace, status: { ...namespace.status, conditions } };
  return {
    stages: sameJson(next, namespace) ? [] : [[update('namespaces', next)]],
    blocked: [remaining.message],
  };
}

function sortedSet(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}
