/**
 * Which nodes may be taken away by choice, and what that would cost their pods. Pure.
 *
 * Invariants:
 *  C1 A node is left alone while it is being set up or is going, while those are there that it
 *     takes the place of, while it or one of its pods asks to be, while a disruption budget holds
 *     one of its pods, and while it has a pod that nobody would make again.
 *  C2 The order is total: the least disruption first, then names.
 */
import { isTrue } from '../../../api/conditions.ts';
import { parseDurationOrNever } from '../../../api/duration.ts';
import type { NodeClaim, NodePool } from '../../../api/kinds/karpenter.ts';
import type { Node } from '../../../api/kinds/node.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../../../api/kinds/policy.ts';
import { controllerOf } from '../../../api/meta.ts';
import { NODE_POOL_LABEL } from '../../../api/node-labels.ts';
import { parseTime } from '../../../api/time.ts';
import { mayDisrupt } from '../../disruption/may-disrupt.ts';
import { drainCause } from '../../node/drain.ts';
import { asksToStay } from '../../node/evict.ts';
import { nodeView } from '../../node/state.ts';
import { compareText, isPlaced } from '../../scheduling/pending.ts';
import { expiryMs } from '../claim/plan.ts';
import {
  claimControl,
  type ClaimControl,
  isEnding,
  isInitialized,
  type Seen,
} from '../claim/state.ts';
import type { MachineType } from '../machine-type.ts';
import { seenNow } from './quiet.ts';

export interface Candidate {
  readonly claim: NodeClaim;
  readonly node: Node;
  readonly pool: NodePool;
  /** The pods that would have to go elsewhere; those that are leaving are not among them. */
  readonly pods: readonly Pod[];
  readonly seen: Seen;
  /** When it has been quiet for long enough; Infinity for never. */
  readonly dueAtMs: number;
  readonly isDrifted: boolean;
  readonly usdPerHour: number;
  readonly isSpot: boolean;
}

export interface CandidatesGiven {
  readonly nodes: readonly Node[];
  readonly claims: readonly NodeClaim[];
  readonly pools: readonly NodePool[];
  readonly pods: readonly Pod[];
  readonly budgets: readonly PodDisruptionBudget[];
  readonly types: readonly MachineType[];
}

export function candidatesOf(given: CandidatesGiven, nowMs: number): readonly Candidate[] {
  const pools = new Map(given.pools.map((pool) => [pool.metadata.name, pool]));
  const nodes = new Map(given.nodes.map((node) => [node.metadata.name, node]));
  const types = new Map(given.types.map((type) => [type.name, type]));
  const names = new Set(given.claims.map(({ metadata }) => metadata.name));
  const podsOf = Map.groupBy(given.pods.filter(isPlaced), ({ spec }) => spec.nodeName ?? '');
  const found = given.claims.flatMap((claim): readonly Candidate[] => {
    const control = claimControl(claim);
    const node = nodes.get(control?.instanceId ?? '');
    const pool = pools.get(claim.metadata.labels?.[NODE_POOL_LABEL] ?? '');
    if (!control || !node || !pool || !isSettled(claim, node, pool)) return [];
    if (control.replaces?.some((name) => names.has(name))) return [];
    const staying = (podsOf.get(node.metadata.name) ?? []).filter(isStaying);
    if (!mayAllGo(staying, given.budgets, nowMs)) return [];
    const seen = seenNow(claim, staying, nowMs);
    const afterMs = parseDurationOrNever(pool.spec.disruption.consolidateAfter) ?? Infinity;
    return [
      {
        ...{ claim, node, pool, pods: staying, seen },
        dueAtMs: seen.sinceMs + afterMs,
        isDrifted: isTrue(claim.status.conditions, 'Drifted'),
        usdPerHour: priceOf(control, types),
        isSpot: control.capacityType === 'spot',
      },
    ];
  });
  return inOrder(found, nowMs);
}

/** It is what it was meant to be, and nobody is about to change that. */
function isSettled(claim: NodeClaim, node: Node, pool: NodePool): boolean {
  if (isEnding(claim) || !isInitialized(claim)) return false;
  if (pool.metadata.deletionTimestamp !== undefined) return false;
  if (nodeView(node) !== 'ready' || drainCause(node) !== undefined) return false;
  return !asksToStay(node) && !asksToStay(claim);
}

function isStaying({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp === undefined;
}

function mayAllGo(
  pods: readonly Pod[],
  budgets: readonly PodDisruptionBudget[],
  nowMs: number,
): boolean {
  return pods.every((pod) => {
    if (!controllerOf(pod) || asksToStay(pod)) return false;
    return mayDisrupt([pod], budgets, nowMs).refused.length === 0;
  });
}

/** What it costs now; what it was planned for, where the type is no longer known. */
function priceOf(control: ClaimControl, types: ReadonlyMap<string, MachineType>): number {
  const offer = types.get(control.launchedType ?? '')?.offerings.find((one) => {
    return one.zone === control.launchedZone && one.capacityType === control.capacityType;
  });
  return offer?.usdPerHour ?? control.usdPerHour;
}

function inOrder(candidates: readonly Candidate[], nowMs: number): readonly Candidate[] {
  const costs = new Map(candidates.map((one) => [one, disruptionCost(one, nowMs)]));
  return [...candidates].sort(
    (a, b) =>
      (costs.get(a) ?? 0) - (costs.get(b) ?? 0) ||
      compareText(a.claim.metadata.name, b.claim.metadata.name),
  );
}

const DELETION_COST_ANNOTATION = 'controller.kubernetes.io/pod-deletion-cost';
/** Karpenter's scales: the largest priority and the largest deletion cost come to some pods. */
const PRIORITY_UNIT = 2 ** 25;
const DELETION_COST_UNIT = 2 ** 27;
const MAX_POD_COST = 10;

/** Few pods, unimportant ones, and nodes that expire soon anyway, first. */
function disruptionCost({ claim, pods }: Candidate, nowMs: number): number {
  const ofPods = pods.reduce((sum, pod) => sum + podCost(pod), 0);
  return ofPods * lifeLeft(claim, nowMs);
}

function podCost({ metadata, spec }: Pod): number {
  const asked = Number(metadata.annotations?.[DELETION_COST_ANNOTATION] ?? 0) || 0;
  const cost = 1 + asked / DELETION_COST_UNIT + (spec.priority ?? 0) / PRIORITY_UNIT;
  return Math.min(MAX_POD_COST, Math.max(-MAX_POD_COST, cost));
}

/** The part of its life that it has before it. */
function lifeLeft(claim: NodeClaim, nowMs: number): number {
  const endMs = expiryMs(claim);
  const startMs = parseTime(claim.metadata.creationTimestamp) ?? nowMs;
  if (endMs === Infinity || endMs <= startMs) return 1;
  return Math.min(1, Math.max(0, (endMs - nowMs) / (endMs - startMs)));
}
