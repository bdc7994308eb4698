/**
 * The status of a NodePool: what it has, and whether it can launch anything. Pure, and
 * level-triggered. What is wrong with a pool is told here once, so that who writes one need not
 * wait for a pod to learn it.
 */
import { findCondition, withCondition } from '../../api/conditions.ts';
import type { NodeClaim, NodePool } from '../../api/kinds/karpenter.ts';
import type { Node } from '../../api/kinds/node.ts';
import { sameJson } from '../../api/hash.ts';
import { NOTHING, type Plan, update } from '../plan.ts';
import { amountOf, type Requests } from '../pod/requests.ts';
import { quantities } from './claim/draft.ts';
import { POOLS } from './claim/state.ts';
import type { MachineType } from './machine-type.ts';
import { kindsOf } from './pools.ts';
import { refusalOf } from './shortages.ts';
import { usedByPool } from './used.ts';

export interface PoolSnapshot {
  readonly pool: NodePool;
  /** Its own; nodes and claims of others do no harm. */
  readonly nodes: readonly Node[];
  readonly claims: readonly NodeClaim[];
  /** What can be had at all. */
  readonly types: readonly MachineType[];
}

/** The condition types of Karpenter's that have a meaning here. */
const VALID = 'ValidationSucceeded';
const READY = 'Ready';

const NEVER_SHORT = () => false;

export function planPool(snapshot: PoolSnapshot, nowMs: number): Plan {
  const { pool } = snapshot;
  const used = usedByPool(snapshot).get(pool.metadata.name) ?? {};
  const { nodes = 0, ...resources } = used;
  const status = {
    ...pool.status,
    ...{ nodes, resources: quantities({ ...resources, nodes }) },
    conditions: conditionsOf(snapshot, used, nowMs),
  };
  const refusal = refusalOf(pool, nowMs);
  const timer = refusal ? { againAfterMs: refusal.untilMs - nowMs } : {};
  if (sameJson(status, pool.status)) return { ...NOTHING, ...timer };
  return { ...NOTHING, stages: [[update(POOLS, { ...pool, status } as NodePool)]], ...timer };
}

function conditionsOf({ pool, types }: PoolSnapshot, used: Requests, nowMs: number) {
  const market = { types, isUnavailable: NEVER_SHORT, nowMs };
  // Limits that are reached are no mistake: what would it launch if it had nothing?
  const made = kindsOf(pool, { ...market, used: new Map() });
  const problem = typeof made === 'string' ? made : undefined;
  const launches = typeof made === 'string' || made.length > 0;
  const isRefused = refusalOf(pool, nowMs) !== undefined;
  const reason = isRefused ? 'LaunchRejected' : problem ? 'NoInstanceTypes' : 'LimitsTooLow';
  const told = problem ?? (launches ? '' : 'its limits are less than its smallest instance type');
  const verdict = (type: string, isWrong: boolean) =>
    isWrong
      ? ({ type, status: 'False', reason, message: told } as const)
      : ({ type, status: 'True', reason: type, message: fullness(pool, used) } as const);
  const verdicts = [verdict(VALID, told !== '' && !isRefused), verdict(READY, told !== '')];
  return verdicts.reduce<NonNullable<NodePool['status']['conditions']>>((all, verdict) => {
    const known = findCondition(all, verdict.type);
    const isNews = known?.status !== verdict.status || known.message !== verdict.message;
    return isNews ? (withCondition(all, verdict, nowMs) ?? all) : all;
  }, pool.status.conditions ?? []);
}

/** Which limits are reached. */
function fullness({ spec }: NodePool, used: Requests): string {
  const limits = Object.entries(spec.limits ?? {});
  const reached = limits.filter(([resource, limit]) => {
    return (used[resource] ?? 0) >= amountOf(resource, limit);
  });
  return reached.map(([resource, limit]) => `limit reached: ${resource}=${limit}`).join(', ');
}
