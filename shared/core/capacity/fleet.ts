/**
 * Machines that could be launched, as nodes of a scheduling pass. A template stands for a new one
 * of its kind (pool, zone, capacity type); an open machine is one that pods were placed on, and
 * whose type is decided last: it is the cheapest that has room for them all. Owns which types are
 * left to a machine, what it costs, and the limits of pools; rules of placement are those of all
 * nodes.
 *
 * Invariants:
 *  F1 Every open machine has a type that has room for its pods and that all of them accept.
 *  F2 The types that open machines cost by stay within the limits of their pools.
 *  F3 A template is never placed on; it is opened first.
 */
import { GPU } from '../../api/gpus.ts';
import type { Taint } from '../../api/kinds/affinity.ts';
import type { CapacityType } from '../../api/instance.ts';
import type { Labels } from '../../api/meta.ts';
import { allows } from '../../api/requirement.ts';
import type { Requests } from '../pod/requests.ts';
import type { Cluster, Column } from '../scheduling/cluster.ts';
import { MAX_SCORE } from '../scheduling/framework.ts';
import type { SpecShape } from '../scheduling/shape.ts';
import { type Demand, lowestUsdPerHour } from './bound.ts';
import { type AskedGpus, gpuNeeds } from './gpu-needs.ts';
import { podAlternatives, type Requirements } from './requirements.ts';
import { templateNode } from './template-node.ts';
import { Aligned } from './aligned.ts';
import { bothMasks, type Mask, Needs, type TypeList } from './type-list.ts';

/** Where machines come from, as far as a solve is concerned. */
export interface Pool {
  readonly name: string;
  /** Pools of higher weight are used up first. */
  readonly weight: number;
  readonly labels: Labels;
  readonly taints: readonly Taint[];
  /** How much more may be launched, by resource; no limit where absent. */
  readonly left: Requests;
}

/** A way in which a machine may be launched: all but its type. */
export interface Kind {
  readonly pool: Pool;
  readonly zone: string;
  readonly capacityType: CapacityType;
  readonly types: TypeList;
}

export interface OpenMachine {
  readonly kind: Kind;
  /** Its node in the pass. */
  readonly node: number;
  readonly isTemplate: boolean;
  /** How many pods of each shape are on it. */
  readonly specs: Map<SpecShape, number>;
  /** Some of its pods ask for GPUs. */
  asksGpus: boolean;
  /** The types that all of its pods accept. */
  mask: Mask;
  /** The index of the cheapest type that has room; -1 while there are no pods. */
  cheapest: number;
}

export interface FleetOptions {
  /** What a machine costs for being one more, in $/h: it boots, it pulls images, it is a target. */
  readonly machineUsdPerHour: number;
}

/** A dollar an hour is half of what the score has to tell by. */
const HALF_SCORE_USD = 1;
/** Decides between machines that cost the same. */
const TIGHTNESS = 1e-4;
/** More than any machine costs: a pool of lower weight is used when the others can't be. */
const POOL_STEP_USD = 1_000;

export class Fleet {
  /**
   * What a pod is charged that makes a machine grow: the difference of prices, or nothing, so that
   * machines are filled up to the largest type.
   */
  growth: 'charged' | 'free' = 'charged';
  readonly #kinds: readonly Kind[];
  readonly #options: FleetOptions;
  readonly #machines = new Map<number, OpenMachine>();
  readonly #templates: OpenMachine[] = [];
  readonly #masks = new Map<SpecShape, Map<Kind, Mask>>();
  readonly #used = new Map<Pool, Map<string, number>>();
  readonly #ranks: ReadonlyMap<Pool, number>;
  readonly #needs = new Needs();
  readonly #aligned = new Aligned();
  #cluster: Cluster | undefined;
  #opened = 0;
  /** The last answer of `#fit`: filter and score ask one after the other. */
  #last: { machine: OpenMachine; spec: SpecShape; at: number; index: number } | undefined;

