/**
 * What a pass does about pods that no node has room for: machines to launch, or Fargate where that
 * costs less. Owns the comparison of kinds of capacity; how machines are filled is solve.ts.
 *
 * Invariants:
 *  R1 A pod that could start on Fargate waits for a machine only where that costs less an hour.
 *     A pod that says in which order it wants kinds of capacity gets the first that there is,
 *     whatever it costs.
 *  R2 A gang is provided for whole or not at all.
 *  R3 Of machines that were not decided by price alone (pools of more weight), nothing is moved to
 *     Fargate: who weighs pools, has decided.
 */
import type { NodePool } from '../../api/kinds/karpenter.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { fargatePrice } from './catalogue/fargate-prices.ts';
import type { CapacityType } from '../../api/instance.ts';
import { CAPACITY_TYPE_LABEL } from '../node/virtual-nodes.ts';
import type { Requests } from '../pod/requests.ts';
import { ZONE_LABEL } from '../scheduling/cluster.ts';
import type { Pass } from '../scheduling/pass.ts';
import { preferenceRank } from '../scheduling/plugins/capacity-preference.ts';
import type { PodShape } from '../scheduling/shape.ts';
import { Assignment, type SolvedPod } from './assignment.ts';
import type { PlannedMachine } from './claim/draft.ts';
import type { Fleet, OpenMachine } from './fleet.ts';
import { solveInto } from './solve.ts';

/** A gang that found no room on nodes. */
export interface GangToProvide {
  readonly pods: readonly Pod[];
  /** So many of them at least. */
  readonly needed: number;
}

export interface ProvisionGiven {
  readonly pass: Pass;
  readonly fleet: Fleet;
  readonly pools: readonly NodePool[];
  /** Pods that found no room. */
  readonly left: readonly Pod[];
  readonly gangs: readonly GangToProvide[];
  /** What a machine counts for being one more, in $/h. */
  readonly machineUsdPerHour: number;
}

export interface Provisioned {
  readonly machines: readonly PlannedMachine[];
  /** Pods for which nothing can be launched either. */
  readonly left: readonly Pod[];
}

export function provision(given: ProvisionGiven): Provisioned {
  const { pass, fleet, left, gangs } = given;
  fleet.offerTemplates();
  const assignment = new Assignment(pass.engine, fleet);
  const gangsLeft = gangs.flatMap((gang) => (provideGang(gang, assignment) ? [] : gang.pods));
  const onFargate = pass.onVirtual;
  for (const pod of onFargate.keys()) pass.withdraw(pod);
  closeVirtual(pass, true);
  const inGangs = new Set(assignment.placed.map(({ pod }) => pod));
  const unsolved = solveInto([...left, ...onFargate.keys()], assignment);
  closeVirtual(pass, false);
  for (const pod of unsolved) if (onFargate.has(pod)) pass.placeAt(pod, onFargate.get(pod) ?? 0);
  preferByOrder(onFargate, assignment, pass);
  for (const machine of fleet.opened) preferFargate(machine, onFargate, assignment, given);
  for (const solved of assignment.placed) {
    const isOnMachine = fleet.machineAt(solved.node) !== undefined;
    // Those of gangs wait until all of them have room.
    if (!isOnMachine && !inGangs.has(solved.pod)) pass.adopt(solved.pod, solved.node);
  }
  const machines = plannedMachines(assignment, given.pools, pass);
  const unplaced = unsolved.filter((pod) => !onFargate.has(pod));
  return { machines, left: [...unplaced, ...gangsLeft] };
}

function provideGang({ pods, needed }: GangToProvide, assignment: Assignment): boolean {
  const before = new Set(assignment.placed);
  const left = solveInto(pods, assignment);
  if (pods.length - left.length >= needed) return true;
  for (const solved of assignment.placed) if (!before.has(solved)) assignment.leave(solved);
  return false;
}

/** Keeps pods off Fargate, or lets them there again. */
export function closeVirtual({ engine, nodeCount }: Pass, isClosed: boolean): void {
  for (let node = 0; node < nodeCount; node++) {
    if (engine.cluster.isVirtual[node] !== 1) continue;
    if (isClosed) engine.close(node);
    else engine.open(node);
  }
}

/** Puts those pods back on Fargate that want it rather than the place that they were given. */
function preferByOrder(
  onFargate: ReadonlyMap<Pod, number>,
  assignment: Assignment,
  pass: Pass,
): void {
  const { nodes } = pass.engine.cluster;
  for (const solved of [...assignment.placed]) {
    const virtual = onFargate.get(solved.pod);
    const [there, here] = [virtual, solved.node].map((index) => {
      const node = nodes[index ?? -1];
      return node && preferenceRank(solved.shape.spec, node);
    });
    if (virtual === undefined || there === undefined || here === undefined) continue;
    if (there >= here) continue;
    assignment.leave(solved);
    pass.placeAt(solved.pod, virtual);
  }
}

