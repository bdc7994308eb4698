/**
 * How many nodes of a pool may go by choice at a time: the least that its disruption budgets allow
 * now, less those that are on their way already or of no use. Pure. Source: Karpenter's disruption
 * documentation: percentages round up, a budget without reasons counts for all, one with a schedule
 * counts from each of its times on for its duration, in UTC.
 */
import { hitsWithin, parseCron } from '../../../api/cron.ts';
import { parseDuration } from '../../../api/duration.ts';
import type { NodePool, NodePoolBudget } from '../../../api/kinds/karpenter.ts';
import { resolveShare } from '../../share.ts';
import type { DisruptionReason } from '../claim/state.ts';

export interface PoolNodes {
  readonly nodes: number;
  /** Those that are going, and those that are not ready. */
  readonly missing: number;
}

export function disruptionsAllowed(
  { spec }: NodePool,
  reason: DisruptionReason,
  { nodes, missing }: PoolNodes,
  nowMs: number,
): number {
  const limits = (spec.disruption.budgets ?? [])
    .filter((budget) => concerns(budget, reason) && isActive(budget, nowMs))
    .map((budget) => resolveShare(budget.nodes, nodes, Math.ceil));
  const limit = Math.min(nodes, ...limits);
  return Number.isNaN(limit) ? 0 : Math.max(0, limit - missing);
}

function concerns({ reasons = [] }: NodePoolBudget, reason: DisruptionReason): boolean {
  return reasons.length === 0 || reasons.includes(reason);
}

/** A schedule that can't be read holds always: who wrote it meant to hold something back. */
function isActive({ schedule, duration }: NodePoolBudget, nowMs: number): boolean {
  if (schedule === undefined) return true;
  const cron = parseCron(schedule);
  const durationMs = parseDuration(duration ?? '');
  if (typeof cron === 'string' || durationMs === undefined) return true;
  return hitsWithin(cron, nowMs - durationMs, nowMs);
}
