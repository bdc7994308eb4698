/** Disruption budgets. The words are the Kubernetes API server's. */
import type { PodDisruptionBudget } from '../kinds/policy.ts';
import type { Faults } from './faults.ts';
import { checkSelector } from './selector.ts';
import { checkShare } from './share.ts';

export function checkPodDisruptionBudget(
  { spec, status }: PodDisruptionBudget,
  faults: Faults,
): void {
  const { minAvailable, maxUnavailable, selector } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    faults.invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set');
  }
  checkPart(minAvailable, 'spec.minAvailable', faults);
  checkPart(maxUnavailable, 'spec.maxUnavailable', faults);
  if (selector) checkSelector(selector, 'spec.selector', faults);
  for (const count of COUNTS) faults.notNegative(`status.${count}`, status[count]);
}

const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const;

/** A count, or a part of all. */
function checkPart(value: number | string | undefined, field: string, faults: Faults): void {
  if (value === undefined) return;
  const share = checkShare(value, field, faults);
  if (typeof value === 'string' && (share ?? 0) > 100) {
    faults.invalid(field, value, 'must not be greater than 100%');
  }
}
