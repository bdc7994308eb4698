/**
 * Surplus: which pods go first when there are too many. The order is Kubernetes', made total by the
 * name.
 */
import type { Pod } from '../../api/kinds/pod.ts';
import { parseTime } from '../../api/time.ts';
import { podIsReady } from '../pod/predicates.ts';
import { factsOf } from './facts.ts';
import { slotOf } from './slots.ts';

const DELETION_COST_ANNOTATION = 'controller.kubernetes.io/pod-deletion-cost';

/** The `count` pods that are missed least. */
export function surplusOf(pods: readonly Pod[], count: number): readonly Pod[] {
  if (count <= 0) return [];
  const perNode = countBy(pods, (pod) => pod.spec.nodeName ?? '');
  const doubles = doublesOf(pods);
  // Lower goes first. Numbers, worst reason to stay first, so that the order reads from top to
  // bottom.
  const reasonsToStay = (pod: Pod): readonly number[] => [
    pod.spec.nodeName ? 1 : 0,
    phaseRank(pod),
    podIsReady(pod) ? 1 : 0,
    doubles.has(pod) ? 0 : 1,
    deletionCostOf(pod),
    -(perNode.get(pod.spec.nodeName ?? '') ?? 0),
    // Those that have served for longer are trusted more: the young go first.
    -(factsOf(pod).readySinceMs ?? 0),
    -restartsOf(pod),
    -(parseTime(pod.metadata.creationTimestamp) ?? 0),
  ];
  return pods
    .map((pod) => ({ pod, reasons: reasonsToStay(pod) }))
    .sort(
      (a, b) =>
        compare(a.reasons, b.reasons) || (a.pod.metadata.name < b.pod.metadata.name ? -1 : 1),
    )
    .slice(0, count)
    .map(({ pod }) => pod);
}

/** Pods whose slot has an older pod: two racing reconciles have made both, and one is enough. */
function doublesOf(pods: readonly Pod[]): ReadonlySet<Pod> {
  const first = new Map<number, Pod>();
  const doubles = new Set<Pod>();
  for (const pod of pods) {
    const slot = slotOf(pod)?.slot;
    if (slot === undefined) continue;
    const other = first.get(slot);
    if (other) doubles.add(incarnationOf(pod) > incarnationOf(other) ? pod : other);
    if (!other || incarnationOf(pod) <= incarnationOf(other)) first.set(slot, pod);
  }
  return doubles;
}

function incarnationOf(pod: Pod): number {
  return slotOf(pod)?.incarnation ?? 0;
}

function phaseRank(pod: Pod): number {
  if (pod.status.phase === 'Pending') return 0;
  return pod.status.phase === 'Running' ? 2 : 1;
}

/** What is not a number costs nothing. */
function deletionCostOf(pod: Pod): number {
  const cost = Number(pod.metadata.annotations?.[DELETION_COST_ANNOTATION] ?? 0);
  return Number.isSafeInteger(cost) ? cost : 0;
}

function restartsOf(pod: Pod): number {
  const statuses = pod.status.containerStatuses ?? [];
  return Math.max(0, ...statuses.map((status) => status.restartCount));
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [i, left] of a.entries()) {
    const right = b[i] ?? 0;
    if (left !== right) return left - right;
  }
  return 0;
}
