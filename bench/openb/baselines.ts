/**
 * Five of the six published policies, as the artifact scores them: whole points from 0 to 100. The
 * sixth is fgd.ts. A partial GPU is taken on the tightest device, whole ones on the first.
 */
import { WHOLE_GPU_MILLI } from '../../shared/api/gpus.ts';
import type {
  DeviceAccounts,
  DeviceSet,
  PlacedRequest,
} from '../../shared/core/scheduling/gpu/devices.ts';
import { gpuMilli, isPartial } from '../../shared/core/scheduling/gpu/request.ts';
import type { Placer } from './ledger.ts';
import type { Policy } from './protocol.ts';

/** The largest node of the trace, by which resources are made comparable. */
const MOST_CPU_MILLIS = 128_000;
const MOST_GPU_MILLI = 8_000;

type Score = (accounts: DeviceAccounts, node: number, spec: PlacedRequest) => number;

function scoring(score: Score): Policy {
  return ({ accounts }) => ({
    score: (node, spec) => Math.trunc(score(accounts, node, spec)),
    devices: (node, spec) => usualDevices(accounts, node, spec),
  });
}

export function usualDevices(
  accounts: DeviceAccounts,
  node: number,
  spec: PlacedRequest,
): DeviceSet {
  return isPartial(spec)
    ? accounts.tightestDevice(node, spec.milliPerDevice)
    : accounts.firstDevices(node, spec);
}

/** The node with the least left afterwards. */
export const bestFit: Policy = scoring((accounts, node, spec) => {
  const cpu = ((accounts.cpuLeft[node] ?? 0) - spec.cpuMillis) / MOST_CPU_MILLIS;
  const gpu = (accounts.gpuLeft(node) - gpuMilli(spec)) / MOST_GPU_MILLI;
  return 100 * (1 - cpu / 2 - gpu / 2);
});

/** The node whose room points least in the direction of the request. */
export const dotProduct: Policy = scoring((accounts, node, spec) => {
  const cpu = ((accounts.cpuLeft[node] ?? 0) * spec.cpuMillis) / MOST_CPU_MILLIS ** 2;
  const gpu = (accounts.gpuLeft(node) * gpuMilli(spec)) / MOST_GPU_MILLI ** 2;
  return 100 * (1 - (cpu + gpu) / 2);
});

/** Devices in use before free ones, nodes in use before idle ones. */
export const gpuPacking: Policy = scoring((accounts, node, spec) => {
  if (spec.devices === 0) return 0;
  const free = accounts.serving(node, WHOLE_GPU_MILLI);
  if (isPartial(spec)) {
    const used = usedDevicesLeft(accounts, node);
    if (used.some((left) => left >= spec.milliPerDevice)) {
      const percent = used.reduce((sum, left) => sum + left, 0) / (WHOLE_GPU_MILLI / 100);
      return Math.max(50, 100 - Math.trunc(percent / 10));
    }
  }
  const isIdle = free === (accounts.devices[node] ?? 0);
  return isIdle ? Math.max(0, 33 - free) : Math.max(33, 50 - free);
});

function usedDevicesLeft(accounts: DeviceAccounts, node: number): number[] {
  return devicesOf(accounts, node).filter((left) => left < WHOLE_GPU_MILLI);
}

function devicesOf({ milliLeft, devices, size }: DeviceAccounts, node: number): number[] {
  const from = (node * milliLeft.length) / size;
  return Array.from(milliLeft.subarray(from, from + (devices[node] ?? 0)));
}

/** What pods are alike in: a part of a GPU, or so many GPUs. */
function sizeOf(spec: PlacedRequest): string {
  return isPartial(spec) ? 'part' : String(spec.devices);
}

/** Pods beside others of the same size. */
export const gpuClustering: Policy = ({ accounts }) => {
  const sizes = Array.from({ length: accounts.size }, () => new Set<string>());
  return {
    score: (node, spec) => {
      if (spec.devices === 0) return 0;
      const there = sizes[node] as Set<string>;
      const same = there.has(sizeOf(spec)) ? (there.size === 1 ? 75 : 50) : 0;
      const used = (MOST_GPU_MILLI - accounts.gpuLeft(node)) / MOST_GPU_MILLI;
      return Math.trunc(25 * used + (there.size === 0 ? 25 : same));
    },
    devices: (node, spec) => usualDevices(accounts, node, spec),
    placed: (node, spec) => {
      if (spec.devices > 0) sizes[node]?.add(sizeOf(spec));
    },
  };
};

/** Any node, and any device of it. */
export const random: Policy = ({ accounts, random: dice }) => {
  const placer: Placer = {
    score: () => 0,
    choose: (scores) => {
      const open: number[] = [];
      for (let node = 0; node < scores.length; node++) {
        if ((scores[node] ?? 0) >= 0) open.push(node);
      }
      return open.length > 0 ? dice.pick(open) : undefined;
    },
    devices: (node, spec) => {
      if (!isPartial(spec)) return accounts.firstDevices(node, spec);
      const left = devicesOf(accounts, node);
      const open = left.flatMap((milli, i) => (milli >= spec.milliPerDevice ? [i] : []));
      return 1 << dice.pick(open);
    },
  };
  return placer;
};
