/**
 * The counting of a probe: consecutive results against thresholds. Pure. As in Kubernetes:
 * readiness starts as failed, and a liveness or startup probe that reaches its failure threshold
 * ends the container.
 */
import type { ProbeSpec } from '../../shared/api/task.ts';

export interface ProbeCount {
  readonly passes: boolean;
  /** Of the result that came last. */
  readonly streak: { readonly success: boolean; readonly length: number };
}

export const NEVER_PROBED: ProbeCount = { passes: false, streak: { success: false, length: 0 } };

/**
 * Where a container that ran before we did is taken up: one success is enough, since it may well
 * have had its number of them before.
 */
export function takenUp(probe: ProbeSpec): ProbeCount {
  return { passes: false, streak: { success: true, length: probe.successThreshold - 1 } };
}

export function countResult(probe: ProbeSpec, before: ProbeCount, success: boolean): ProbeCount {
  const goesOn = before.streak.success === success;
  const length = goesOn ? before.streak.length + 1 : 1;
  const needed = success ? probe.successThreshold : probe.failureThreshold;
  return {
    passes: length >= needed ? success : before.passes,
    streak: { success, length },
  };
}

export function hasFailed(probe: ProbeSpec, count: ProbeCount): boolean {
  return !count.streak.success && count.streak.length >= probe.failureThreshold;
}
