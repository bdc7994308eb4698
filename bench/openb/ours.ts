/** The scheduler's own packing (shared/core/scheduling/gpu) as a policy of this benchmark. */
import { Demand } from '../../shared/core/scheduling/gpu/demand.ts';
import type { PlacedRequest } from '../../shared/core/scheduling/gpu/devices.ts';
import { type Judgement, Packing } from '../../shared/core/scheduling/gpu/packing.ts';
import { findPrices, nodeClasses, type Prices } from '../../shared/core/scheduling/gpu/prices.ts';
import type { Placer } from './ledger.ts';
import type { Policy, Run } from './protocol.ts';

/** Prices from the typical pods of the list, which is what FGD is given too. */
export const prices: Policy = ({ accounts, workload }) => {
  const found = findPrices(workload.typical, nodeClasses(workload.cluster.nodes));
  const packing = new Packing(accounts, found);
  return placerOf(() => packing);
};

/** Prices are found again when pods seen have grown by this factor. */
const LEARN_AT_GROWTH = 2;

/** Prices from the pods that have arrived so far, and from nothing else. */
export const pricesLearned: Policy = (run) => {
  const learned = new Learned(run);
  return { ...placerOf(() => learned.packing), arrives: (spec) => learned.arrives(spec) };
};

function placerOf(packing: () => Packing): Placer {
  const judge = (node: number, spec: PlacedRequest): Judgement => {
    const judgement = packing().judge(node, spec);
    if (!judgement) throw new Error(`node ${node} does not fit`);
    return judgement;
  };
  return {
    score: (node, spec) => -judge(node, spec).lossMilli,
    devices: (node, spec) => judge(node, spec).devices,
  };
}

class Learned {
  packing: Packing;
  readonly #run: Run;
  readonly #demand = new Demand();
  #prices: Prices | undefined;
  #nextAt = 1;

  constructor(run: Run) {
    this.#run = run;
    this.packing = new Packing(run.accounts, findPrices([], []));
  }

  arrives(spec: PlacedRequest): boolean {
    this.#demand.count(spec);
    if (this.#demand.seen < this.#nextAt) return false;
    this.#nextAt = this.#demand.seen * LEARN_AT_GROWTH;
    const { accounts, workload } = this.#run;
    const classes = nodeClasses(workload.cluster.nodes);
    this.#prices = findPrices(this.#demand.typical(), classes, this.#prices);
    this.packing = new Packing(accounts, this.#prices);
    return true;
  }
}
