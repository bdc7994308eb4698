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
import { DeviceAccounts, type PlacedRequest } from '../../shared/core/scheduling/gpu/devices.ts';
import { gpuMilli } from '../../shared/core/scheduling/gpu/request.ts';
import { InputError } from './csv.ts';
import { Ledger, type Placer } from './ledger.ts';
import type { Workload } from './workload.ts';

/** What is asked for in the end, as a multiple of the cluster's GPUs. */
export const INFLATION = 1.3;

/** A hundred times what the trace comes to: a list of which hardly any pod asks for GPUs. */
const MAX_ARRIVALS = 1_000_000;

/** What a policy is given at the start of a run. */
export interface Run {
  readonly workload: Workload;
  readonly accounts: DeviceAccounts;
  /** For the policy's own use. */
  readonly random: SeededRandom;
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
export function arrivals({ name, cluster, specs, pods }: Workload, random: SeededRandom): number[] {
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
    if (order.length >= MAX_ARRIVALS) {
      throw new InputError(`${name}: ${MAX_ARRIVALS} pods ask for too few GPUs`);
    }
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
  const meter = new Meter(cluster.gpuMilli);
  for (const pod of order) {
    const spec = specs[pod] as PlacedRequest;
    meter.count(gpuMilli(spec), ledger.place(placer, spec));
  }
  const seconds = (performance.now() - startMs) / 1000;
  return { seed, ...meter.figures(), moves: placer.moves ?? 0, seconds };
}

/** How much is allocated, in percent of all GPUs, as pods arrive. */
class Meter {
  readonly #gpuMilli: number;
  #askedMilli = 0;
  #usedMilli = 0;
  #arrived = 0;
  #placed = 0;
  readonly #around100 = { sum: 0, count: 0 };

  constructor(gpuMilli: number) {
    this.#gpuMilli = gpuMilli;
  }

  count(milli: number, isPlaced: boolean): void {
    this.#arrived++;
    this.#askedMilli += milli;
    if (isPlaced) {
      this.#placed++;
      this.#usedMilli += milli;
    }
    if (Math.round(this.#percent(this.#askedMilli)) !== 100) return;
    this.#around100.sum += this.#usedMilli;
    this.#around100.count++;
  }

  figures(): Pick<RunFigures, 'allocatedAt130' | 'allocatedAt100' | 'arrived' | 'placed'> {
    const { sum, count } = this.#around100;
    return {
      allocatedAt130: this.#percent(this.#usedMilli),
      allocatedAt100: this.#percent(sum / Math.max(1, count)),
      arrived: this.#arrived,
      placed: this.#placed,
    };
  }

  #percent(milli: number): number {
    return (100 * milli) / this.#gpuMilli;
  }
}
