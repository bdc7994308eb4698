/**
 * Who may go now: the one question that everybody asks before a pod is disrupted by choice. The
 * eviction subresource asks of one pod; a drain, a consolidation and a preemption of several at
 * once. Pure.
 *
 * Whoever acts on the answer writes `spent` first, each on condition of its version, and then the
 * pods that are allowed, each on condition of its own version: whoever loses a race looks again.
 *
 * Invariants:
 *  B1 Pods that are granted together are no more than their budget allows, and `spent` says so
 *     (S9).
 *  B2 A pod that holds a grant is allowed and spends nothing: asking twice is asking once.
 *  B3 What is not known allows nothing: no status, one of an earlier spec, several budgets.
 *
 * Source: Kubernetes' eviction subresource; KEP-3017 for pods that are not ready.
 */
import type { Pod } from '../../api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../../api/kinds/policy.ts';
import { podIsActive, podIsReady } from '../pod/predicates.ts';
import { budgetsOf, granted, holdsGrant, MAX_GRANTS } from './budgets.ts';

export type RefusalReason =
  /** No more disruptions are allowed for now. */
  | 'exhausted'
  /** The budget's status is not yet that of its spec. */
  | 'unprocessed'
  /** The pod has more than one budget: which of them counts is not said. */
  | 'several'
  /** So many pods are granted and still there that nobody seems to keep the status. */
  | 'unconfirmed';

export interface Refusal {
  readonly pod: Pod;
  readonly reason: RefusalReason;
  /** The budget that refuses; one of them, where there are several. */
  readonly budget: PodDisruptionBudget;
}

export interface Disruptions {
  /** The pods that may go, all of them together, in the order given. */
  readonly allowed: readonly Pod[];
  readonly refused: readonly Refusal[];
  /** Budgets as they have to be written before any of the allowed goes. */
  readonly spent: readonly PodDisruptionBudget[];
}

/**
 * Which of the pods may be disrupted now, earlier ones first. `budgets`: at least all those of the
 * pods' namespaces.
 */
export function mayDisrupt(
  pods: readonly Pod[],
  budgets: readonly PodDisruptionBudget[],
  nowMs: number,
): Disruptions {
  const allowed: Pod[] = [];
  const refused: Refusal[] = [];
  const spent = new Map<PodDisruptionBudget, PodDisruptionBudget>();
  for (const pod of pods) {
    const [budget, ...others] = isUnguarded(pod) ? [] : budgetsOf(pod, budgets);
    if (!budget) {
      allowed.push(pod);
      continue;
    }
    const current = spent.get(budget) ?? budget;
    const reason = others.length > 0 ? 'several' : refusalOf(pod, current, nowMs);
    if (reason === 'free') allowed.push(pod);
    else if (reason !== undefined) refused.push({ pod, reason, budget: current });
    else {
      allowed.push(pod);
      spent.set(budget, granted(current, pod, nowMs));
    }
  }
  return { allowed, refused, spent: [...spent.values()] };
}

/** Pods that are no loss: over, on their way out already, or not yet running. */
function isUnguarded(pod: Pod): boolean {
  return !podIsActive(pod) || pod.status.phase === 'Pending';
}

/** Why the budget refuses; `free` when it need not be asked, undefined when it has to be spent. */
function refusalOf(
  pod: Pod,
  budget: PodDisruptionBudget,
  nowMs: number,
): RefusalReason | 'free' | undefined {
  const { metadata, status } = budget;
  if (holdsGrant(status, pod, nowMs) || (!podIsReady(pod) && mayGoUnready(budget))) return 'free';
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return 'unprocessed';
  if (status.disruptionsAllowed <= 0) return 'exhausted';
  const grants = Object.keys(status.disruptedPods ?? {}).length;
  return grants > MAX_GRANTS ? 'unconfirmed' : undefined;
}

/** A pod that is not ready is missed by nobody while the others suffice, or where it says so. */
function mayGoUnready({ spec, status }: PodDisruptionBudget): boolean {
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  return status.desiredHealthy > 0 && status.currentHealthy >= status.desiredHealthy;
}

/**
 * What a budget lets go in general: pods that are ready, and pods that are not. Where neither
 * opens, whoever waits for the budget need not ask again.
 */
export function opennessOf(budget: PodDisruptionBudget): readonly [boolean, boolean] {
  const { metadata, status } = budget;
  const isProcessed = (status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  const isOpen = isProcessed && status.disruptionsAllowed > 0;
  return [isOpen, isOpen || mayGoUnready(budget)];
}

export const NOTHING_OPEN = [false, false] as const;

/** For people: why the pod has to wait. */
export function refusalText({ pod, reason, budget }: Refusal): string {
  const [name, its] = [pod.metadata.name, `its disruption budget ${budget.metadata.name}`];
  switch (reason) {
    case 'exhausted': {
      const { desiredHealthy, currentHealthy } = budget.status;
      return `${name}: ${its} needs ${desiredHealthy} healthy pods and has ${currentHealthy}`;
    }
    case 'unprocessed':
      return `${name}: ${its} has not been looked at yet`;
    case 'several':
      return `${name}: it has more than one disruption budget`;
    case 'unconfirmed':
      return `${name}: ${its} has too many evictions that are not confirmed`;
  }
}
