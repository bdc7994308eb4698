/** Which pods wait for a place, and in which order they get one. */
import type { Pod } from '../../api/kinds/pod.ts';
import { isTerminal } from '../pod/predicates.ts';

/** The `spec.schedulerName` of the pods that are ours. */
export const SCHEDULER_NAME = 'default-scheduler';

/**
 * The pod waits to be given a place. That includes a pod that was created with a node of its own
 * choice: it too must be entered in that node's ledger before it may run (S2).
 */
export function isPending(pod: Pod): boolean {
  if (pod.spec.schedulerName !== SCHEDULER_NAME) return false;
  if (isTerminal(pod) || pod.metadata.deletionTimestamp !== undefined) return false;
  return !pod.spec.nodeName || requestedNode(pod) !== undefined;
}

/** The node that a pod was created with, as long as it has not been let in there. */
export function requestedNode(pod: Pod): string | undefined {
  const { spec, status, control } = pod;
  if (!spec.nodeName || spec.schedulerName !== SCHEDULER_NAME) return undefined;
  return status.phase === 'Pending' && control?.attempt === undefined ? spec.nodeName : undefined;
}

/** The pod is bound to a node, and does not just ask for one by its name. */
export function hasPlace(pod: Pod): boolean {
  return Boolean(pod.spec.nodeName) && requestedNode(pod) === undefined;
}

/** The pod holds room of its node. */
export function isPlaced(pod: Pod): boolean {
  return Boolean(pod.spec.nodeName) && !isTerminal(pod) && !isPending(pod);
}

/**
 * Priority first, then age, then name; uid last, so that the order is total. Negative if `a` comes
 * first.
 */
export function queueOrder(a: Pod, b: Pod): number {
  return (
    (b.spec.priority ?? 0) - (a.spec.priority ?? 0) ||
    compareText(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
    compareText(a.metadata.namespace ?? '', b.metadata.namespace ?? '') ||
    compareText(a.metadata.name, b.metadata.name) ||
    compareText(a.metadata.uid, b.metadata.uid)
  );
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
