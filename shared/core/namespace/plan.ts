/**
 * The end of a namespace: everything in it is deleted, gracefully where it has grace, and the namespace goes when
 * nothing is left. Does not own the refusal of new objects in it: that is the API server's.
 *
 * Invariant N1: the finalizer leaves only after a strong list of every namespaced resource came back empty.
 */
import { withCondition } from '../../api/conditions.ts';
import { sameJson } from '../../api/hash.ts';
import type { Namespace } from '../../api/kinds/core.ts';
import type { AnyObject, ResourceName } from '../../api/meta.ts';
import { deletion, mayBeRemoved, NAMESPACE_FINALIZER, removal } from '../deletion.ts';
import { type Action, NOTHING, type Plan, update } from '../plan.ts';

export interface NamespaceSnapshot {
  readonly namespace: Namespace;
  /** What is still in it, some of each resource; empty only if there is nothing. */
  readonly contents: readonly { readonly resource: ResourceName; readonly object: AnyObject }[];
}

type NamespaceCondition = NonNullable<Namespace['status']['conditions']>[number];

export function planNamespace({ namespace, contents }: NamespaceSnapshot, nowMs: number): Plan {
  if (namespace.metadata.deletionTimestamp === undefined) return NOTHING;
  if (contents.length === 0) return { stages: [[finished(namespace)]], blocked: [] };
  const deletions = contents.flatMap(({ resource, object }) => {
    return deletion(resource, object, { propagationPolicy: 'Background' }, nowMs) ?? [];
  });
  const waiting = withRemaining(namespace, contents, nowMs);
  const status: Action[] = sameJson(waiting, namespace) ? [] : [update('namespaces', waiting)];
  return {
    stages: [deletions, status].filter((stage) => stage.length > 0),
    blocked: [`${contents.length} objects are still in the namespace`],
  };
}

/** Without our finalizer; removed at once if nobody else's is left. */
function finished(namespace: Namespace): Action {
  const finalizers = (namespace.spec.finalizers ?? []).filter((f) => f !== NAMESPACE_FINALIZER);
  const emptied = { ...namespace, spec: { ...namespace.spec, finalizers } };
  return mayBeRemoved('namespaces', emptied)
    ? removal('namespaces', namespace)
    : update('namespaces', emptied);
}

/** Says what holds the deletion up, by resource and without counts, so that progress costs no writes. */
function withRemaining(
  namespace: Namespace,
  contents: NamespaceSnapshot['contents'],
  nowMs: number,
): Namespace {
  const resources = [...new Set(contents.map(({ resource }) => resource))].sort();
  const finalizers = [
    ...new Set(contents.flatMap(({ object }) => object.metadata.finalizers ?? [])),
  ].sort();
  const remaining = condition(
    'NamespaceContentRemaining',
    'SomeResourcesRemain',
    `Some resources are remaining: ${resources.join(', ')}`,
  );
  const held = condition(
    'NamespaceFinalizersRemaining',
    'SomeFinalizersRemain',
    `Some content in the namespace has finalizers remaining: ${finalizers.join(', ')}`,
  );
  const told = withCondition(namespace.status.conditions, remaining, nowMs);
  const conditions = finalizers.length > 0 ? withCondition(told, held, nowMs) : told;
  return { ...namespace, status: { ...namespace.status, conditions } };
}

function condition(type: string, reason: string, message: string): NamespaceCondition {
  return { type, status: 'True', reason, message };
}
