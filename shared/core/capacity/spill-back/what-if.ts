/**
 * Where the replacements of pods would go: the ordinary pass is asked, over the same snapshot with
 * these pods on their way out and others like them pending. Whatever it would do with the real
 * ones, it does here. Pure.
 *
 * Invariants:
 *  Y1 A move is good only if the replacement gets a kind that its pod wants strictly more; without
 *     an order of kinds, only from a service that is paid by the pod to what costs clearly less.
 *  Y2 Pods that move together were asked about together, and none besides.
 *  Y3 The pods that leave hold their room meanwhile, as they do until they have ended.
 */
import { CAPACITY_PREFERENCE, type CapacityKind } from '../../../api/capacity-preference.ts';
import type { Node } from '../../../api/kinds/node.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { rfc3339 } from '../../../api/time.ts';
import { podRequests } from '../../pod/requests.ts';
import { isVirtualNode } from '../../scheduling/cluster.ts';
import { fargateCost } from '../../scheduling/decisions.ts';
import { capacityKindOf, kindRank } from '../../scheduling/plugins/capacity-preference.ts';
import { type ClusterSnapshot, schedule } from '../../scheduling/schedule.ts';
import type { PlannedMachine } from '../claim/draft.ts';
import type { MachineType } from '../machine-type.ts';
import { MACHINE_USD_PER_HOUR } from '../market.ts';
import type { Candidate } from './candidates.ts';

/** Where a pod would go, and what it costs there; running machines are paid for anyway. */
export interface Move extends Candidate {
  readonly to: CapacityKind;
  /** Absent for pods that say which kind they want: they want it whatever it costs. */
  readonly usdPerHour?: { readonly here: number; readonly there: number };
}

/** Less of what the pod costs is not worth a restart. */
export const LEAST_SAVING = 0.1;

interface Place {
  readonly kind: CapacityKind;
  readonly usdPerHour: number;
}

/** The candidates that would do better, if all of them and no others went. */
export function movesOf(
  candidates: readonly Candidate[],
  snapshot: Required<ClusterSnapshot>,
  types: readonly MachineType[],
  nowMs: number,
): readonly Move[] {
  const places = placesOf(candidates, snapshot, types, nowMs);
  return candidates.flatMap((candidate) => {
    const place = places.get(candidate);
    return place ? (moveTo(place, candidate) ?? []) : [];
  });
}

/** The move; undefined where it is none for the better. */
function moveTo({ kind: to, usdPerHour: there }: Place, candidate: Candidate): Move | undefined {
  const { pod, kind } = candidate;
  const order = pod.metadata.annotations?.[CAPACITY_PREFERENCE];
  const [rank, rankThere] = [kindRank(order, kind), kindRank(order, to)];
  if (rank !== undefined && rankThere !== undefined) {
    return rankThere < rank ? { ...candidate, to } : undefined;
  }
  const here = usdHere(candidate);
  const isWorthIt = there < here * (1 - LEAST_SAVING);
  return isWorthIt ? { ...candidate, to, usdPerHour: { here, there } } : undefined;
}

function placesOf(
  candidates: readonly Candidate[],
  snapshot: Required<ClusterSnapshot>,
  types: readonly MachineType[],
  nowMs: number,
): ReadonlyMap<Candidate, Place> {
  const leaving = new Map(candidates.map(({ pod }) => [pod, leavingAt(pod, nowMs)]));
  const again = new Map(candidates.map((one) => [madeAgain(one.pod, nowMs), one]));
  const staying = snapshot.pods.map((pod) => leaving.get(pod) ?? pod);
  const pods = [...staying, ...again.keys()];
  const { placements, machines } = schedule({ ...snapshot, pods }, nowMs, { types });
  const nodes = new Map(snapshot.nodes.map((node) => [node.metadata.name, node]));
  const places = new Map<Candidate, Place>();
  for (const { pod, node: name } of placements) {
    const [one, node] = [again.get(pod), nodes.get(name)];
    if (!one || !node) continue;
    const usdPerHour = isVirtualNode(node) ? (usdOnFargate(pod, node) ?? Infinity) : 0;
    places.set(one, { kind: capacityKindOf(node), usdPerHour });
  }
  for (const machine of machines) {
    const on = machine.pods.flatMap((pod) => again.get(pod) ?? []);
    for (const [one, place] of sharesOf(machine, on)) places.set(one, place);
  }
  return places;
}

/** Each bears of the machine what it bore of what all of them cost before. */
function sharesOf(
  { machine: { kind, cheapest } }: PlannedMachine,
  on: readonly Candidate[],
): readonly (readonly [Candidate, Place])[] {
  const usd = (kind.types.prices[cheapest] ?? Infinity) + MACHINE_USD_PER_HOUR;
  const before = on.reduce((sum, one) => sum + usdHere(one), 0);
  const to = kind.capacityType === 'spot' ? 'spot' : 'on-demand';
  return on.map((one) => {
    const share = before > 0 ? usdHere(one) / before : 1;
    return [one, { kind: to, usdPerHour: usd * share }] as const;
  });
}

/** What the pod alone costs where it is: a machine costs the same without it. */
function usdHere({ pod, node }: Candidate): number {
  return isVirtualNode(node) ? (usdOnFargate(pod, node) ?? 0) : 0;
}

function usdOnFargate({ spec }: Pod, node: Node): number | undefined {
  return fargateCost(podRequests(spec), node)?.usdPerHour;
}

function leavingAt(pod: Pod, nowMs: number): Pod {
  return { ...pod, metadata: { ...pod.metadata, deletionTimestamp: rfc3339(nowMs) } };
}

/** The pod as its owner would make it again: another, which asks for no node. */
function madeAgain({ control: _, ...pod }: Pod, nowMs: number): Pod {
  const { name, uid, ...metadata } = pod.metadata;
  const { nodeName: _node, ...spec } = pod.spec;
  const own = { name: `${name}-again`, uid: `${uid}-again`, creationTimestamp: rfc3339(nowMs) };
  return { ...pod, metadata: { ...metadata, ...own }, spec, status: { phase: 'Pending' } };
}
