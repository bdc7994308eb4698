/** Availability: a pod counts once it has been ready for long enough. */
import { findCondition } from '../../api/conditions.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { parseTime } from '../../api/time.ts';
import { podIsReady } from '../pod/predicates.ts';

/** Since when the pod has been ready; undefined while it is not. */
export function readySinceMs(pod: Pod): number | undefined {
  if (!podIsReady(pod)) return undefined;
  return parseTime(findCondition(pod.status.conditions, 'Ready')?.lastTransitionTime) ?? 0;
}

/** How long until the pod is available: 0 when it is, undefined while it is not even ready. */
export function availableInMs(
  pod: Pod,
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  if (minReadySeconds === 0) return podIsReady(pod) ? 0 : undefined;
  const since = readySinceMs(pod);
  return since === undefined ? undefined : Math.max(0, since + minReadySeconds * 1000 - nowMs);
}