  constructor(kinds: readonly Kind[], options: FleetOptions) {
    this.#kinds = kinds;
    this.#options = options;
    const weights = [...new Set(kinds.map(({ pool }) => pool.weight))].sort((a, b) => b - a);
    this.#ranks = new Map(kinds.map(({ pool }) => [pool, weights.indexOf(pool.weight)]));
  }

  /** Its machines are going to be nodes of this cluster. */
  join(cluster: Cluster): void {
    this.#cluster = cluster;
  }

  /** Whether the node is none of its machines, or one that may have a pod of the shape. */
  allows(node: number, spec: SpecShape): boolean {
    const machine = this.#machines.get(node);
    return machine === undefined || this.#fit(machine, spec) >= 0;
  }

  /** What a pod of the shape costs there, as a score: 0 on nodes that are there anyway. */
  score(node: number, spec: SpecShape): number {
    const machine = this.#machines.get(node);
    if (!machine) return 0;
    const usd = this.#charge(machine, spec);
    const cost = usd / (usd + HALF_SCORE_USD);
    return -MAX_SCORE * (cost + TIGHTNESS * this.#looseness(machine, spec));
  }

  /** A pod of the shape has come to the node, or left it. */
  note(node: number, spec: SpecShape, sign: 1 | -1): void {
    const machine = this.#machines.get(node);
    if (machine) this.#joined(machine, spec, sign);
  }

  /** Offers new machines to the pass from now on. */
  offerTemplates(): void {
    for (const kind of this.#kinds) this.#add(kind, true);
  }

  machineAt(node: number): OpenMachine | undefined {
    return this.#machines.get(node);
  }

  get templates(): readonly OpenMachine[] {
    return this.#templates;
  }

  /** The machines that have pods, in the order in which they were opened. */
  get opened(): readonly OpenMachine[] {
    return [...this.#machines.values()].filter(({ cheapest }) => cheapest >= 0);
  }

  /** A new machine of the template's kind. */
  open({ kind }: OpenMachine): OpenMachine {
    return this.#add(kind, false);
  }

  /** What the machine costs, in $/h. */
  priceOf({ kind, cheapest }: OpenMachine): number {
    return cheapest < 0 ? 0 : (kind.types.prices[cheapest] ?? 0);
  }

  /** Its price, and what it counts for being one more. */
  costOf(machine: OpenMachine): number {
    return this.priceOf(machine) + this.#options.machineUsdPerHour;
  }

  /** All open machines. */
  get costUsdPerHour(): number {
    return this.opened.reduce((sum, machine) => sum + this.costOf(machine), 0);
  }

  /** No set of machines that meets the demand costs less. */
  lowestUsdPerHour(demand: Demand): number {
    const lists = this.#kinds.map(({ types }) => types);
    return lowestUsdPerHour(lists, demand, this.#options.machineUsdPerHour);
  }

  /** What an hour costs more when a pod of the shape comes too; undefined when it can't. */
  growthOf(machine: OpenMachine, spec: SpecShape): number | undefined {
    const index = this.#fit(machine, spec);
    if (index < 0) return undefined;
    return (machine.kind.types.prices[index] ?? 0) - this.priceOf(machine);
  }

  /** What the machine would cost without one pod of the shape. */
  priceWithout(machine: OpenMachine, spec: SpecShape): number {
    const { types } = machine.kind;
    this.#gatherNeeds(machine, spec, -1);
    const index = types.cheapest(this.#needs, machine.mask);
    return index < 0 ? 0 : (types.prices[index] ?? 0);
  }

  #add(kind: Kind, isTemplate: boolean): OpenMachine {
    const cluster = this.#started();
    const name = `${kind.pool.name}-${isTemplate ? 'template' : 'open'}-${this.#opened++}`;
    const node = cluster.add(templateNode(kind, name), { isOpen: true });
    const machine: OpenMachine = {
      ...{ kind, node, isTemplate, specs: new Map<SpecShape, number>() },
      ...{ asksGpus: false, mask: undefined, cheapest: -1 },
    };
    this.#machines.set(node, machine);
    if (isTemplate) this.#templates.push(machine);
    return machine;
  }

  #started(): Cluster {
    if (!this.#cluster) throw new RangeError('F3: machines belong to a pass that has begun');
    return this.#cluster;
  }

  #charge(machine: OpenMachine, spec: SpecShape): number {
    const growth = this.growthOf(machine, spec) ?? 0;
    if (!machine.isTemplate) return this.growth === 'free' ? 0 : growth;
    const rank = this.#ranks.get(machine.kind.pool) ?? 0;
    return growth + this.#options.machineUsdPerHour + rank * POOL_STEP_USD;
  }

  /** The share of the machine that would be left over, a mean over what its pods ask for. */
  #looseness(machine: OpenMachine, spec: SpecShape): number {
    const index = this.#fit(machine, spec);
    const { rooms, amounts, count } = this.#needs;
    let left = 0;
    for (let i = 0; i < count; i++) {
      const room = rooms[i]?.[index] ?? 1;
      left += (room - (amounts[i] ?? 0)) / room;
    }
    return count === 0 ? 0 : left / count;
  }

  #joined(machine: OpenMachine, spec: SpecShape, sign: 1 | -1): void {
    const { specs, kind } = machine;
    const count = (specs.get(spec) ?? 0) + sign;
    if (count > 0) specs.set(spec, count);
    else specs.delete(spec);
    machine.asksGpus = false;
    machine.mask = undefined;
    for (const one of specs.keys()) {
      machine.asksGpus ||= one.gpus !== undefined;
      machine.mask = bothMasks(machine.mask, this.#maskOf(kind, one));
    }
    this.#gatherNeeds(machine, undefined);
    const from = sign > 0 ? Math.max(0, machine.cheapest) : 0;
    let cheapest = specs.size === 0 ? -1 : kind.types.cheapest(this.#needs, machine.mask, from);
    while (sign > 0 && cheapest >= 0 && !this.#isWithinLimits(machine, cheapest)) {
      cheapest = kind.types.cheapest(this.#needs, machine.mask, cheapest + 1);
    }
    if (cheapest !== machine.cheapest) this.#renewPool(kind.pool);
    this.#count(machine, -1);
    machine.cheapest = cheapest;
    this.#count(machine, 1);
    this.#last = undefined;
  }

  /** Verdicts are kept: those of the pool's other machines, when one takes of its limits. */
  #renewPool(pool: Pool): void {
    if (Object.keys(pool.left).length === 0) return;
    const cluster = this.#started();
    for (const { kind, node } of this.#machines.values()) {
      if (kind.pool === pool) cluster.changed(node);
    }
  }

  /** The index of the cheapest type that also has room for a pod of the shape; -1 for none. */
  #fit(machine: OpenMachine, spec: SpecShape): number {
    const at = this.#started().log.length;
    const last = this.#last;
    if (last?.machine === machine && last.spec === spec && last.at === at) return last.index;
    const { types } = machine.kind;
    const own = this.#maskOf(machine.kind, spec);
    const mask = bothMasks(machine.mask, own);
    this.#gatherNeeds(machine, spec);
    let index = types.cheapest(this.#needs, mask, Math.max(0, machine.cheapest));
    while (index >= 0 && !this.#isWithinLimits(machine, index)) {
      index = types.cheapest(this.#needs, mask, index + 1);
    }
    this.#last = { machine, spec, at, index };
    return index;
  }

  /** What the machine's pods take, and one more of the shape. */
  #gatherNeeds(
    { node, kind, specs, asksGpus }: OpenMachine,
    spec: SpecShape | undefined,
    sign = 1,
  ): void {
    this.#needs.clear();
    const { columns } = this.#started();
    const rooms = this.#aligned.roomsOf(kind.types, columns);
    const more = spec && this.#aligned.amountsOf(spec, columns);
    for (let i = 0; i < columns.length; i++) {
      const used = (columns[i] as Column).usedAt(node);
      const amount = more ? used + sign * (more[i] as number) : used;
      if (amount > 0) this.#needs.add(rooms[i] as Float64Array, amount);
    }
    if (asksGpus || spec?.gpus) this.#gatherGpuNeeds(specs, kind, spec, sign);
  }

  /** Devices, where some pods ask for GPUs: more than the sums say. */
  #gatherGpuNeeds(
    specs: OpenMachine['specs'],
    { types }: Kind,
    spec: SpecShape | undefined,
    sign: number,
  ): void {
    const asked = askedGpus(specs, spec, sign);
    const { devices, memoryMiB } = gpuNeeds(asked);
    if (devices > 0) this.#needs.add(types.room(GPU), devices);
    if (memoryMiB > 0) this.#needs.add(types.gpuMemory, memoryMiB);
  }

  #isWithinLimits({ kind, cheapest }: OpenMachine, index: number): boolean {
    const { pool, types } = kind;
    const [before, after] = [types.types[cheapest]?.capacity, types.types[index]?.capacity];
    for (const resource in pool.left) {
      const used = this.#used.get(pool)?.get(resource) ?? 0;
      const growth = (after?.[resource] ?? 0) - (before?.[resource] ?? 0);
      if (used + growth > (pool.left[resource] ?? 0)) return false;
    }
    return true;
  }

  /** Keeps what open machines take of their pool's limits. */
  #count({ kind, cheapest }: OpenMachine, sign: 1 | -1): void {
    const capacity = kind.types.types[cheapest]?.capacity;
    if (!capacity) return;
    const used = this.#used.get(kind.pool) ?? new Map<string, number>();
    this.#used.set(kind.pool, used);
    for (const resource in kind.pool.left) {
      used.set(resource, (used.get(resource) ?? 0) + sign * (capacity[resource] ?? 0));
    }
  }

