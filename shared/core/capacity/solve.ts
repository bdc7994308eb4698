/**
 * Which machines to launch for pods that no node has room for: bin packing with open bins, by the
 * rules and on the state of a scheduling pass. Large pods first; each goes where it costs least
 * more an hour: room that is paid for, a machine that grows to a larger type, a new machine.
 *
 * Owns the order of pods and the search. Does not own where a pod may go (plugins) or what machines
 * cost (fleet.ts).
 *
 * Invariants:
 *  V1 A pod is placed only where all plugins allow it at that moment, also when it is moved.
 *  V2 The search ends: pods are gone through a few times (improve.ts: M2).
 */
import type { Pod } from '../../api/kinds/pod.ts';
import { HOSTNAME_LABEL } from '../scheduling/cluster.ts';
import type { Engine } from '../scheduling/engine.ts';
import { compareText } from '../scheduling/pending.ts';
import type { PodShape } from '../scheduling/shape.ts';
import type { Assignment, SolvedPod } from './assignment.ts';
import { improve } from './improve.ts';

/**
 * A pod may wait for one behind it (affinity, spread), so the rest is gone through again while that
 * helps. As in a pass.
 */
const MAX_ROUNDS = 8;

/** More than this above what it costs at least, the other way of packing is tried too. */
const WORTH_ANOTHER_TRY = 1.1;

/**
 * Places the pods beside those that are placed already; tells for which there is no place. A pod at
 * a time, machines that grow only where that is cheapest at once may end up small and half empty;
 * machines that grow for nothing fill up, and may be larger than worth their price. What was had by
 * the first way is kept unless the second is better.
 */
export function solveInto(pods: readonly Pod[], assignment: Assignment): readonly Pod[] {
  const { fleet, engine } = assignment;
  const before = new Set(assignment.placed);
  const left = pack(pods, assignment);
  const costUsd = fleet.costUsdPerHour;
  const boundUsd = fleet.lowestUsdPerHour(assignment.demand);
  if (costUsd <= boundUsd * WORTH_ANOTHER_TRY) return left;
  const first = withdraw(assignment, before);
  fleet.growth = 'free';
  const leftThen = pack(pods, assignment);
  fleet.growth = 'charged';
  const isWorse = leftThen.length - left.length || fleet.costUsdPerHour - costUsd;
  if (isWorse < 0) return leftThen;
  withdraw(assignment, before);
  for (const one of first) {
    engine.open(one.node);
    assignment.enter(one);
  }
  return left;
}

/** Takes all off that were not there before, and closes the machines that were theirs alone. */
function withdraw(assignment: Assignment, before: ReadonlySet<SolvedPod>): readonly SolvedPod[] {
  const { fleet, engine } = assignment;
  const entered = assignment.placed.filter((one) => !before.has(one));
  const machines = fleet.opened;
  for (const one of entered) assignment.leave(one);
  for (const { node, cheapest } of machines) if (cheapest < 0) engine.close(node);
  return entered;
}

function pack(pods: readonly Pod[], assignment: Assignment): readonly Pod[] {
  let left = inOrderOfSize(pods, assignment.engine);
  for (let round = 0; round < MAX_ROUNDS && left.length > 0; round++) {
    const before = left.length;
    left = placeAll(left, assignment);
    if (left.length === before) break;
  }
  improve(assignment);
  return left.map(({ pod }) => pod);
}

function placeAll(pods: readonly Sized[], assignment: Assignment): readonly Sized[] {
  const refused = new Set<string>();
  return pods.filter(({ pod, shape }) => {
    // Within a round others of its shape fare no better; the next round asks again.
    if (refused.has(shape.key)) return true;
    if (place(pod, shape, assignment)) return false;
    refused.add(shape.key);
    return true;
  });
}

function place(pod: Pod, shape: PodShape, assignment: Assignment): boolean {
  const { engine, fleet } = assignment;
  const best = engine.best(shape);
  if (best === undefined) return false;
  const found = fleet.machineAt(best);
  const machine = found?.isTemplate ? fleet.open(found) : found;
  assignment.enter({ pod, shape, node: machine?.node ?? best });
  return true;
}

interface Sized {
  readonly pod: Pod;
  readonly shape: PodShape;
}

/**
 * Those of higher priority first, then large before small: what is left at the end fits into gaps.
 * How large a pod is says the resource of which it asks for the largest part of what all ask for.
 * Pods of one size stay together, so that verdicts are shared.
 */
function inOrderOfSize(pods: readonly Pod[], engine: Engine): readonly Sized[] {
  const shapes = pods.map((pod) => ({ pod, shape: engine.shapeOf(pod) }));
  const demand = new Map<string, number>();
  for (const { shape } of shapes) {
    for (const [resource, amount] of Object.entries(shape.spec.requests)) {
      demand.set(resource, (demand.get(resource) ?? 0) + amount);
    }
  }
  const sizes = new Map<string, number>();
  for (const { shape } of shapes) {
    if (sizes.has(shape.spec.key)) continue;
    const shares = Object.entries(shape.spec.requests).map(
      ([resource, amount]) => amount / Math.max(1, demand.get(resource) ?? 0),
    );
    sizes.set(shape.spec.key, Math.max(0, ...shares));
  }
  const sizeOf = ({ shape }: Sized) => sizes.get(shape.spec.key) ?? 0;
  return shapes.sort(
    (a, b) =>
      (b.pod.spec.priority ?? 0) - (a.pod.spec.priority ?? 0) ||
      Number(isExclusive(b.shape)) - Number(isExclusive(a.shape)) ||
      sizeOf(b) - sizeOf(a) ||
      compareText(a.shape.key, b.shape.key) ||
      compareText(a.pod.metadata.uid, b.pod.metadata.uid),
  );
}

/** A pod that shares its host with none of its like: each of them costs a machine. */
function isExclusive({ podAntiAffinity }: PodShape): boolean {
  const terms = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.some(({ topologyKey }) => topologyKey === HOSTNAME_LABEL);
}
