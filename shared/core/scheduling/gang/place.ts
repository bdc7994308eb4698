/**
 * Places a gang: as many of its pods as have to be there together, or none. Owns the order of
 * tries: one zone for all, then anywhere, then with room made by preemption.
 *
 * Invariants:
 *  G1 After a try that fails the pass is as it was before.
 *  G2 Pods of the gang that run already count; who comes after the gang is complete is a pod like
 *     any other.
 *  G3 Room that members hold from a pass that was cut off is taken up with the rest of the gang or
 *     not at all: what a gang that waits still holds is given back (release.ts).
 */
import type { Pod } from '../../../api/kinds/pod.ts';
import type { Pass } from '../pass.ts';
import type { Preempted, Preemption } from '../preemption.ts';
import type { GangCloseness } from './closeness.ts';
import type { Gang } from './membership.ts';

export interface GangItem {
  readonly gang: Gang;
  /** Those that wait, in the order of the queue. */
  readonly pods: readonly Pod[];
  /** How many have a place already. */
  readonly placed: number;
}

export interface GangTools {
  readonly pass: Pass;
  readonly closeness: GangCloseness;
  readonly preemption: Preemption;
}

export type GangResult =
  | {
      readonly isPlaced: true;
      /** Pods beyond those that had to be, for which there was no room. */
      readonly left: readonly Pod[];
      readonly preempted: ReadonlyMap<Pod, Preempted>;
      /** Pods for which others end already. */
      readonly underWay: ReadonlySet<Pod>;
    }
  /** Why: what is true of the gang, as the end of a sentence that begins with it. */
  | { readonly isPlaced: false; readonly why: string };

/** Zones of a region are three to six; more than these are not tried one by one. */
const MAX_ZONES = 8;

export function placeGang(item: GangItem, tools: GangTools): GangResult {
  const { gang, pods, placed } = item;
  const needed = Math.max(0, gang.minMember - placed);
  if (pods.length < needed) {
    const there = pods.length + placed;
    return { isPlaced: false, why: `has ${there} of ${gang.minMember} pods` };
  }
  const { closeness } = tools;
  const zones = closeness.zones.length > 1 ? closeness.zones.slice(0, MAX_ZONES) : [];
  // Who has pods somewhere is drawn there by the score, and need not be held to one zone.
  for (const zone of placed === 0 ? zones : []) {
    const result = closeness.within(zone, () => tryAll(pods, pods.length, tools, false));
    if (result.isPlaced) return result;
  }
  const anywhere = tryAll(pods, needed, tools, false);
  if (anywhere.isPlaced) return anywhere;
  const forced = tryAll(pods, needed, tools, true);
  if (forced.isPlaced) return forced;
  return { isPlaced: false, why: `needs ${needed} places at once, found ${forced.found}` };
}

type Try =
  Extract<GangResult, { isPlaced: true }> | { readonly isPlaced: false; readonly found: number };

/** Places at least `needed` of the pods, or takes everything back. */
function tryAll(
  pods: readonly Pod[],
  needed: number,
  { pass, preemption }: GangTools,
  mayPreempt: boolean,
): Try {
  const mark = pass.mark();
  const left: Pod[] = [];
  const preempted = new Map<Pod, Preempted>();
  const underWay = new Set<Pod>();
  for (const pod of pods) {
    if (pass.finishReserved(pod) || pass.place(pod)) continue;
    const made = mayPreempt ? preemption.preempt(pod) : undefined;
    if (made && 'victims' in made) preempted.set(pod, made);
    else if (made && 'isUnderWay' in made) underWay.add(pod);
    else left.push(pod);
  }
  const found = pods.length - left.length;
  if (found >= needed) return { isPlaced: true, left, preempted, underWay };
  pass.rollBack(mark);
  for (const pod of underWay) preemption.undo(pod);
  for (const [pod, { victims }] of preempted) preemption.undo(pod, victims);
  return { isPlaced: false, found };
}