  /** The types of the kind that a pod of the shape accepts by their labels. */
  #maskOf(kind: Kind, spec: SpecShape): Mask {
    if (!spec.nodeSelector && !spec.nodeAffinity) return undefined;
    const ofSpec = this.#masks.get(spec) ?? new Map<Kind, Mask>();
    this.#masks.set(spec, ofSpec);
    if (!ofSpec.has(kind)) ofSpec.set(kind, maskOf(kind, spec));
    return ofSpec.get(kind);
  }
}

/** What is asked of GPUs on a machine, with one pod more or less of a shape. */
export function askedGpus(
  specs: OpenMachine['specs'],
  spec?: SpecShape,
  sign = 1,
): readonly AskedGpus[] {
  const asked: AskedGpus[] = [];
  for (const [one, count] of specs) {
    const pods = count + (one === spec ? sign : 0);
    if (one.gpus && pods > 0) asked.push({ ask: one.gpus, pods });
  }
  if (spec?.gpus && sign > 0 && !specs.has(spec)) asked.push({ ask: spec.gpus, pods: 1 });
  return asked;
}

/** For people, of a node that stands for machines. */
export const NO_TYPE = 'machine(s) of the pool have no type that fits';

function maskOf(kind: Kind, { nodeSelector, nodeAffinity }: SpecShape): Mask {
  const affinity = nodeAffinity ? { nodeAffinity } : undefined;
  const wishes = podAlternatives({
    ...(nodeSelector ? { nodeSelector } : {}),
    ...(affinity ? { affinity } : {}),
  });
  const common = templateNode(kind, '').metadata.labels ?? {};
  const mask = Uint8Array.from(kind.types.types, ({ labels }) =>
    wishes.some((wish) => meets(wish, labels, common)) ? 1 : 0,
  );
  return mask.includes(0) ? mask : undefined;
}

function meets(wish: Requirements, own: Labels, common: Labels): boolean {
  for (const [key, requirement] of wish) {
    const value = Object.hasOwn(own, key) ? own[key] : common[key];
    if (!allows(requirement, value)) return false;
  }
  return true;
}
