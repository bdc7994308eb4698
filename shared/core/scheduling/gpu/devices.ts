/**
 * The accounts of nodes with GPUs, as columns of numbers: what is left of CPU, of memory and of
 * each device, and which devices can serve a pod. It chooses among equals only; what is better is
 * packing.ts.
 *
 * Invariants:
 *  G1 A device has between 0 and 1,000 milli left: what would break that is refused, whole.
 *  G2 Devices beyond a node's count have 0 left.
 *  G3 What is placed and given back leaves the accounts as they were.
 *
 * CPU, memory and pods may fall below 0: a node's own pods were there before its accounts.
 */
import { WHOLE_GPU_MILLI } from '../../../api/gpus.ts';
import { type GpuRequest, MAX_DEVICES, takesModel } from './request.ts';

/** What a node offers. CPU in millicores; memory in any unit, the same everywhere. */
export interface GpuNode {
  readonly model: number;
  readonly devices: number;
  readonly cpuMillis: number;
  readonly memory: number;
  /** So many pods at a time; no limit when it is left out. */
  readonly pods?: number;
}

export interface PlacedRequest extends GpuRequest {
  readonly memory: number;
}

/** Devices as bits: bit 0 is the node's first. */
export type DeviceSet = number;

export class DeviceAccounts {
  readonly size: number;
  readonly model: Uint8Array;
  readonly devices: Uint8Array;
  readonly cpuLeft: Float64Array;
  readonly memoryLeft: Float64Array;
  readonly podsLeft: Float64Array;
  /** `MAX_DEVICES` for each node, in the order of the nodes. */
  readonly milliLeft: Int16Array;

  constructor(nodes: readonly GpuNode[]) {
    this.size = nodes.length;
    this.model = Uint8Array.from(nodes, ({ model }) => model);
    this.devices = Uint8Array.from(nodes, ({ devices }) => devices);
    this.cpuLeft = Float64Array.from(nodes, ({ cpuMillis }) => cpuMillis);
    this.memoryLeft = Float64Array.from(nodes, ({ memory }) => memory);
    this.podsLeft = Float64Array.from(nodes, ({ pods = Infinity }) => pods);
    this.milliLeft = new Int16Array(nodes.length * MAX_DEVICES);
    nodes.forEach(({ devices }, node) => {
      if (devices > MAX_DEVICES) throw new RangeError(`${devices} GPUs on a node`);
      this.milliLeft.fill(WHOLE_GPU_MILLI, node * MAX_DEVICES, node * MAX_DEVICES + devices);
    });
  }

  fits(node: number, request: PlacedRequest): boolean {
    if (
      request.cpuMillis > (this.cpuLeft[node] ?? 0) ||
      request.memory > (this.memoryLeft[node] ?? 0) ||
      (this.podsLeft[node] ?? 0) < 1 ||
      !takesModel(request.models, this.model[node] ?? 0)
    ) {
      return false;
    }
    return request.devices === 0 || this.serving(node, request.milliPerDevice) >= request.devices;
  }

  /** How many devices have so much left. */
  serving(node: number, milli: number): number {
    const from = node * MAX_DEVICES;
    const end = from + (this.devices[node] ?? 0);
    let count = 0;
    for (let at = from; at < end; at++) if ((this.milliLeft[at] ?? 0) >= milli) count++;
    return count;
  }

  /** Thousandths left on all devices of the node. */
  gpuLeft(node: number): number {
    const from = node * MAX_DEVICES;
    let sum = 0;
    for (let at = from; at < from + MAX_DEVICES; at++) sum += this.milliLeft[at] ?? 0;
    return sum;
  }

  /** The first devices that serve the request; too few when it does not fit. */
  firstDevices(node: number, { devices, milliPerDevice }: GpuRequest): DeviceSet {
    const from = node * MAX_DEVICES;
    let set = 0;
    let missing = devices;
    for (let device = 0; device < (this.devices[node] ?? 0) && missing > 0; device++) {
      if ((this.milliLeft[from + device] ?? 0) < milliPerDevice) continue;
      set |= 1 << device;
      missing--;
    }
    return set;
  }

  /** The device that has the least left of those that serve the milli; none is the empty set. */
  tightestDevice(node: number, milli: number): DeviceSet {
    const from = node * MAX_DEVICES;
    let best = -1;
    let bestLeft = Infinity;
    for (let device = 0; device < (this.devices[node] ?? 0); device++) {
      const left = this.milliLeft[from + device] ?? 0;
      if (left < milli || left >= bestLeft) continue;
      best = device;
      bestLeft = left;
    }
    return best < 0 ? 0 : 1 << best;
  }

  /** Takes room of the node and its devices, or gives it back. A RangeError at a breach of G1. */
  place(node: number, request: PlacedRequest, on: DeviceSet, sign: 1 | -1 = 1): void {
    const most = WHOLE_GPU_MILLI - (sign === 1 ? 0 : request.milliPerDevice);
    const least = sign === 1 ? request.milliPerDevice : 0;
    this.#check(node, on, least, most);
    add(this.cpuLeft, node, -sign * request.cpuMillis);
    add(this.memoryLeft, node, -sign * request.memory);
    add(this.podsLeft, node, -sign);
    const from = node * MAX_DEVICES;
    for (let device = 0; device < MAX_DEVICES; device++) {
      if ((on >>> device) & 1) add(this.milliLeft, from + device, -sign * request.milliPerDevice);
    }
  }

  /** All devices of the set are the node's, and have so much left. */
  #check(node: number, on: DeviceSet, least: number, most: number): void {
    const from = node * MAX_DEVICES;
    for (let device = 0; on >>> device > 0; device++) {
      if (((on >>> device) & 1) === 0) continue;
      const left = this.milliLeft[from + device] ?? 0;
      if (device < (this.devices[node] ?? 0) && left >= least && left <= most) continue;
      throw new RangeError(`device ${device} of node ${node} has ${left} left`);
    }
  }
}

function add(column: Float64Array | Int16Array, at: number, amount: number): void {
  column[at] = (column[at] ?? 0) + amount;
}