/** Takes pods off the machine that cost less on Fargate than what they make it cost. */
function preferFargate(
  machine: OpenMachine,
  onFargate: ReadonlyMap<Pod, number>,
  assignment: Assignment,
  { pass, fleet, machineUsdPerHour }: ProvisionGiven,
): void {
  if (machine.kind.pool.weight > 0) return; // R3
  const movable = [...assignment.podsOn(machine)].filter(
    ({ pod, shape }) => onFargate.has(pod) && shape.spec.capacityPreference === undefined,
  );
  if (movable.length === 0) return;
  const all = assignment.podsOn(machine).size;
  const beforeUsd = fleet.priceOf(machine) + machineUsdPerHour;
  for (const solved of movable) assignment.leave(solved);
  const afterUsd = movable.length === all ? 0 : fleet.priceOf(machine) + machineUsdPerHour;
  const fargateUsd = movable.reduce((sum, solved) => {
    return sum + fargateUsdPerHour(solved, onFargate.get(solved.pod) ?? 0, pass);
  }, 0);
  const isCheaper = fargateUsd <= beforeUsd - afterUsd;
  for (const solved of movable) {
    if (isCheaper) pass.placeAt(solved.pod, onFargate.get(solved.pod) ?? 0);
    else assignment.enter(solved);
  }
}

function fargateUsdPerHour({ shape }: SolvedPod, node: number, { engine }: Pass): number {
  const { cpu = 0, memory = 0, 'ephemeral-storage': storageBytes = 0 } = shape.spec.requests;
  const labels = engine.cluster.nodes[node]?.metadata.labels ?? {};
  const capacityType = (labels[CAPACITY_TYPE_LABEL] ?? 'on-demand') as CapacityType;
  return fargatePrice(cpu, memory, capacityType, { storageBytes })?.usdPerHour ?? Infinity;
}

/** The machines that pods were put on. */
export function plannedMachines(
  assignment: Assignment,
  pools: readonly NodePool[],
  pass: Pass,
): readonly PlannedMachine[] {
  return assignment.fleet.opened.flatMap((machine) => planned(machine, assignment, pools, pass));
}

function planned(
  machine: OpenMachine,
  assignment: Assignment,
  pools: readonly NodePool[],
  pass: Pass,
): readonly PlannedMachine[] {
  const { fleet } = assignment;
  const pool = pools.find(({ metadata }) => metadata.name === machine.kind.pool.name);
  const solved = [...assignment.podsOn(machine)];
  if (!pool || solved.length === 0) return [];
  const requests: { [resource: string]: number } = {};
  for (const { shape } of solved) add(requests, shape.spec.requests);
  requests['pods'] = solved.length;
  const zones = zonesFor(machine, solved, fleet, pass);
  return [{ pool, machine, pods: solved.map(({ pod }) => pod), zones, requests }];
}

function add(sums: { [resource: string]: number }, more: Requests): void {
  for (const resource in more) sums[resource] = (sums[resource] ?? 0) + (more[resource] ?? 0);
}

/** Its own, and those in which its pods would do as well and the type may be had. */
function zonesFor(
  machine: OpenMachine,
  solved: readonly SolvedPod[],
  fleet: Fleet,
  { engine }: Pass,
): readonly string[] {
  const { kind } = machine;
  if (solved.some(({ shape }) => mindsZone(shape))) return [kind.zone];
  const shapes = new Set(solved.map(({ shape }) => shape));
  const alike = fleet.templates.filter(({ kind: other, node }) => {
    const isAlike = other.pool === kind.pool && other.capacityType === kind.capacityType;
    const has = other.types.types.some(({ name }) => name === typeOf(machine));
    return isAlike && has && [...shapes].every((shape) => engine.allows(shape, node));
  });
  return [...new Set([kind.zone, ...alike.map((template) => template.kind.zone)])].sort();
}

function typeOf({ kind, cheapest }: OpenMachine): string | undefined {
  return kind.types.types[cheapest]?.name;
}

/** What the pod is told of zones depends on where others are. */
function mindsZone({ spread, podAffinity, podAntiAffinity }: PodShape): boolean {
  const near = podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const far = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return (
    [...near, ...far].some(({ topologyKey }) => topologyKey === ZONE_LABEL) ||
    spread.some((c) => c.topologyKey === ZONE_LABEL && c.whenUnsatisfiable === 'DoNotSchedule')
  );
}
