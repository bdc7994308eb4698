/**
 * Disruption budgets: which pods they are of, and what is written in their status when one of these
 * is granted to an evictor. Owns grants; what a budget allows at all is status.ts, who may go now
 * is may-disrupt.ts.
 *
 * A grant is an entry of `disruptedPods`, written by one conditional write with the count that it
 * takes one from, before the pod goes. Until the pod is seen to go it counts as gone, so that two
 * evictors never spend the same disruption (S9); asked for again, it is still granted, so that an
 * evictor that dies in between costs nothing but time.
 *
 * Source: Kubernetes' eviction subresource and disruption controller.
 */
import { withCondition } from '../../api/conditions.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/kinds/policy.ts';
import { matchesSelector } from '../../api/selectors.ts';
import { parseTime, rfc3339 } from '../../api/time.ts';

export const BUDGETS = 'poddisruptionbudgets.policy';

/** A granted pod that is still there after this time counts as staying; Kubernetes' own figure. */
export const GRANT_TTL_MS = 120_000;

/**
 * An evictor may use a grant for as long as this, and asks anew after it: its deletion may be under
 * way for a minute, and its clock may be slow, and it must not come after the grant was forgotten.
 */
export const GRANT_USE_MS = 30_000;

const SECOND_MS = 1_000;

/** More grants than this mean that nobody keeps the budget's status; Kubernetes' own figure. */
export const MAX_GRANTS = 2_000;

/** The budgets of the pod: those of its namespace that select it. */
export function budgetsOf(
  pod: Pod,
  budgets: readonly PodDisruptionBudget[],
): readonly PodDisruptionBudget[] {
  return budgets.filter((budget) => isOf(pod, budget));
}

/** Without a selector a budget is of no pod, with an empty one of all of its namespace. */
export function isOf(pod: Pod, { metadata, spec }: PodDisruptionBudget): boolean {
  const isHere = metadata.namespace === pod.metadata.namespace;
  return isHere && matchesSelector(spec.selector, pod.metadata.labels);
}

/** When the pod was granted; undefined when it was not, or only a namesake before it was. */
export function grantedAtMs(status: PodDisruptionBudgetStatus, pod: Pod): number | undefined {
  const { name, creationTimestamp } = pod.metadata;
  const { disruptedPods } = status;
  const atMs =
    disruptedPods && Object.hasOwn(disruptedPods, name)
      ? parseTime(disruptedPods[name])
      : undefined;
  // Times are whole seconds: a pod that was made within that of the grant may be a namesake.
  const isLater = atMs !== undefined && (parseTime(creationTimestamp) ?? 0) < atMs;
  return isLater ? atMs : undefined;
}

/** Whether an evictor may use a grant that the pod has. */
export function holdsGrant(status: PodDisruptionBudgetStatus, pod: Pod, nowMs: number): boolean {
  const atMs = grantedAtMs(status, pod);
  return atMs !== undefined && nowMs - atMs < GRANT_USE_MS;
}

/**
 * The budget with the pod granted. One disruption at least must be allowed. Clocks differ, and
 * times are whole seconds: the grant is never older than the pod, or it would count as a
 * namesake's.
 */
export function granted(budget: PodDisruptionBudget, pod: Pod, nowMs: number): PodDisruptionBudget {
  const { status } = budget;
  const disruptionsAllowed = status.disruptionsAllowed - 1;
  const bornAtMs = parseTime(pod.metadata.creationTimestamp) ?? 0;
  const atMs = Math.max(nowMs, bornAtMs + SECOND_MS);
  const disruptedPods = { ...status.disruptedPods, [pod.metadata.name]: rfc3339(atMs) };
  const next = { ...status, disruptionsAllowed, disruptedPods };
  return { ...budget, status: disruptionsAllowed > 0 ? next : withAllowance(next, nowMs) };
}

const ALLOWED = 'DisruptionAllowed';

/** The status with the condition that its count calls for. */
export function withAllowance(
  status: PodDisruptionBudgetStatus,
  nowMs: number,
): PodDisruptionBudgetStatus {
  const isAllowed = status.disruptionsAllowed > 0;
  return withVerdict(
    status,
    isAllowed,
    isAllowed ? 'SufficientPods' : 'InsufficientPods',
    '',
    nowMs,
  );
}

/** The status when nothing can be said: nothing is allowed then. */
export function withoutAllowance(
  status: PodDisruptionBudgetStatus,
  why: string,
  nowMs: number,
): PodDisruptionBudgetStatus {
  return withVerdict({ ...status, disruptionsAllowed: 0 }, false, 'SyncFailed', why, nowMs);
}

function withVerdict(
  status: PodDisruptionBudgetStatus,
  isAllowed: boolean,
  reason: string,
  message: string,
  nowMs: number,
): PodDisruptionBudgetStatus {
  const condition = {
    type: ALLOWED,
    status: isAllowed ? ('True' as const) : ('False' as const),
    reason,
    message,
    ...(status.observedGeneration === undefined
      ? {}
      : { observedGeneration: status.observedGeneration }),
  };
  return { ...status, conditions: withCondition(status.conditions, condition, nowMs) };
}
