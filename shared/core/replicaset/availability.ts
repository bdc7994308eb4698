/** Availability: a pod counts once it has been ready for long enough. */
import type { Pod } from '../../api/kinds/pod.ts';
import { factsOf } from './facts.ts';

/** How long until the pod is available: 0 when it is, undefined while it is not even ready. */
export function availableInMs(
  pod: Pod,
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  const { readySinceMs } = factsOf(pod);
  if (readySinceMs === undefined) return undefined;
  if (minReadySeconds === 0) return 0;
  return Math.max(0, readySinceMs + minReadySeconds * 1000 - nowMs);
}
