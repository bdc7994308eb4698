/**
 * The least that machines for given pods can cost: what a packing is measured by. A bound by
 * linear programming's duality, one resource at a time: any charge for a machine and price for a
 * unit of the resource, of which no type is cheaper, prices all sets of machines too low.
 *
 * Invariant L1: no set of machines that has room for the pods costs less than the bound.
 */
import type { Labels } from '../../api/meta.ts';
import type { Requests } from '../pod/requests.ts';
import { HOSTNAME_LABEL } from '../scheduling/cluster.ts';
import type { PodGroup } from '../scheduling/pod-index.ts';
import type { PodShape } from '../scheduling/shape.ts';
import { resolveTerm } from '../scheduling/terms.ts';
import type { TypeList } from './type-list.ts';

/** What has to be had at least. */
export interface Demand {
  readonly amounts: Requests;
  /** Pods keep so many hosts apart. */
  readonly machines: number;
}

/** Steps of the search for the best charge: it narrows by a third each. */
const STEPS = 24;

/** In $/h; `machineUsdPerHour` is what each machine counts besides its price. */
export function lowestUsdPerHour(
  lists: readonly TypeList[],
  { amounts, machines }: Demand,
  machineUsdPerHour: number,
): number {
  const cheapest = Math.min(...lists.map(({ prices }) => prices[0] ?? Infinity));
  if (cheapest === Infinity) return 0;
  const bounds = Object.entries(amounts).map(([resource, amount]) => {
    if (amount <= 0) return 0;
    const boundBy = (chargeUsd: number) => {
      const units = lists.map((list) => list.lowestUnitPrice(resource, chargeUsd));
      return machines * chargeUsd + amount * Math.min(...units);
    };
    return highest(boundBy, cheapest);
  });
  return Math.max(0, machines * cheapest, ...bounds) + machines * machineUsdPerHour;
}

/** The highest value of a concave function between 0 and `to`, or one a little below it. */
function highest(value: (at: number) => number, to: number): number {
  let [low, high] = [0, to];
  for (let step = 0; step < STEPS; step++) {
    const third = (high - low) / 3;
    if (value(low + third) < value(high - third)) low += third;
    else high -= third;
  }
  return Math.max(value(0), value(low));
}

/** How many hosts the pods need at least: those that keep away from their like have one each. */
export function hostsNeeded(
  shapes: Iterable<PodShape>,
  namespaceLabels: ReadonlyMap<string, Labels>,
): number {
  const isApart = new Map<PodShape, boolean>();
  const counts = new Map<PodGroup, number>();
  for (const shape of shapes) {
    if (!isApart.has(shape)) isApart.set(shape, keepsApart(shape, namespaceLabels));
    if (isApart.get(shape)) counts.set(shape.group, (counts.get(shape.group) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}

function keepsApart(shape: PodShape, namespaceLabels: ReadonlyMap<string, Labels>): boolean {
  const terms = shape.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.some(
    (term) =>
      term.topologyKey === HOSTNAME_LABEL &&
      resolveTerm(term, shape.group, namespaceLabels).matches(shape.group),
  );
}
