/**
 * Where a pod does the least harm: on the node, and on the devices of it, whose room loses the
 * least of its worth (node-value.ts). The loss is what the room could have given to pods that are
 * still to come.
 *
 * Invariants:
 *  P1 A judgement depends on the pod's request, on that one node and on the prices, so that it can
 *     be kept until one of them changes.
 *  P2 Nothing is left to chance: of equal devices the first is taken. Among equal nodes the caller
 *     takes the first.
 *  P3 Only what fits is judged, and every pod that fits somewhere gets a place.
 */
import { type DeviceAccounts, type DeviceSet, type PlacedRequest } from './devices.ts';
import { NodeValue } from './node-value.ts';
import type { Prices } from './prices.ts';
import { isPartial, MAX_DEVICES } from './request.ts';

export interface Judgement {
  /** What the node's room is worth less once the pod is there, in milli-GPU. Lower is better. */
  readonly lossMilli: number;
  readonly devices: DeviceSet;
}

/** A loss that is half as good as none. Like a GPU's size, so that scores spread over the range. */
const HALF_LOSS_MILLI = 1000;

export class Packing {
  readonly #accounts: DeviceAccounts;
  readonly #value: NodeValue;
  readonly #scratch = new Int16Array(MAX_DEVICES);

  constructor(accounts: DeviceAccounts, prices: Prices) {
    this.#accounts = accounts;
    this.#value = new NodeValue(prices);
  }

  /** Undefined when the pod does not fit on the node. */
  judge(node: number, request: PlacedRequest): Judgement | undefined {
    if (!this.#accounts.fits(node, request)) return undefined;
    const from = node * MAX_DEVICES;
    this.#scratch.set(this.#accounts.milliLeft.subarray(from, from + MAX_DEVICES));
    const cpuLeft = this.#accounts.cpuLeft[node] ?? 0;
    const before = this.#valueOf(node, cpuLeft);
    const after = cpuLeft - request.cpuMillis;
    return isPartial(request)
      ? this.#bestDevice(node, after, request.milliPerDevice, before)
      : this.#wholeDevices(node, after, request, before);
  }

  /** Of the room of a node as it stands. */
  #valueOf(node: number, cpuLeft: number): number {
    const { model, devices } = this.#accounts;
    return this.#value.of(model[node] ?? 0, cpuLeft, this.#scratch, 0, devices[node] ?? 0);
  }

  #wholeDevices(node: number, cpu: number, request: PlacedRequest, before: number): Judgement {
    const devices = this.#accounts.firstDevices(node, request);
    for (let device = 0; device < MAX_DEVICES; device++) {
      if ((devices >>> device) & 1) this.#take(device, request.milliPerDevice);
    }
    return { lossMilli: before - this.#valueOf(node, cpu), devices };
  }

  #bestDevice(node: number, cpu: number, milli: number, before: number): Judgement {
    const count = this.#accounts.devices[node] ?? 0;
    let devices = 0;
    let lossMilli = Infinity;
    for (let device = 0; device < count; device++) {
      if ((this.#scratch[device] ?? 0) < milli || this.#seenBefore(device)) continue;
      this.#take(device, milli);
      const loss = before - this.#valueOf(node, cpu);
      this.#take(device, -milli);
      if (loss < lossMilli) {
        lossMilli = loss;
        devices = 1 << device;
      }
    }
    return { lossMilli, devices };
  }

  /** A device with as much left as an earlier one is no other choice. */
  #seenBefore(device: number): boolean {
    return this.#scratch.indexOf(this.#scratch[device] ?? 0) < device;
  }

  #take(device: number, milli: number): void {
    this.#scratch[device] = (this.#scratch[device] ?? 0) - milli;
  }
}

/** A loss as a score from 0 to 100, more for less; for where scores are added up. */
export function scoreOf(lossMilli: number): number {
  return 100 / (1 + 2 ** (lossMilli / HALF_LOSS_MILLI));
}
