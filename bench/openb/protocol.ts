/**
 * The protocol of the openb benchmark, as the artifact of "Beware of Fragmentation" (Weng et al.,
 * ATC 2023) runs it: pods in random order, cloned at random until they ask for 1.3 times the
 * cluster's GPUs, placed one at a time; nothing ends, and what finds no place is dropped.
 *
 * Invariants:
 *  O1 A pod that fits somewhere is placed. (All policies: they only choose where.)
 *  O2 Equal scores go to the first node in the run's random order.
 *  O3 A seed decides everything: same files, policy and seed, same result.
 */
import { SeededRandom } from '../../adapters/memory/seeded-random.ts';
import {
  DeviceAccounts,
  type DeviceSet,
  type PlacedRequest,
} from '../../shared/core/scheduling/gpu/devices.ts';
import { gpuMilli } from '../../shared/core/scheduling/gpu/request.ts';
import type { Workload } from './workload.ts';

/** What is asked for in the end, as a multiple of the cluster's GPUs. */
export const INFLATION = 1.3;

/** What a policy is given at the start of a run. */
export interface Run {
  readonly workload: Workload;
  readonly accounts: DeviceAccounts;
  /** For the policy's own use. */
  readonly random: SeededRandom;
}

/** A policy at work. `spec` is one of the workload's. */
export interface Placer {
  /** Of a node where the spec fits; more is better. Kept until the node changes. */
  score(node: number, spec: PlacedRequest): number;
  /** Where on the node it goes. */
  devices(node: number, spec: PlacedRequest): DeviceSet;
  /** Told of each pod before it is placed. True when no earlier score holds any more. */
  arrives?(spec: PlacedRequest): boolean;
  /** Chooses instead of the highest score; nodes that don't fit have -Infinity. */
  choose?(scores: Float64Array): number | undefined;
  /** Told where a pod was placed. */
  placed?(node: number, spec: PlacedRequest, on: DeviceSet): void;
  /** No node takes the pod; a last chance to make room. The node where it can go now. */
  refused?(spec: PlacedRequest, ledger: Ledger): number | undefined;
  /** Moves of running pods so far. */
  readonly moves?: number;
}

export type Policy = (run: Run) => Placer;

export interface RunFigures {
  readonly seed: number;
  /** Allocated part of all GPUs in percent, once everything has arrived. */
  readonly allocatedAt130: number;
  /** The same, as the mean of the time in which arrivals are 100 % of the GPUs, rounded. */
  readonly allocatedAt100: number;
  readonly arrived: number;
  readonly placed: number;
  readonly moves: number;
  readonly seconds: number;
}

/** The pods of a run as places in `specs`, in the order in which they arrive. */
export function arrivals({ cluster, specs, pods }: Workload, random: SeededRandom): number[] {
  const order = random.shuffled(Array.from(pods));
  const asked = (pod: number): number => gpuMilli(specs[pod] as PlacedRequest);
  const limit = INFLATION * cluster.gpuMilli;
  let sum = order.reduce((total, pod) => total + asked(pod), 0);
  if (sum > limit) {
    while (sum > limit) sum -= asked(order.splice(random.integer(order.length), 1)[0] as number);
    return order;
  }
  for (;;) {
    const pod = pods[random.integer(pods.length)] as number;
    // The artifact compares without the number of GPUs, and adds with it.
    if (sum + (specs[pod] as PlacedRequest).milliPerDevice > limit) return order;
    sum += asked(pod);
    order.push(pod);
  }
}

export function runPolicy(workload: Workload, policy: Policy, seed: number): RunFigures {
  const random = new SeededRandom(seed);
  const { specs, cluster } = workload;
  const nodes = random.fork('nodes').shuffled(cluster.nodes);
  const order = arrivals(workload, random.fork('pods'));
  const startMs = performance.now();
  const accounts = new DeviceAccounts(nodes);
  const ledger = new Ledger(accounts);
  const placer = policy({ workload, accounts, random: random.fork('policy') });
  const around100 = { sum: 0, count: 0 };
  let askedMilli = 0;
  let usedMilli = 0;
  let placed = 0;
  for (const pod of order) {
    const spec = specs[pod] as PlacedRequest;
    askedMilli += gpuMilli(spec);
    if (ledger.place(placer, spec)) {
      placed++;
      usedMilli += gpuMilli(spec);
    }
    if (Math.round((100 * askedMilli) / cluster.gpuMilli) !== 100) continue;
    around100.sum += usedMilli;
    around100.count++;
  }
  const percent = (milli: number): number => (100 * milli) / cluster.gpuMilli;
  return {
    seed,
    allocatedAt130: percent(usedMilli),
    allocatedAt100: percent(around100.sum / Math.max(1, around100.count)),
    arrived: order.length,
    placed,
    moves: placer.moves ?? 0,
    seconds: (performance.now() - startMs) / 1000,
  };
}

interface Kept {
  readonly scores: Float64Array;
  /** How far the log of changed nodes is worked in. */
  seen: number;
}

/** Places pods, and keeps each spec's scores of all nodes until a node changes. */
export class Ledger {
  readonly accounts: DeviceAccounts;
  readonly #kept = new Map<PlacedRequest, Kept>();
  readonly #changed: number[] = [];

  constructor(accounts: DeviceAccounts) {
    this.accounts = accounts;
  }

  place(placer: Placer, spec: PlacedRequest): boolean {
    if (placer.arrives?.(spec)) this.#kept.clear();
    const scores = this.scores(placer, spec);
    const chosen = placer.choose ? placer.choose(scores) : highest(scores);
    const node = chosen ?? placer.refused?.(spec, this);
    if (node === undefined) return false;
    const on = placer.devices(node, spec);
    this.move(node, spec, on, 1);
    placer.placed?.(node, spec, on);
    return true;
  }

  /** Takes room, or gives it back. */
  move(node: number, spec: PlacedRequest, on: DeviceSet, sign: 1 | -1): void {
    this.accounts.place(node, spec, on, sign);
    this.#changed.push(node);
  }

  /** Of all nodes; -Infinity where the spec does not fit. */
  scores(placer: Placer, spec: PlacedRequest): Float64Array {
    const known = this.#kept.get(spec);
    const { size } = this.accounts;
    const kept = known ?? { scores: new Float64Array(size), seen: 0 };
    const judge = (node: number): void => {
      const fits = this.accounts.fits(node, spec);
      kept.scores[node] = fits ? placer.score(node, spec) : -Infinity;
    };
    if (known) for (let i = kept.seen; i < this.#changed.length; i++) judge(this.#changed[i] ?? 0);
    else for (let node = 0; node < size; node++) judge(node);
    kept.seen = this.#changed.length;
    this.#kept.set(spec, kept);
    return kept.scores;
  }
}

/** The first of the highest; undefined when all are -Infinity. */
export function highest(scores: Float64Array): number | undefined {
  let best: number | undefined;
  let bestScore = -Infinity;
  for (let node = 0; node < scores.length; node++) {
    const score = scores[node] ?? -Infinity;
    if (score <= bestScore) continue;
    best = node;
    bestScore = score;
  }
  return best;
}
