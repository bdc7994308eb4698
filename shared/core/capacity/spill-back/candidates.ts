/**
 * Which pods may be moved back to a kind of capacity that they want more than the one they run on.
 * Pure. Owns who is asked about; whether there is room for them is what-if.ts's.
 *
 * Invariants:
 *  C1 Only pods that say so, that somebody would make again, and that have been where they are for
 *     as long as they say.
 *  C2 Nobody leaves a kind that is short itself: there would be no way back.
 *  C3 Of each owner one at a time, and none while one that landed on a dear kind is young: that
 *     the other had no room is known no older. One move in vain an owner, each time that they say.
 */
import { CAPACITY_PREFERENCE, type CapacityKind } from '../../../api/capacity-preference.ts';
import type { Node } from '../../../api/kinds/node.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { controllerOf } from '../../../api/meta.ts';
import { parseSpillBack, SPILL_BACK } from '../../../api/spill-back.ts';
import { drainCause } from '../../node/drain.ts';
import { asksToStay, evictionIsOff, gentlyEvictable, ownerOf } from '../../node/evict.ts';
import { shortForMs } from '../../node/shortage.ts';
import { nodeView } from '../../node/state.ts';
import { podIsActive } from '../../pod/predicates.ts';
import { isVirtualNode } from '../../scheduling/cluster.ts';
import { isOfGang } from '../../scheduling/gang/membership.ts';
import { compareText, isPlaced } from '../../scheduling/pending.ts';
import { capacityKindOf, kindRank } from '../../scheduling/plugins/capacity-preference.ts';
import type { ClusterSnapshot } from '../../scheduling/schedule.ts';
import { boundAtMs } from '../consolidation/quiet.ts';

export interface Candidate {
  readonly pod: Pod;
  readonly node: Node;
  readonly kind: CapacityKind;
}

/** What the pod alone says: it goes back if there is where to, and its time has come. */
export function maySpillBack(pod: Pod, nowMs: number): boolean {
  return isDue(pod, nowMs) && isMovable(pod);
}

function isDue(pod: Pod, nowMs: number): boolean {
  const text = pod.metadata.annotations?.[SPILL_BACK];
  const afterMs = typeof text === 'string' ? parseSpillBack(text) : undefined;
  return typeof afterMs === 'number' && nowMs - boundAtMs(pod) >= afterMs;
}

function isMovable(pod: Pod): boolean {
  if (!isPlaced(pod) || !podIsActive(pod) || pod.status.phase !== 'Running') return false;
  return controllerOf(pod) !== undefined && !asksToStay(pod) && !isOfGang(pod);
}

/** One of each owner, in a total order: those that have been away for longest, then by name. */
export function candidatesOf(
  snapshot: Required<ClusterSnapshot>,
  couldLaunch: boolean,
  nowMs: number,
): readonly Candidate[] {
  const asking = snapshot.pods.filter(({ metadata }) => metadata.annotations?.[SPILL_BACK]);
  if (!asking.some((pod) => maySpillBack(pod, nowMs))) return [];
  const nodes = new Map(snapshot.nodes.map((node) => [node.metadata.name, node]));
  const kinds = kindsAtHand(snapshot.nodes, couldLaunch, nowMs);
  const away = asking.filter(isMovable).flatMap((pod): readonly Candidate[] => {
    const node = nodes.get(pod.spec.nodeName ?? '');
    return node && mayImprove(pod, node, kinds) ? [{ pod, node, kind: capacityKindOf(node) }] : [];
  });
  const young = away.filter(({ pod }) => !isDue(pod, nowMs));
  const waiting = new Set(young.map(({ pod }) => ownerOf(pod)));
  const found = away
    .filter(({ pod, node }) => !waiting.has(ownerOf(pod)) && mayLeave(node, nowMs))
    .sort(longestFirst);
  const first = new Set(gentlyEvictable(found.map(({ pod }) => pod)));
  return found.filter(({ pod }) => first.has(pod));
}

/** The kinds that are not known to be out of room. */
function kindsAtHand(
  nodes: readonly Node[],
  couldLaunch: boolean,
  nowMs: number,
): ReadonlySet<CapacityKind> {
  const there = nodes.filter((node) => shortForMs(node, nowMs) === undefined).map(capacityKindOf);
  return new Set(couldLaunch ? [...there, 'spot', 'on-demand'] : there);
}

/** It is as it should be, and nobody else empties it or has forbidden to. */
function mayLeave(node: Node, nowMs: number): boolean {
  if (shortForMs(node, nowMs) !== undefined || evictionIsOff(node)) return false;
  return nodeView(node) === 'ready' && drainCause(node) === undefined;
}

/** Cheap, and often enough to ask no further: whether there is a kind that could be better. */
function mayImprove(pod: Pod, node: Node, kinds: ReadonlySet<CapacityKind>): boolean {
  const order = pod.metadata.annotations?.[CAPACITY_PREFERENCE];
  const rank = kindRank(order, capacityKindOf(node));
  // What runs on a machine costs nothing more there: machines are consolidation's.
  if (rank === undefined) return isVirtualNode(node);
  return [...kinds].some((kind) => (kindRank(order, kind) ?? Infinity) < rank);
}

function longestFirst({ pod: a }: Candidate, { pod: b }: Candidate): number {
  return (
    boundAtMs(a) - boundAtMs(b) ||
    compareText(a.metadata.namespace ?? '', b.metadata.namespace ?? '') ||
    compareText(a.metadata.name, b.metadata.name)
  );
}
