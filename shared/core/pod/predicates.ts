/**
 * The questions that everybody asks of a pod. Owns their answers, so that controllers, the
 * scheduler and services agree on what "ready" and "active" mean; knows nothing of how a pod gets
 * there (observe.ts, plan.ts).
 */
import { isTrue } from '../../api/conditions.ts';
import type { Pod } from '../../api/kinds/pod.ts';

/** The pod has come to its end and never runs again. */
export function isTerminal(pod: Pod): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
}

/** The pod is wanted: it counts as one of its owner's replicas. */
export function podIsActive(pod: Pod): boolean {
  return !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** The pod says that it takes traffic. A pod on its way out may still be ready. */
export function podIsReady(pod: Pod): boolean {
  return isTrue(pod.status.conditions, 'Ready');
}
