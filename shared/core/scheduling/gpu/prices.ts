/**
 * What a kind of pod is worth, in milli-GPU, and what CPU is: the prices at which an empty cluster
 * would be filled with all kinds in the proportions in which they arrive.
 *
 * They are the dual prices of a linear programme, "fill the nodes so that as much as possible of
 * the whole demand is served, no kind more than another" (the cutting stock problem of Gilmore and
 * Gomory with two resources and given bins). Such prices say what a room is good for: a pod of
 * 810 costs a whole device when hardly anybody asks for the 190 beside it, and the few that do
 * are worth little, since there is such room in plenty.
 *
 * They are found by offering prices, looking at how the nodes would be filled, lowering those of
 * kinds that are served more than others and raising the rest (multiplicative weights). That takes
 * a fixed number of rounds; the mean of the later ones counts.
 *
 * Invariants:
 *  P4 Prices are at least 0, and at most `MOST_PRICE` times what the pod asks for.
 *  P5 Same demand, classes and earlier prices: same prices. What fits no node has none.
 */
import { Market } from './market.ts';
import {
  CORE_MILLIS,
  type GpuRequest,
  gpuMilli,
  kindKey,
  type PodKind,
  takesModel,
} from './request.ts';

/** Nodes that are alike when empty. */
export interface NodeClass {
  readonly model: number;
  readonly devices: number;
  readonly cpuMillis: number;
  readonly nodes: number;
}

export interface Prices {
  readonly kinds: readonly PodKind[];
  /** For each kind, in milli-GPU; 0 for pods without a GPU. */
  readonly milli: Float64Array;
  /** Of a core that no GPU needs, in milli-GPU. */
  readonly cpuMilli: number;
}

const COLD_ROUNDS = 300;
/** From prices that were right a while ago. */
const WARM_ROUNDS = 60;
/** The step that a warm start goes on with: as if so many rounds were done. */
const WARM_AT = 60;
const FIRST_STEP = 0.5;
const STEP_FADES_IN = 10;

/**
 * CPU is never free: what is idle now may be asked for beside a GPU later. Of a core, in milli-GPU;
 * between nothing and 2 it makes little difference.
 */
const LEAST_CPU_PRICE = 1;
const LEAST_PRICE = 1e-3;
/** Of a pod, in units of what it asks for: a bound, so that nothing grows for ever. */
const MOST_PRICE = 4;

/** Classes are told apart by whole cores, so that they stay few. Nodes without GPUs are in none. */
export function nodeClasses(
  nodes: readonly { model: number; devices: number; cpuMillis: number }[],
): readonly NodeClass[] {
  const classes = new Map<string, NodeClass>();
  for (const { model, devices, cpuMillis: exact } of nodes) {
    if (devices === 0) continue;
    const cpuMillis = Math.floor(exact / CORE_MILLIS) * CORE_MILLIS;
    const key = `${model}/${devices}/${cpuMillis}`;
    const count = (classes.get(key)?.nodes ?? 0) + 1;
    classes.set(key, { model, devices, cpuMillis, nodes: count });
  }
  return [...classes.values()];
}

/**
 * Prices for the demand on the nodes. With `before`, from which the demand differs a little, it
 * takes a fifth of the time.
 */
export function findPrices(
  demand: readonly PodKind[],
  classes: readonly NodeClass[],
  before?: Prices,
): Prices {
  const kinds = demand.filter((kind) => classes.some((nodes) => fitsEmpty(kind, nodes)));
  if (!kinds.some(({ devices }) => devices > 0)) {
    return { kinds, milli: new Float64Array(kinds.length), cpuMilli: LEAST_CPU_PRICE };
  }
  const search = new Search(kinds, classes, before);
  const rounds = before ? WARM_ROUNDS : COLD_ROUNDS;
  for (let round = 0; round < rounds; round++) {
    search.improve(round + (before ? WARM_AT : 0), round >= rounds / 2);
  }
  return search.mean();
}

function fitsEmpty({ devices, cpuMillis, models }: GpuRequest, nodes: NodeClass): boolean {
  return (
    devices <= nodes.devices && cpuMillis <= nodes.cpuMillis && takesModel(models, nodes.model)
  );
}

