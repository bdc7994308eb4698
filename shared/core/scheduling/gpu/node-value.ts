/**
 * What the room of a node is worth, in milli-GPU: what pods that are still to come could make of
 * its CPU and of what its devices have left. A function of the node's state and of the prices
 * alone.
 *
 * Two parts:
 *  - the best fillings of its devices at the prices, and at that price of CPU on this very node
 *    that makes them worth least (market.ts). Pods that ask for more CPU than is left in all do
 *    not count.
 *  - with a small weight, how many pods of each kind would fit if only that kind came. It knows
 *    that pods are whole where the first part does not, and tells nodes apart between which the
 *    prices are indifferent.
 */
import { WHOLE_GPU_MILLI } from '../../../api/gpus.ts';
import { Fillings, type Offer, STEP_MILLI, STEPS } from './fillings.ts';
import { offersFor, SCARCITIES } from './market.ts';
import type { Prices } from './prices.ts';
import { CORE_MILLIS, isPartial, MAX_DEVICES, takesModel } from './request.ts';

/** Of the second part. Measured on openb: without it, 0.5 to 1 % fewer of the GPUs are used. */
const ROOM_WEIGHT = 0.1;

/**
 * So many amounts of CPU at which other kinds begin to fit are told apart. The tables of one are
 * some 20 KB a model.
 */
const MAX_CPU_LEVELS = 32;

/** A row of a table: a device with 0 to `STEPS` steps left, then 0 to `MAX_DEVICES` free ones. */
const FREE_FROM = STEPS + 1;
const ROW = FREE_FROM + MAX_DEVICES + 1;

/** One kind, as the second part counts it. */
interface Room {
  readonly cpuMillis: number;
  readonly models: number;
  readonly devices: number;
  /** Share × milli-GPU of the pod. */
  readonly worth: number;
  /** How many pods a device has room for, for each number of steps left. */
  readonly perDevice: Uint8Array;
}

export class NodeValue {
  readonly #prices: Prices;
  /** Ascending: the CPU that kinds ask for. */
  readonly #cpuLevels: readonly number[];
  /** By CPU, ascending. */
  readonly #rooms: readonly Room[];
  readonly #tables = new Map<number, Float64Array>();
  readonly #partial = new Uint8Array(MAX_DEVICES);

  constructor(prices: Prices) {
    this.#prices = prices;
    const asked = prices.kinds.filter(({ devices }) => devices > 0);
    this.#cpuLevels = levels(asked.map(({ cpuMillis }) => cpuMillis));
    this.#rooms = asked.map(roomOf).sort((a, b) => a.cpuMillis - b.cpuMillis);
  }

  /** `devices` entries of `milliLeft`, beginning with `from`, are the node's devices. */
  of(model: number, cpuLeft: number, milliLeft: Int16Array, from: number, devices: number): number {
    let free = 0;
    let partials = 0;
    for (let at = from; at < from + devices; at++) {
      const left = milliLeft[at] ?? 0;
      if (left === WHOLE_GPU_MILLI) free++;
      else if (left >= STEP_MILLI) this.#partial[partials++] = Math.floor(left / STEP_MILLI);
    }
    if (free + partials === 0) return 0;
    return (
      this.#best(model, cpuLeft, free, partials) +
      ROOM_WEIGHT * this.#room(model, cpuLeft, free, partials)
    );
  }

  /** The lowest over the scarcities; the sum is convex in them, so that the first dip is it. */
  #best(model: number, cpuLeft: number, free: number, partials: number): number {
    const table = this.#table(model, cpuLeft);
    const partial = this.#partial;
    let best = Infinity;
    for (let at = 0; at < SCARCITIES.length; at++) {
      const row = at * ROW;
      let worth = ((this.#prices.cpuMilli + (SCARCITIES[at] ?? 0)) * cpuLeft) / CORE_MILLIS;
      worth += table[row + FREE_FROM + free] ?? 0;
      for (let i = 0; i < partials; i++) worth += table[row + (partial[i] ?? 0)] ?? 0;
      if (worth >= best) break;
      best = worth;
    }
    return best;
  }

  #room(model: number, cpuLeft: number, free: number, partials: number): number {
    let sum = 0;
    for (const { cpuMillis, models, devices, worth, perDevice } of this.#rooms) {
      if (cpuMillis > cpuLeft) break;
      if (!takesModel(models, model)) continue;
      let pods = devices > 1 ? Math.floor(free / devices) : free * (perDevice[STEPS] ?? 0);
      if (devices === 1) {
        for (let i = 0; i < partials; i++) pods += perDevice[this.#partial[i] ?? 0] ?? 0;
      }
      if (pods * cpuMillis > cpuLeft) pods = Math.floor(cpuLeft / cpuMillis);
      sum += worth * pods;
    }
    return sum;
  }

  #table(model: number, cpuLeft: number): Float64Array {
    let level = 0;
    while (level < this.#cpuLevels.length && (this.#cpuLevels[level] ?? 0) <= cpuLeft) level++;
    const key = model * (MAX_CPU_LEVELS + 1) + level;
    let table = this.#tables.get(key);
    if (!table) {
      const most = level === 0 ? -1 : (this.#cpuLevels[level - 1] ?? 0);
      const offers = offersFor(this.#prices, model).filter(({ cpuMillis }) => cpuMillis <= most);
      table = tableOf(offers, this.#prices.cpuMilli);
      this.#tables.set(key, table);
    }
    return table;
  }
}

function tableOf(offers: readonly Offer[], cpuMilli: number): Float64Array {
  const table = new Float64Array(SCARCITIES.length * ROW);
  SCARCITIES.forEach((scarcity, at) => {
    const { partial, free } = new Fillings(offers, cpuMilli + scarcity);
    table.set(partial, at * ROW);
    table.set(free, at * ROW + FREE_FROM);
  });
  return table;
}

function roomOf(kind: Prices['kinds'][number]): Room {
  const { cpuMillis, models, devices, milliPerDevice, share } = kind;
  const perDevice = Uint8Array.from({ length: STEPS + 1 }, (_, steps) =>
    isPartial(kind) || steps === STEPS ? Math.floor((steps * STEP_MILLI) / milliPerDevice) : 0,
  );
  return { cpuMillis, models, devices, worth: share * devices * milliPerDevice, perDevice };
}

/** The distinct amounts, ascending; when there are too many, evenly chosen ones. */
function levels(amounts: readonly number[]): readonly number[] {
  const distinct = [...new Set(amounts)].sort((a, b) => a - b);
  const every = Math.ceil(distinct.length / MAX_CPU_LEVELS);
  return distinct.filter((_, i) => i % every === 0);
}
