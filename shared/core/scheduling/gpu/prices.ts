/**
 * What a kind of pod is worth, in milli-GPU, and what CPU is: the prices at which an empty cluster
 * would be filled with all kinds in the proportions in which they arrive.
 *
 * They are the dual prices of a linear programme, "fill the nodes so that as much as possible of the
 * whole demand is served, no kind more than another" (the cutting stock problem of Gilmore and
 * Gomory with two resources and given bins). Such prices say what a room is good for: a pod of
 * 810 costs a whole device when hardly anybody asks for the 190 beside it, and the few that do
 * are worth little, since there is such room in plenty.
 *
 * They are found by offering prices, looking at how the nodes would be filled, lowering those of
 * kinds that are served more than others and raising the rest (multiplicative weights). That takes
 * a fixed number of rounds; the mean of the later ones counts. Same input, same prices.
 */
import { Fillings, type Offer, STEP_MILLI, type Usage } from './fillings.ts';
import { type GpuRequest, gpuMilli, kindKey, type PodKind, takesModel } from './request.ts';

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

/**
 * The CPU of one node may be dearer than the cluster's: so much in milli-GPU a core. A whole GPU
 * with 3 cores, the cheapest usual pod, is outbid at the upper end.
 */
export const SCARCITIES: readonly number[] = [0, ...geometric(0.5, 400, 19)];

/** Classes of nodes are told apart by whole cores, so that they stay few. */
const CORE_MILLIS = 1000;

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

/** The offers of the kinds that may run on a model. */
export function offersFor(prices: Prices, model: number): readonly Offer[] {
  return prices.kinds.flatMap((kind, i) => {
    const { devices, milliPerDevice, cpuMillis, models, share } = kind;
    if (devices === 0 || !takesModel(models, model)) return [];
    const steps = Math.ceil(milliPerDevice / STEP_MILLI);
    return [{ kind: i, devices, steps, cpuMillis, share, priceMilli: prices.milli[i] ?? 0 }];
  });
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

/** How the nodes fill themselves at given prices. */
class Market {
  readonly #classes: readonly NodeClass[];
  /** Where each class had its scarcity last: the next is near. */
  readonly #scarcity: Uint8Array;

  constructor(classes: readonly NodeClass[]) {
    this.#classes = classes;
    this.#scarcity = new Uint8Array(classes.length);
  }

  /** Pods of each kind in all nodes, and the cores that are left at the cluster's price. */
  fill(prices: Prices): { readonly pods: Float64Array; readonly idleCores: number } {
    const fillings = lazily(prices);
    const total: Usage = { pods: new Float64Array(prices.kinds.length), cpuMillis: 0 };
    let idleCores = 0;
    this.#classes.forEach((nodes, i) => {
      const worth = (at: number): number =>
        ((prices.cpuMilli + (SCARCITIES[at] ?? 0)) * nodes.cpuMillis) / CORE_MILLIS +
        (fillings(nodes.model, at).free[nodes.devices] ?? 0);
      const at = lowest(worth, this.#scarcity[i] ?? 0);
      this.#scarcity[i] = at;
      const used = useAt(nodes, at, (scarcity) => fillings(nodes.model, scarcity), total);
      if (at === 0)
        idleCores += Math.max(0, (nodes.nodes * (nodes.cpuMillis - used)) / CORE_MILLIS);
    });
    return { pods: total.pods, idleCores };
  }
}

/** Adds what nodes of the class take; returns the CPU that one of them uses. */
function useAt(
  { devices, cpuMillis, nodes }: NodeClass,
  at: number,
  fillings: (scarcity: number) => Fillings,
  total: Usage,
): number {
  const alone = (scarcity: number): Usage => {
    const usage = { pods: new Float64Array(total.pods.length), cpuMillis: 0 };
    fillings(scarcity).use(devices, 1, usage);
    return usage;
  };
  const here = alone(at);
  const beside = at + (here.cpuMillis > cpuMillis ? 1 : -1);
  const other = beside >= 0 && beside < SCARCITIES.length ? alone(beside) : here;
  const part = mixture(here.cpuMillis, other.cpuMillis, cpuMillis);
  for (let kind = 0; kind < total.pods.length; kind++) {
    const pods = part * (here.pods[kind] ?? 0) + (1 - part) * (other.pods[kind] ?? 0);
    total.pods[kind] = (total.pods[kind] ?? 0) + nodes * pods;
  }
  return part * here.cpuMillis + (1 - part) * other.cpuMillis;
}

/** How much of `here`, with `other` as the rest, comes to the wanted amount, or next to it. */
function mixture(here: number, other: number, wanted: number): number {
  if ((here - wanted) * (other - wanted) < 0) return (wanted - other) / (here - other);
  return Math.abs(other - wanted) < Math.abs(here - wanted) ? 0 : 1;
}

function lazily(prices: Prices): (model: number, scarcity: number) => Fillings {
  const known = new Map<number, Fillings>();
  const offers = new Map<number, readonly Offer[]>();
  return (model, scarcity) => {
    const key = model * SCARCITIES.length + scarcity;
    let fillings = known.get(key);
    if (!fillings) {
      const ofModel = offers.get(model) ?? offersFor(prices, model);
      offers.set(model, ofModel);
      fillings = new Fillings(ofModel, prices.cpuMilli + (SCARCITIES[scarcity] ?? 0));
      known.set(key, fillings);
    }
    return fillings;
  };
}

/** The lowest of a convex function over the scarcities, downhill from a start. */
function lowest(worth: (at: number) => number, start: number): number {
  let at = start;
  let value = worth(at);
  for (const direction of [1, -1]) {
    for (let next = at + direction; next >= 0 && next < SCARCITIES.length; next += direction) {
      const nextValue = worth(next);
      if (nextValue >= value) break;
      at = next;
      value = nextValue;
    }
  }
  return at;
}

function sumOf<T>(items: readonly T[], amount: (item: T, index: number) => number): number {
  return items.reduce((sum, item, i) => sum + amount(item, i), 0);
}

function geometric(first: number, last: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first * (last / first) ** (i / (count - 1)));
}
