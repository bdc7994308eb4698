/**
 * What is said and done of gangs that a pass could not place: why, in the condition of their group
 * and on their pods, and the room that they still hold is given back.
 *
 * Invariant W1: a gang that waits holds no room. Members may be in a ledger without being bound
 * when a pass was cut off in between; where the next pass can't complete the gang, the pods are
 * written first, so that a binding that is under way fails, and their entries are taken out after.
 */
import { findCondition, withCondition } from '../../../api/conditions.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { PodGroup } from '../../../api/kinds/scheduling.ts';
import { rfc3339 } from '../../../api/time.ts';
import type { Market } from '../../capacity/market.ts';
import { event, eventTarget, type Plan, update } from '../../plan.ts';
import { type GroupCondition, POD_GROUPS, SCHEDULED } from '../../podgroup/plan.ts';
import { isVirtualNode } from '../cluster.ts';
import { giveBack } from '../ledger.ts';
import type { Pass } from '../pass.ts';
import { UNSCHEDULABLE, waiting } from '../plans.ts';
import type { Item, Left } from '../run.ts';
import type { GangItem } from './place.ts';
import { leastOf, mostPlaces } from './room.ts';

/** Reasons of the condition, as Volcano has the first two. */
export const NOT_ENOUGH_PODS = 'NotEnoughPods';
export const NOT_ENOUGH_RESOURCES = 'NotEnoughResources';
export const TOO_LARGE = 'TooLarge';

export interface GangReport {
  readonly item: GangItem;
  /** Those that are left. */
  readonly pods: readonly Pod[];
  readonly reason: string;
  /** What is true of the gang. */
  readonly message: string;
}

/** The same, as it is said of one of its pods. */
export function saidOfPod({ item, message }: GangReport): string {
  return `its gang ${item.gang.key} ${message}`;
}

/** One for each gang that has pods among those that are left as a gang. */
export function gangReports(
  items: readonly Item[],
  left: readonly Left[],
  pass: Pass,
  market: Pick<Market, 'mostPlaces'>,
): readonly GangReport[] {
  const why = new Map(left.flatMap(({ pod, gang }) => (gang === undefined ? [] : [[pod, gang]])));
  return items.flatMap((item) => {
    if (!('gang' in item)) return [];
    const pods = item.pods.filter((pod) => why.has(pod));
    const [first] = pods;
    if (!first) return [];
    const { minMember } = item.gang;
    const message = why.get(first) ?? '';
    const report = (reason: string, text = message) => [{ item, pods, reason, message: text }];
    if (item.pods.length + item.placed < minMember) return report(NOT_ENOUGH_PODS);
    const most = mostOf(item, pass, market);
    // Where none of it would ever fit, the nodes' own reasons say more.
    if (most >= minMember || most === 0) return report(NOT_ENOUGH_RESOURCES);
    const needs = `needs ${minMember} places at once`;
    return report(TOO_LARGE, `${needs}, and the cell has at most ${most} when it is empty`);
  });
}

function mostOf({ pods }: GangItem, pass: Pass, market: Pick<Market, 'mostPlaces'>): number {
  const shapes = [...new Set(pods.map((pod) => pass.shapeOf(pod)))];
  return mostPlaces(shapes, pass) + market.mostPlaces(leastOf(shapes));
}

/** Says in the group's status why it has no place; undefined where it says so already. */
export function groupPlan({ item, reason, message }: GangReport, nowMs: number): Plan | undefined {
  const { group } = item.gang;
  if (!group) return undefined;
  const { status, metadata } = group;
  const old = findCondition(status.conditions, SCHEDULED);
  if (old?.status === 'False' && old.reason === reason && old.message === message) return undefined;
  const next: GroupCondition = {
    ...{ type: SCHEDULED, status: 'False', reason, message },
    observedGeneration: metadata.generation ?? 1,
  };
  const conditions = withCondition<GroupCondition>(status.conditions, next, nowMs);
  const scheduleStartTime = status.scheduleStartTime ?? rfc3339(nowMs);
  const told = { ...group, status: { ...status, scheduleStartTime, conditions } } as PodGroup;
  const news = event(eventTarget(POD_GROUPS, group), 'Warning', 'Unschedulable', message);
  return { stages: [[update(POD_GROUPS, told)], [news]], blocked: [message] };
}

/** Takes what these pods hold of nodes, without being bound there, out of the ledgers (W1). */
export function giveBackPlan(
  messages: ReadonlyMap<Pod, string>,
  pass: Pass,
  nowMs: number,
): Plan | undefined {
  const holders = new Set([...messages.keys()].filter((pod) => pass.reservedFor(pod).length > 0));
  if (holders.size === 0) return undefined;
  const nodes = new Set([...holders].flatMap((pod) => pass.reservedFor(pod)));
  const entries = [...nodes].flatMap((index) => {
    const node = pass.engine.cluster.nodes[index];
    const ledger = pass.ledgers.get(pass.nameOf(index));
    return node && ledger && !isVirtualNode(node)
      ? [giveBack(node, ledger, holders, pass.podsByUid)]
      : [];
  });
  const told = [...holders].map((pod) => {
    const message = messages.get(pod) ?? '';
    // A write in any case: it is what a binding that is under way fails on.
    return waiting(pod, { reason: UNSCHEDULABLE, message }, nowMs) ?? update('pods', pod);
  });
  const news = [...holders].map((pod) => {
    const message = messages.get(pod) ?? '';
    return event(eventTarget('pods', pod), 'Warning', 'FailedScheduling', message);
  });
  return { stages: [told, entries, news], blocked: ['gives back what a gang holds in part'] };
}
