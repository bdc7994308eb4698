/**
 * The ways to fill up devices with pods that are still to come, at given prices: what a device with
 * so much left is worth, and what a number of free devices is.
 *
 * A filling is worth the prices of its pods less the CPU they take. All fillings of a device are
 * summed, each with the weight exp(worth / SOFTNESS) × the shares of its pods: the logarithm of
 * the sum is near to the best filling's worth, and a little more the more fillings there are.
 * Without that softness a room that only one rare pod can use would be worth as much as one that
 * many can, and prices would jump.
 */
import { WHOLE_GPU_MILLI } from '../../../api/gpus.ts';
import { CORE_MILLIS, MAX_DEVICES } from './request.ts';

/** Devices are looked at in steps of 10 milli: requests are rounded up to them, room down. */
export const STEP_MILLI = 10;
export const STEPS = WHOLE_GPU_MILLI / STEP_MILLI;

/**
 * In milli-GPU. Measured on the workloads of the openb family: 12 to 35 do about the same; at 60
 * and above room is wasted, below 10 prices no longer settle.
 */
export const SOFTNESS_MILLI = 20;

/**
 * A pod counts for no more than so much of each step it takes: eight times a whole device, which no
 * price of a real demand comes near. The weights of all fillings of a device, 10^175 at most, can
 * then be summed.
 */
const MOST_PER_STEP_MILLI = (8 * WHOLE_GPU_MILLI) / STEPS;

/** A kind of pod with its price, as the tables need it. */
export interface Offer {
  /** Its place in the list of kinds. */
  readonly kind: number;
  readonly devices: number;
  /** Of one device, in steps. */
  readonly steps: number;
  readonly cpuMillis: number;
  readonly share: number;
  readonly priceMilli: number;
}

/** How much of each kind is in fillings, and the CPU of it. */
export interface Usage {
  readonly pods: Float64Array;
  cpuMillis: number;
}

export class Fillings {
  /** For each number of steps that are left of a device, in milli-GPU. */
  readonly partial = new Float64Array(STEPS + 1);
  /** For each number of devices that nobody uses, in milli-GPU. */
  readonly free = new Float64Array(MAX_DEVICES + 1);
  readonly #sums = new Float64Array(STEPS + 1);
  readonly #singles: readonly Offer[];
  readonly #multiples: readonly Offer[];
  /** exp of what a pod is worth here, for each of the singles. */
  readonly #weights: Float64Array;
  /** What a pod is worth here, for each of the multiples. */
  readonly #worths: readonly number[];

  /** `cpuPriceMilli` is that of a core. */
  constructor(offers: readonly Offer[], cpuPriceMilli: number) {
    const worth = ({ share, priceMilli, cpuMillis, steps, devices }: Offer): number => {
      const counted = Math.min(priceMilli, MOST_PER_STEP_MILLI * steps * devices);
      return counted - (cpuPriceMilli * cpuMillis) / CORE_MILLIS + SOFTNESS_MILLI * Math.log(share);
    };
    this.#singles = offers.filter(({ devices }) => devices === 1);
    this.#multiples = offers.filter(({ devices }) => devices > 1);
    this.#weights = Float64Array.from(this.#singles, (o) => Math.exp(worth(o) / SOFTNESS_MILLI));
    this.#worths = this.#multiples.map(worth);
    this.#fillPartial();
    this.#fillFree();
  }

  /** Adds the pods of the fillings of one node with so many free devices. */
  use(freeDevices: number, times: number, usage: Usage): void {
    const devices = this.#useFree(freeDevices, times, usage);
    const left = new Float64Array(STEPS + 1);
    left[STEPS] = devices;
    for (let steps = STEPS; steps > 0; steps--) {
      const here = left[steps] ?? 0;
      if (here === 0) continue;
      const sum = this.#sums[steps] ?? 1;
      this.#singles.forEach((offer, i) => {
        if (offer.steps > steps) return;
        const after = steps - offer.steps;
        const pods = (here * (this.#weights[i] ?? 0) * (this.#sums[after] ?? 1)) / sum;
        left[after] = (left[after] ?? 0) + pods;
        count(usage, offer, pods);
      });
    }
  }

  #fillPartial(): void {
    const sums = this.#sums.fill(1);
    const steps = Uint8Array.from(this.#singles, (offer) => offer.steps);
    for (let at = 1; at <= STEPS; at++) {
      let sum = 1;
      for (let i = 0; i < steps.length; i++) {
        const after = at - (steps[i] ?? 0);
        if (after >= 0) sum += (this.#weights[i] ?? 0) * (sums[after] ?? 0);
      }
      sums[at] = sum;
      this.partial[at] = SOFTNESS_MILLI * Math.log(sum);
    }
  }

  #fillFree(): void {
    for (let devices = 1; devices <= MAX_DEVICES; devices++) {
      this.free[devices] = softMax(this.#choices(devices).map(({ worth }) => worth));
    }
  }

  /** What can be done next with free devices: fill one up, or give some to a pod. */
  #choices(devices: number): { readonly worth: number; readonly offer?: Offer }[] {
    const whole = this.partial[STEPS] ?? 0;
    const free = (left: number): number => this.free[left] ?? 0;
    return [
      { worth: free(devices - 1) + whole },
      ...this.#multiples.flatMap((offer, i) =>
        offer.devices <= devices
          ? [{ worth: free(devices - offer.devices) + (this.#worths[i] ?? 0), offer }]
          : [],
      ),
    ];
  }

  /** Returns how many devices are filled up one by one. */
  #useFree(freeDevices: number, times: number, usage: Usage): number {
    const left = new Float64Array(freeDevices + 1);
    left[freeDevices] = times;
    let filled = 0;
    for (let devices = freeDevices; devices > 0; devices--) {
      const here = left[devices] ?? 0;
      if (here === 0) continue;
      for (const { worth, offer } of this.#choices(devices)) {
        const chosen = here * Math.exp((worth - (this.free[devices] ?? 0)) / SOFTNESS_MILLI);
        const after = devices - (offer?.devices ?? 1);
        left[after] = (left[after] ?? 0) + chosen;
        if (offer) count(usage, offer, chosen);
        else filled += chosen;
      }
    }
    return filled;
  }
}

function count(usage: Usage, { kind, cpuMillis }: Offer, pods: number): void {
  usage.pods[kind] = (usage.pods[kind] ?? 0) + pods;
  usage.cpuMillis += pods * cpuMillis;
}

/** A little more than the largest: SOFTNESS × log of the sum of exp(value / SOFTNESS). */
function softMax(values: readonly number[]): number {
  const largest = Math.max(...values);
  let sum = 0;
  for (const value of values) sum += Math.exp((value - largest) / SOFTNESS_MILLI);
  return largest + SOFTNESS_MILLI * Math.log(sum);
}
