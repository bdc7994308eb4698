/**
 * Fragmentation Gradient Descent (Weng et al., ATC 2023), as the artifact scores it. The fragmented
 * part of a node is what typical pods can't use of its GPUs: all of it for a pod that does not fit
 * or asks for none, else the devices with too little left for it. The node where that grows least
 * is taken.
 */
import type { DeviceAccounts, PlacedRequest } from '../../shared/core/scheduling/gpu/devices.ts';
import {
  isPartial,
  MAX_DEVICES,
  type PodKind,
  takesModel,
} from '../../shared/core/scheduling/gpu/request.ts';
import type { Policy } from './protocol.ts';

interface Choice {
  readonly score: number;
  readonly devices: number;
}

/**
 * Whole points, as published. They matter: equal points leave the choice to the order of the nodes,
 * and exact ones do worse.
 */
export const fgd: Policy = ({ accounts, workload }) => {
  const fragments = new Fragments(accounts, workload.typical);
  return {
    score: (node, spec) => fragments.choose(node, spec).score,
    devices: (node, spec) => fragments.choose(node, spec).devices,
  };
};

class Fragments {
  readonly #accounts: DeviceAccounts;
  readonly #typical: readonly PodKind[];
  readonly #left = new Int16Array(MAX_DEVICES);

  constructor(accounts: DeviceAccounts, typical: readonly PodKind[]) {
    this.#accounts = accounts;
    this.#typical = typical;
  }

  choose(node: number, spec: PlacedRequest): Choice {
    const from = node * MAX_DEVICES;
    this.#left.set(this.#accounts.milliLeft.subarray(from, from + MAX_DEVICES));
    const cpu = this.#accounts.cpuLeft[node] ?? 0;
    const before = this.#fragmented(node, cpu);
    const scoreOn = (devices: number): number => {
      this.#take(devices, spec.milliPerDevice);
      const after = this.#fragmented(node, cpu - spec.cpuMillis);
      this.#take(devices, -spec.milliPerDevice);
      return Math.trunc(100 / (1 + Math.exp((after - before) / 1000)));
    };
    if (!isPartial(spec)) {
      const devices = this.#accounts.firstDevices(node, spec);
      return { score: scoreOn(devices), devices };
    }
    let best: Choice = { score: -1, devices: 0 };
    for (let device = 0; device < (this.#accounts.devices[node] ?? 0); device++) {
      const left = this.#left[device] ?? 0;
      if (left < spec.milliPerDevice || this.#left.indexOf(left) < device) continue;
      const score = scoreOn(1 << device);
      if (score > best.score) best = { score, devices: 1 << device };
    }
    return best;
  }

  #take(devices: number, milli: number): void {
    for (let device = 0; device < MAX_DEVICES; device++) {
      if ((devices >>> device) & 1) this.#left[device] = (this.#left[device] ?? 0) - milli;
    }
  }

  #fragmented(node: number, cpu: number): number {
    const model = this.#accounts.model[node] ?? 0;
    const count = this.#accounts.devices[node] ?? 0;
    let all = 0;
    for (let device = 0; device < count; device++) all += this.#left[device] ?? 0;
    let sum = 0;
    for (const kind of this.#typical) {
      let lost = all;
      if (kind.devices > 0 && kind.cpuMillis <= cpu && takesModel(kind.models, model)) {
        let serving = 0;
        let small = 0;
        for (let device = 0; device < count; device++) {
          const left = this.#left[device] ?? 0;
          if (left >= kind.milliPerDevice) serving++;
          else small += left;
        }
        if (serving >= kind.devices) lost = small;
      }
      sum += kind.share * lost;
    }
    return sum;
  }
}
