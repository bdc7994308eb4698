/**
 * How nodes would fill themselves at given prices, each with what is worth most there. It finds no
 * prices: prices.ts moves them until all kinds are served alike.
 *
 * All devices of a node share its CPU. Where that is short, CPU has a price of that node's own on
 * top of the cluster's: the one that makes the node's worth lowest, at which what fills it uses
 * just the CPU it has (Lagrange). Prices are told apart in steps, so that nodes mix two of them.
 */
import { Fillings, type Offer, STEP_MILLI, type Usage } from './fillings.ts';
import type { NodeClass, Prices } from './prices.ts';
import { CORE_MILLIS, takesModel } from './request.ts';

/**
 * The CPU of one node may be dearer than the cluster's: so much in milli-GPU a core. A whole GPU
 * with 3 cores, the cheapest usual pod, is outbid at the upper end.
 */
export const SCARCITIES: readonly number[] = [0, ...geometric(0.5, 400, 19)];

/** The offers of the kinds that may run on a model. */
export function offersFor(prices: Prices, model: number): readonly Offer[] {
  return prices.kinds.flatMap((kind, i) => {
    const { devices, milliPerDevice, cpuMillis, models, share } = kind;
    if (devices === 0 || !takesModel(models, model)) return [];
    const steps = Math.ceil(milliPerDevice / STEP_MILLI);
    return [{ kind: i, devices, steps, cpuMillis, share, priceMilli: prices.milli[i] ?? 0 }];
  });
}

/** How the nodes fill themselves, round by round. */
export class Market {
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
      const idleMillis = at === 0 ? Math.max(0, nodes.cpuMillis - used) : 0;
      idleCores += (nodes.nodes * idleMillis) / CORE_MILLIS;
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

function geometric(first: number, last: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first * (last / first) ** (i / (count - 1)));
}
