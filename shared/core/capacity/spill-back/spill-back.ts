/**
 * Moving pods back that had to take a kind of capacity that they want less, or that costs more,
 * since there was no room of another a while ago: those that ask for it (api/spill-back.ts), when
 * that room is to be had again. They are evicted, and the ordinary pass places what their owners
 * make in their place. Pure.
 *
 * Owns the pace. Does not own: who may go (candidates.ts), where they would go (what-if.ts).
 *
 * Invariants:
 *  B1 No more than MAX_MOVES pods are on their way at a time, one of each owner, and that only
 *     while all pods of the owner are there and ready.
 *  B2 A budget is written before a pod of it goes (S9).
 *  B3 Where nothing can move, nothing is written and nobody is woken.
 */
import { findCondition } from '../../../api/conditions.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../../../api/kinds/policy.ts';
import { parseTime } from '../../../api/time.ts';
import { deletion } from '../../deletion.ts';
import { BUDGETS } from '../../disruption/budgets.ts';
import { mayDisrupt } from '../../disruption/may-disrupt.ts';
import { ownerOf } from '../../node/evict.ts';
import { type Action, event, eventTarget, NOTHING, type Plan, update } from '../../plan.ts';
import { isTerminal, podIsActive, podIsReady } from '../../pod/predicates.ts';
import type { ClusterSnapshot } from '../../scheduling/schedule.ts';
import type { Consolidation } from '../consolidation/consolidate.ts';
import { inTurn } from '../consolidation/turns.ts';
import type { MachineType } from '../machine-type.ts';
import { candidatesOf } from './candidates.ts';
import { type Move, movesOf } from './what-if.ts';

export const SPILL_BACK_REASON = 'SpillBack';

/**
 * Pods on their way at a time. A kind that is said to have room again may have little: the first
 * refusal stops the rest, and so many launches find it out without a storm.
 */
export const MAX_MOVES = 10;
/** Owners that are asked about in a pass: one question for all, as large as a small burst. */
const MAX_ASKED = 100;
/** When the next pods of the same owners may go: replacements start in some seconds. */
const NEXT_LOOK_MS = 10_000;
/** A replacement that is not ready by then is looked at by the sweep only. */
const PATIENCE_MS = 300_000;

export function spillBack(
  snapshot: Required<ClusterSnapshot>,
  types: readonly MachineType[],
  nowMs: number,
): Consolidation {
  const couldLaunch = snapshot.pools.length > 0 && types.length > 0;
  const candidates = inTurn(candidatesOf(snapshot, couldLaunch, nowMs), MAX_ASKED, nowMs);
  if (candidates.length === 0) return { plans: [] };
  const good = movesOf(candidates, snapshot, types, nowMs);
  const unsettled = unsettledOwners(snapshot.pods);
  const free = good.filter(({ pod }) => !unsettled.has(ownerOf(pod)));
  const left = Math.max(0, MAX_MOVES - snapshot.pods.filter(isOnItsWay).length);
  const first = within(free, snapshot.budgets, nowMs).moves.slice(0, left);
  const settled = settle(first, snapshot, types, nowMs);
  const { moves, grants } = within(settled, snapshot.budgets, nowMs);
  const isSoon = moves.length > 0 || good.some(({ pod }) => isSettling(pod, unsettled, nowMs));
  return {
    plans: moves.length > 0 ? [planOf(moves, grants, nowMs)] : [],
    ...(isSoon ? { againAfterMs: NEXT_LOOK_MS } : {}),
  };
}

/** The moves that budgets let happen together, and the budgets that they have to spend. */
function within(
  moves: readonly Move[],
  budgets: readonly PodDisruptionBudget[],
  nowMs: number,
): { readonly moves: readonly Move[]; readonly grants: readonly Action[] } {
  const pods = moves.map(({ pod }) => pod);
  const { allowed, spent } = mayDisrupt(pods, budgets, nowMs);
  const may = new Set(allowed);
  const grants = spent.map((budget) => update(BUDGETS, budget));
  return { moves: moves.filter(({ pod }) => may.has(pod)), grants };
}

/** Those of the moves that are still good where they alone are made; ends, as they get fewer. */
function settle(
  moves: readonly Move[],
  snapshot: Required<ClusterSnapshot>,
  types: readonly MachineType[],
  nowMs: number,
): readonly Move[] {
  if (moves.length === 0) return moves;
  const good = movesOf(moves, snapshot, types, nowMs);
  return good.length === moves.length ? good : settle(good, snapshot, types, nowMs);
}

/** Owners that have a pod that is leaving or is not ready, and since when at the latest. */
function unsettledOwners(pods: readonly Pod[]): ReadonlyMap<string, number> {
  const owners = new Map<string, number>();
  for (const pod of pods) {
    if (isTerminal(pod) || (podIsActive(pod) && podIsReady(pod))) continue;
    const { deletionTimestamp, creationTimestamp } = pod.metadata;
    const sinceMs = parseTime(deletionTimestamp ?? creationTimestamp) ?? 0;
    const owner = ownerOf(pod);
    owners.set(owner, Math.max(sinceMs, owners.get(owner) ?? 0));
  }
  return owners;
}

function isSettling(pod: Pod, unsettled: ReadonlyMap<string, number>, nowMs: number): boolean {
  return nowMs - (unsettled.get(ownerOf(pod)) ?? -Infinity) < PATIENCE_MS;
}

function isOnItsWay({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp === undefined) return false;
  return findCondition(status.conditions, 'DisruptionTarget')?.reason === SPILL_BACK_REASON;
}

function planOf(moves: readonly Move[], grants: readonly Action[], nowMs: number): Plan {
  const marks = moves.flatMap((move) => {
    const disruption = { reason: SPILL_BACK_REASON, message: textOf(move) };
    return deletion('pods', move.pod, { disruption }, nowMs) ?? [];
  });
  const news = moves.map((move) => {
    return event(eventTarget('pods', move.pod), 'Normal', SPILL_BACK_REASON, textOf(move));
  });
  return { ...NOTHING, stages: [grants, marks, news].filter((stage) => stage.length > 0) };
}

function textOf({ node, kind, to, usdPerHour }: Move): string {
  const text = `Evicted from ${node.metadata.name}: ${to} may have room again`;
  if (!usdPerHour) return `${text}, which it prefers to ${kind}`;
  const { here, there } = usdPerHour;
  return `${text}, for $${there.toFixed(4)}/h instead of $${here.toFixed(4)}/h on ${kind}`;
}
