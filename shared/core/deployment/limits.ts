/** The limits of a rolling update, in pods. */
import type { DeploymentSpec } from '../../api/kinds/workloads.ts';
import { resolveShare } from '../share.ts';

export interface Limits {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

const DEFAULT_LIMIT = '25%';

/**
 * Percentages of the replicas: surge rounds up and unavailability down, so that neither limit is
 * looser than asked for. They are never both 0, which would allow no step at all; Recreate has no
 * limits to keep.
 */
export function limitsOf({ replicas, strategy }: DeploymentSpec): Limits {
  if (strategy.type === 'Recreate') return { maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge, maxUnavailable } = strategy.rollingUpdate ?? {};
  const surge = resolveShare(maxSurge ?? DEFAULT_LIMIT, replicas, Math.ceil);
  const unavailable = resolveShare(maxUnavailable ?? DEFAULT_LIMIT, replicas, Math.floor);
  return {
    maxSurge: surge,
    maxUnavailable: Math.min(surge === 0 && unavailable === 0 ? 1 : unavailable, replicas),
  };
}