class Search {
  readonly #kinds: readonly PodKind[];
  readonly #market: Market;
  readonly #milli: Float64Array;
  #cpuMilli = LEAST_CPU_PRICE;
  /** What pods without GPUs ask of CPU, in cores a pod that arrives. */
  readonly #coresWanted: number;
  /** Σ share × price stays what it is when each pod's price is what it asks for. */
  readonly #budget: number;
  readonly #sums: Float64Array;
  #cpuSum = 0;
  #summed = 0;

  constructor(kinds: readonly PodKind[], classes: readonly NodeClass[], before?: Prices) {
    this.#kinds = kinds;
    this.#market = new Market(classes);
    this.#milli = Float64Array.from(kinds, gpuMilli);
    this.#sums = new Float64Array(kinds.length);
    this.#coresWanted = sumOf(kinds, (kind) =>
      kind.devices === 0 ? (kind.share * kind.cpuMillis) / CORE_MILLIS : 0,
    );
    this.#budget = sumOf(kinds, (kind) => kind.share * gpuMilli(kind));
    if (before) this.#startFrom(before);
  }

  #startFrom(before: Prices): void {
    const known = new Map(before.kinds.map((kind, i) => [kindKey(kind), before.milli[i] ?? 0]));
    this.#kinds.forEach((kind, i) => {
      this.#milli[i] = known.get(kindKey(kind)) ?? gpuMilli(kind);
    });
    this.#cpuMilli = before.cpuMilli;
  }

  /** One round: offers the prices, and moves them against what is served. */
  improve(round: number, counts: boolean): void {
    const { pods, idleCores } = this.#market.fill(this.#prices());
    const step = FIRST_STEP / Math.sqrt(1 + round / STEP_FADES_IN);
    const served = this.#meanServed(pods, idleCores);
    this.#kinds.forEach((kind, i) => {
      if (kind.devices === 0) return;
      const price = this.#milli[i] ?? 0;
      this.#milli[i] = price * moved((pods[i] ?? 0) / kind.share, served, step);
    });
    if (this.#coresWanted > 0) {
      this.#cpuMilli *= moved(idleCores / this.#coresWanted, served, step);
    }
    this.#scale();
    if (counts) this.#remember();
  }

  mean(): Prices {
    const milli = this.#sums.map((sum) => sum / this.#summed);
    const cpuMilli = Math.max(LEAST_CPU_PRICE, this.#cpuSum / this.#summed);
    return { kinds: this.#kinds, milli, cpuMilli };
  }

  #prices(): Prices {
    return { kinds: this.#kinds, milli: this.#milli, cpuMilli: this.#cpuMilli };
  }

  /** Pods served for each that arrives, over all kinds by what they are worth. */
  #meanServed(pods: Float64Array, idleCores: number): number {
    let worth = this.#cpuMilli * (this.#coresWanted > 0 ? idleCores : 0);
    let wanted = this.#cpuMilli * this.#coresWanted;
    this.#kinds.forEach(({ share }, i) => {
      worth += (this.#milli[i] ?? 0) * (pods[i] ?? 0);
      wanted += (this.#milli[i] ?? 0) * share;
    });
    return worth / wanted;
  }

  #scale(): void {
    const worth = sumOf(this.#kinds, ({ share }, i) => share * (this.#milli[i] ?? 0));
    const factor = this.#budget / (worth + this.#cpuMilli * this.#coresWanted);
    this.#kinds.forEach((kind, i) => {
      if (kind.devices === 0) return;
      const price = (this.#milli[i] ?? 0) * factor;
      this.#milli[i] = Math.min(MOST_PRICE * gpuMilli(kind), Math.max(LEAST_PRICE, price));
    });
    if (this.#coresWanted > 0) this.#cpuMilli = Math.max(LEAST_PRICE, this.#cpuMilli * factor);
  }

  #remember(): void {
    this.#milli.forEach((price, i) => {
      this.#sums[i] = (this.#sums[i] ?? 0) + price;
    });
    this.#cpuSum += this.#cpuMilli;
    this.#summed++;
  }
}

/** The factor of a price whose kind is served so much, where the mean is another. */
function moved(served: number, mean: number, step: number): number {
  const excess = mean > 0 ? served / mean - 1 : 0;
  return Math.exp(-step * Math.min(1, Math.max(-1, excess)));
}

function sumOf<T>(items: readonly T[], amount: (item: T, index: number) => number): number {
  return items.reduce((sum, item, i) => sum + amount(item, i), 0);
}
