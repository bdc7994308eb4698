/**
 * Makes a packing cheaper: single pods move, two pods change places, machines are emptied. What is
 * changed is changed back unless it saves. Owns the search; what is allowed is the pass's to say.
 *
 * Invariants:
 *  M1 No step makes the whole cost more.
 *  M2 Work is bounded by the number of pods: each machine is looked at a few times, beside a few
 *     others.
 */
import { type Assignment, type SolvedPod } from './assignment.ts';
import type { OpenMachine } from './fleet.ts';

/** Rounds of moves; later ones find little. */
const ROUNDS = 2;
/** Emptying costs a search for each pod: enough for the tails that packing leaves. */
const MAX_DISSOLVED = 64;
const MAX_PODS_MOVED = 32;
/** Differences of prices below this are those of adding numbers in another order. */
const EPSILON_USD = 1e-9;

export function improve(assignment: Assignment): void {
  const { engine, fleet } = assignment;
  // A new machine may be the best place for a pod alone, and is none for what is to be saved.
  for (const { node } of fleet.templates) engine.close(node);
  for (let round = 0; round < ROUNDS; round++) if (!movePods(assignment, round === 0)) break;
  dissolveMachines(assignment);
  for (const { node } of fleet.templates) engine.open(node);
}

/** Moves pods whose machine gets cheaper without them by more than others grow with them. */
function movePods(assignment: Assignment, mayFill: boolean): boolean {
  let hasMoved = false;
  const { fleet } = assignment;
  const machines = [...fleet.opened].sort((a, b) => fleet.priceOf(b) - fleet.priceOf(a));
  for (const machine of machines) {
    for (const one of [...assignment.podsOn(machine)]) {
      if (move(assignment, machine, one, mayFill)) hasMoved = true;
    }
  }
  return hasMoved;
}

function move(
  assignment: Assignment,
  machine: OpenMachine,
  one: SolvedPod,
  mayFill: boolean,
): boolean {
  const { engine, fleet } = assignment;
  const priceUsd = fleet.priceOf(machine);
  const savedUsd = priceUsd - fleet.priceWithout(machine, one.shape.spec);
  if (savedUsd <= EPSILON_USD && !mayFill) return false;
  assignment.leave(one);
  engine.close(machine.node);
  const node = engine.best(one.shape);
  engine.open(machine.node);
  const target = node === undefined ? undefined : fleet.machineAt(node);
  const growthUsd = target ? (fleet.growthOf(target, one.shape.spec) ?? 0) : 0;
  const saves = growthUsd + EPSILON_USD < savedUsd;
  const fills = growthUsd <= savedUsd && target !== undefined && fleet.priceOf(target) < priceUsd;
  const isBetter = node !== undefined && (saves || fills);
  assignment.enter(isBetter ? { ...one, node } : one);
  return isBetter;
}

/** Empties machines whose pods others take for less than the machine costs, the emptiest first. */
function dissolveMachines(assignment: Assignment): void {
  const count = (machine: OpenMachine) => assignment.podsOn(machine).size;
  const machines = [...assignment.fleet.opened].sort((a, b) => count(a) - count(b));
  for (const machine of machines.slice(0, MAX_DISSOLVED)) {
    if (count(machine) <= MAX_PODS_MOVED) dissolve(assignment, machine);
  }
}

function dissolve(assignment: Assignment, machine: OpenMachine): void {
  const { engine, fleet } = assignment;
  const moved = [...assignment.podsOn(machine)];
  const savedUsd = fleet.costOf(machine);
  for (const one of moved) assignment.leave(one);
  engine.close(machine.node);
  const entered: SolvedPod[] = [];
  let spentUsd = 0;
  for (const { pod, shape } of moved) {
    const node = engine.best(shape);
    const target = node === undefined ? undefined : fleet.machineAt(node);
    if (node === undefined) break;
    spentUsd += target ? (fleet.growthOf(target, shape.spec) ?? 0) : 0;
    if (spentUsd >= savedUsd) break;
    const solved = { pod, shape, node };
    assignment.enter(solved);
    entered.push(solved);
  }
  if (entered.length === moved.length) return;
  for (const one of entered.reverse()) assignment.leave(one);
  engine.open(machine.node);
  for (const one of moved) assignment.enter(one);
}
