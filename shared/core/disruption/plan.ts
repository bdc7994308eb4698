/**
 * The status of a disruption budget: how many of its pods are healthy, how many have to stay so,
 * and how many may go. Owns that status, but for the grants that evictors write into it
 * (budgets.ts). Pure, and level-triggered: the same facts give the same status, and no write.
 *
 * Invariants:
 *  D1 A granted pod counts as gone until it is seen to go, or its time is over.
 *  D2 What can't be counted allows nothing.
 *
 * Source: Kubernetes' disruption controller, rounding included: percentages are rounded up, of
 * those that stay as of those that may be missing.
 */
import { sameJson } from '../../api/hash.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/kinds/policy.ts';
import { controllerOf } from '../../api/meta.ts';
import { rfc3339 } from '../../api/time.ts';
import { present } from '../counts.ts';
import { type Action, event, eventTarget, NOTHING, type Plan, update } from '../plan.ts';
import { podIsReady } from '../pod/predicates.ts';
import { resolveShare } from '../share.ts';
import { BUDGETS, GRANT_TTL_MS, grantedAtMs, withAllowance, withoutAllowance } from './budgets.ts';

/** Who, in the end, says how many pods there are to be, and what it says. */
export interface Scale {
  readonly uid: string;
  readonly replicas: number;
}

export interface DisruptionSnapshot {
  readonly budget: PodDisruptionBudget;
  /** The pods that it selects. */
  readonly pods: readonly Pod[];
  /** By the uid of a pod's controller; missing where none is known. */
  readonly scales: ReadonlyMap<string, Scale>;
}

export function planDisruption(snapshot: DisruptionSnapshot, nowMs: number): Plan {
  const { budget, pods } = snapshot;
  const { status, recheckAtMs, problem } = statusOf(snapshot, nowMs);
  const againAfterMs = recheckAtMs === undefined ? {} : { againAfterMs: recheckAtMs - nowMs };
  const blocked = problem === undefined ? [] : [problem];
  if (sameJson(status, budget.status)) return { ...NOTHING, blocked, ...againAfterMs };
  const write = update(BUDGETS, { ...budget, status } as PodDisruptionBudget);
  const news = newsOf(budget, pods, problem);
  const stages = [[write], news].filter((stage) => stage.length > 0);
  return { stages, blocked, ...againAfterMs };
}

interface Counted {
  readonly status: PodDisruptionBudgetStatus;
  /** When the next grant lapses. */
  readonly recheckAtMs?: number;
  readonly problem?: string;
}

function statusOf(snapshot: DisruptionSnapshot, nowMs: number): Counted {
  const { budget, pods } = snapshot;
  const wanted = wantedOf(snapshot);
  if (typeof wanted === 'string') {
    return { status: withoutAllowance(budget.status, wanted, nowMs), problem: wanted };
  }
  const grants = pods.flatMap((pod) => grantOf(budget.status, pod, nowMs));
  const isGranted = new Set(grants.map(({ pod }) => pod));
  const currentHealthy = pods.filter((pod) => isHealthy(pod) && !isGranted.has(pod)).length;
  const { expectedPods, desiredHealthy } = wanted;
  const spare = Math.max(0, currentHealthy - desiredHealthy);
  const { conditions } = budget.status;
  const status: PodDisruptionBudgetStatus = {
    ...present({ observedGeneration: budget.metadata.generation ?? 0 }),
    ...(grants.length > 0 ? { disruptedPods: entriesOf(grants) } : {}),
    // A budget of no pods allows none, so that the first ones find it closed.
    disruptionsAllowed: expectedPods > 0 ? spare : 0,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    ...(conditions ? { conditions } : {}),
  };
  const lapses = grants.map(({ atMs }) => atMs + GRANT_TTL_MS);
  return {
    status: withAllowance(status, nowMs),
    ...(lapses.length > 0 ? { recheckAtMs: Math.min(...lapses) } : {}),
  };
}

function isHealthy(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && podIsReady(pod);
}

interface Grant {
  readonly pod: Pod;
  readonly atMs: number;
}

/** The grant that still counts: of a pod that is there, and not yet on its way out. */
function grantOf(status: PodDisruptionBudgetStatus, pod: Pod, nowMs: number): Grant[] {
  const atMs = grantedAtMs(status, pod);
  if (atMs === undefined || pod.metadata.deletionTimestamp !== undefined) return [];
  return nowMs - atMs < GRANT_TTL_MS ? [{ pod, atMs }] : [];
}

function entriesOf(grants: readonly Grant[]): { readonly [name: string]: string } {
  const names = grants.map(({ pod, atMs }) => [pod.metadata.name, rfc3339(atMs)] as const);
  return Object.fromEntries(names);
}

type Wanted = Pick<PodDisruptionBudgetStatus, 'expectedPods' | 'desiredHealthy'>;

/** How many pods there are to be and how many of them healthy; or why that can't be said. */
function wantedOf(snapshot: DisruptionSnapshot): Wanted | string {
  const { minAvailable, maxUnavailable } = snapshot.budget.spec;
  if (maxUnavailable === undefined && typeof minAvailable === 'number') {
    return { expectedPods: snapshot.pods.length, desiredHealthy: minAvailable };
  }
  // Neither is given: nothing is expected, and nothing allowed.
  if (maxUnavailable === undefined && minAvailable === undefined) {
    return { expectedPods: 0, desiredHealthy: 0 };
  }
  const expectedPods = scaleOf(snapshot);
  if (typeof expectedPods === 'string') return expectedPods;
  if (maxUnavailable !== undefined) {
    const missing = resolveShare(maxUnavailable, expectedPods, Math.ceil);
    return { expectedPods, desiredHealthy: Math.max(0, expectedPods - missing) };
  }
  const desiredHealthy = resolveShare(minAvailable ?? 0, expectedPods, Math.ceil);
  return { expectedPods, desiredHealthy };
}

/** What the controllers of the pods ask for, all together. Pods without one add nothing. */
function scaleOf({ pods, scales }: DisruptionSnapshot): number | string {
  const known = new Map<string, number>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (!owner) continue;
    const scale = scales.get(owner.uid);
    if (!scale) return `found no controllers for pod ${JSON.stringify(pod.metadata.name)}`;
    known.set(scale.uid, scale.replicas);
  }
  return [...known.values()].reduce((sum, replicas) => sum + replicas, 0);
}

/** Told only together with a write: a look that finds nothing new says nothing. */
function newsOf(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  problem: string | undefined,
): readonly Action[] {
  const about = eventTarget(BUDGETS, budget);
  if (problem !== undefined) {
    const message = `Failed to calculate the number of expected pods: ${problem}`;
    return [event(about, 'Warning', 'CalculateExpectedPodCountFailed', message)];
  }
  if (pods.length === 0) return [event(about, 'Normal', 'NoPods', 'No matching pods found')];
  return typeof budget.spec.minAvailable === 'number' ? [] : unmanagedNews(budget, pods);
}

/** Shown at most, of the pods that nobody controls. */
const MAX_NAMED = 3;

function unmanagedNews(budget: PodDisruptionBudget, pods: readonly Pod[]): readonly Action[] {
  const unmanaged = pods.filter((pod) => !controllerOf(pod)).map(({ metadata }) => metadata.name);
  if (unmanaged.length === 0) return [];
  const names = unmanaged.slice(0, MAX_NAMED).join(', ');
  const message =
    `${unmanaged.length} pods have no controller and are not counted as expected (${names}): ` +
    'give spec.minAvailable as a number to have them counted';
  return [event(eventTarget(BUDGETS, budget), 'Warning', 'UnmanagedPods', message)];
}
