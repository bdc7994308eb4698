/** Why a pod has no place, in the words kube-scheduler uses. */

export const NO_NODES = 'no nodes available to schedule pods';

export type ReasonCounts = { readonly [reason: string]: number };

/** On how many nodes each reason holds. One node may have several. */
export function countReasons(refusals: readonly (readonly string[])[]): ReasonCounts {
  const counts = new Map<string, number>();
  for (const reasons of refusals) {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

/**
 * `0/12 nodes are available: 10 Insufficient cpu, 2 node(s) were unschedulable.`, sorted as text as
 * kube-scheduler sorts it, numbers included.
 */
export function unschedulableMessage(nodeCount: number, reasons: ReasonCounts): string {
  if (nodeCount === 0) return NO_NODES;
  const texts = Object.entries(reasons).map(([reason, count]) => `${count} ${reason}`);
  return `0/${nodeCount} nodes are available: ${texts.sort().join(', ')}.`;
}

/** How a search for victims ended, as it follows the message: the same form, of other reasons. */
export function preemptionMessage(nodeCount: number, reasons: ReasonCounts): string {
  return unschedulableMessage(nodeCount, reasons);
}
