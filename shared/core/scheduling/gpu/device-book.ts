/**
 * The devices of all nodes in a pass: who holds which, whether there is room for more, and where a
 * pod does the least harm. Costs nothing as long as nobody asks for a GPU.
 *
 * Owns what is known of holders; the accounts of one node are node-devices.ts, what room is worth
 * node-value.ts. Machines that could be launched have no devices yet: how many they need is the
 * fleet's to say.
 *
 * Invariants:
 *  B1 A pod that has devices by the ledger of its node, or by itself, keeps them.
 *  B2 What is handed out by two who don't know of each other is handed out by neither: a node on
 *     which a pod has GPUs that the other side gave it takes no pod that asks for GPUs.
 */
import { type DevicesByContainer, GPU_NAME_LABEL, WHOLE_GPU_MILLI } from '../../../api/gpus.ts';
import type { Node, NodeAllocation } from '../../../api/kinds/node.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { type GpuAsk, wholeDevices } from '../../pod/gpus.ts';
import type { Cluster } from '../cluster.ts';
import { isPlaced } from '../pending.ts';
import type { SpecShape } from '../shape.ts';
import { Demand } from './demand.ts';
import { type Choice, type GpuHolding, NodeDevices, tightest } from './node-devices.ts';
import type { NodeValue } from './node-value.ts';
import { scoreOf } from './packing.ts';
import { nodeClasses } from './prices.ts';
import { valueFor } from './value-memo.ts';
import { ANY_MODEL, type GpuRequest, MAX_DEVICES, MAX_MODELS } from './request.ts';

export const OTHER_SHARING = {
  needsMps: "node(s) didn't keep parts of GPUs apart by MPS",
  hasMps: 'node(s) hand out parts of GPUs by MPS only',
  mixed: 'node(s) had GPUs that were handed out another way',
} as const;

interface Held {
  readonly holding: GpuHolding;
  readonly isStranger: boolean;
}

export class DeviceBook {
  readonly #cluster: Cluster;
  readonly #nodes: (NodeDevices | undefined)[] = [];
  /** By node; of each holder, or of each shape that was placed without one, the last is on top. */
  readonly #held = new Map<number, Map<object, Held[]>>();
  /** What ledgers say, by node and uid. */
  readonly #recorded = new Map<string, DevicesByContainer>();
  readonly #demand = new Demand();
  /** By the state of a node. */
  readonly #scores = new Map<SpecShape, Map<string, number>>();
  /** Somebody has asked for GPUs. */
  #isAsked = false;
  #models: ReadonlyMap<string, number> | undefined;
  #value: NodeValue | undefined;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Whether it knows of nobody with GPUs or in want of them. */
  get isIdle(): boolean {
    return !this.#isAsked;
  }

  /** Takes note of what the ledger of a node says of devices. */
  remember({ metadata, allocations }: NodeAllocation): void {
    for (const { podUid, devices } of allocations) {
      if (devices) this.#recorded.set(`${metadata.name} ${podUid}`, devices);
    }
  }

  /** A pod like this waits: it counts for what room is worth. */
  expect(spec: SpecShape): void {
    if (spec.gpus) this.#isAsked = true;
    const request = this.#requestOf(spec);
    if (request) this.#demand.count(request);
  }

  at(node: number): NodeDevices {
    let devices = this.#nodes[node];
    if (!devices) {
      const object = this.#cluster.nodes[node];
      if (!object) throw new RangeError(`no node ${node}`);
      devices = new NodeDevices(object);
      this.#nodes[node] = devices;
    }
    return devices;
  }

  allows(node: number, ask: GpuAsk): boolean {
    const devices = this.at(node);
    if (sharingProblem(devices, ask) !== undefined) return false;
    return this.#cluster.isOpen[node] === 1 || devices.fits(ask);
  }

  /** The resources of which no device has enough, or why its devices are not to be had. */
  problems(
    node: number,
    ask: GpuAsk,
  ): { readonly why?: string; readonly lacking: GpuAsk['parts'] } {
    const devices = this.at(node);
    const why = sharingProblem(devices, ask);
    if (why !== undefined) return { why, lacking: [] };
    const alone = ask.parts.filter((part) => !devices.fits({ ...ask, parts: [part] }));
    return { lacking: alone.length > 0 ? alone : ask.parts.slice(-1) };
  }

  /** From 0 to 100: more, the less the node's room is worth less once the pod is there. */
  score(node: number, spec: SpecShape): number {
    if (!spec.gpus || this.#cluster.isOpen[node] === 1) return 0;
    const known = this.#scores.get(spec) ?? new Map<string, number>();
    this.#scores.set(spec, known);
    const key = this.#stateOf(node);
    const score = known.get(key) ?? this.#newScore(node, spec, spec.gpus);
    known.set(key, score);
    return score;
  }

  /** Nodes of one state are the same to a pod. */
  #stateOf(node: number): string {
    const cpu = this.#cluster.column('cpu');
    return `${cpu.allocatableAt(node) - cpu.usedAt(node)} ${this.at(node).state}`;
  }

  #newScore(node: number, spec: SpecShape, ask: GpuAsk): number {
    const devices = this.at(node);
    const holding = this.#choose(node, devices, spec, ask);
    if (!holding) return 0;
    const after = devices.milliLeft.slice();
    for (const { device, milli } of holding.takes) after[device] = (after[device] ?? 0) - milli;
    const lossMilli =
      this.#valueAt(node, devices.milliLeft, 0) - this.#valueAt(node, after, cpuOf(spec));
    return scoreOf(lossMilli) / Math.max(1, devices.groupsOf(holding.takes));
  }

  /** The pod comes to the node, or leaves it. Without a pod, any of the shape will do. */
  move(node: number, spec: SpecShape, sign: 1 | -1, pod?: Pod): void {
    if (!spec.gpus || this.#cluster.isOpen[node] === 1) return;
    this.#isAsked = true;
    const devices = this.at(node);
    const byHolder = this.#held.get(node) ?? new Map<object, Held[]>();
    this.#held.set(node, byHolder);
    const stack = byHolder.get(pod ?? spec) ?? [];
    byHolder.set(pod ?? spec, stack);
    const held = sign === 1 ? this.#take(node, devices, spec, spec.gpus, pod) : stack.pop();
    if (!held) return;
    if (sign === 1) stack.push(held);
    devices.hold(held.holding, sign);
    if (held.isStranger) devices.strangers += sign;
  }

  /** The devices of a pod that is on the node; undefined when it has none there. */
  heldBy(pod: Pod, node: number): DevicesByContainer | undefined {
    return this.#held.get(node)?.get(pod)?.at(-1)?.holding.byContainer;
  }

  #take(node: number, devices: NodeDevices, spec: SpecShape, ask: GpuAsk, pod?: Pod): Held {
    const name = this.#cluster.nodes[node]?.metadata.name;
    const isBound = pod !== undefined && isPlaced(pod) && pod.spec.nodeName === name;
    if (isBound) this.expect(spec);
    const own = pod?.control?.gpuDevices;
    const isGivenByUs = own !== undefined;
    const isStranger = isBound && isGivenByUs !== (devices.sharing === 'assigned');
    const written = this.#recorded.get(this.#key(node, pod)) ?? (isBound ? own : undefined);
    const recorded = written && devices.recorded(ask, written);
    const holding = recorded ?? this.#choose(node, devices, spec, ask) ?? NOTHING_HELD;
    return { holding, isStranger };
  }

  #key(node: number, pod: Pod | undefined): string {
    return `${this.#cluster.nodes[node]?.metadata.name ?? ''} ${pod?.metadata.uid ?? ''}`;
  }

  #choose(
    node: number,
    devices: NodeDevices,
    spec: SpecShape,
    ask: GpuAsk,
  ): GpuHolding | undefined {
    const cpu = cpuOf(spec);
    const best: Choice = (candidates, { milli }, { milliLeft }) => {
      const leftOf = (device: number) => milliLeft[device] ?? 0;
      const fullestFirst = [...candidates].sort((a, b) => leftOf(a) - leftOf(b) || a - b);
      let chosen = fullestFirst[0] ?? 0;
      let most = -Infinity;
      const seen = new Set<number>();
      for (const device of fullestFirst) {
        const left = milliLeft[device] ?? 0;
        // A device with as much left as an earlier one is no other choice.
        if (seen.has(left)) continue;
        seen.add(left);
        milliLeft[device] = left - milli;
        const value = this.#valueAt(node, milliLeft, cpu);
        milliLeft[device] = left;
        if (value > most + NOISE_MILLI) [most, chosen] = [value, device];
      }
      return chosen;
    };
    // What is best for one part may leave too little for the next.
    return devices.choose(ask, best) ?? devices.choose(ask, tightest);
  }

  /** What the node's room is worth with this left of its devices, and so much less CPU. */
  #valueAt(node: number, milliLeft: Int16Array, cpuMillis: number): number {
    const cpu = this.#cluster.column('cpu');
    const cpuLeft = cpu.allocatableAt(node) - cpu.usedAt(node) - cpuMillis;
    this.#value ??= this.#findValue();
    const model = this.#modelOf(this.at(node).model);
    return this.#value.of(model, Math.max(0, cpuLeft), milliLeft, 0, milliLeft.length);
  }

  #findValue(): NodeValue {
    const cpu = this.#cluster.column('cpu');
    const nodes = this.#cluster.nodes.flatMap((_, node) => {
      if (this.#cluster.isOpen[node] === 1 || this.#cluster.isVirtual[node] === 1) return [];
      const devices = this.at(node);
      const { wholeCount, model } = devices;
      if (wholeCount === 0) return [];
      const cpuMillis = cpu.allocatableAt(node);
      return [{ model: this.#modelOf(model), devices: wholeCount, cpuMillis }];
    });
    return valueFor(this.#demand, nodeClasses(nodes));
  }

  /** Models are numbered in the order of their names; those of no node are as the last. */
  #modelOf(model: string): number {
    this.#models ??= numbered(this.#cluster.nodes.map(({ metadata }) => modelOf(metadata)));
    return Math.min(this.#models.get(model) ?? MAX_MODELS - 1, MAX_MODELS - 1);
  }

  /** The pod as a kind of demand; slices are of devices that are worth nothing else. */
  #requestOf(spec: SpecShape): GpuRequest | undefined {
    const { parts = [] } = spec.gpus ?? {};
    const whole = wholeDevices(parts);
    const milli = Math.max(0, ...parts.map((part) => (part.kind === 'share' ? part.milli : 0)));
    if (whole === 0 && milli === 0) return undefined;
    const model = spec.nodeSelector?.[GPU_NAME_LABEL];
    return {
      cpuMillis: cpuOf(spec),
      devices: Math.min(Math.max(whole, 1), MAX_DEVICES),
      milliPerDevice: whole > 0 ? WHOLE_GPU_MILLI : milli,
      models: model === undefined ? ANY_MODEL : 1 << this.#modelOf(model),
    };
  }
}

function modelOf({ labels = {} }: Node['metadata']): string {
  return labels[GPU_NAME_LABEL] ?? '';
}

function numbered(names: readonly string[]): ReadonlyMap<string, number> {
  return new Map([...new Set(names)].sort().map((name, i) => [name, i]));
}

/** Worths that differ by less are the same. */
const NOISE_MILLI = 1e-6;

const NOTHING_HELD: GpuHolding = { takes: [], slices: [], byContainer: {} };

function cpuOf({ requests }: SpecShape): number {
  return requests['cpu'] ?? 0;
}

/** Why the node's devices are not for who asks so. */
function sharingProblem(
  { sharing, strangers }: NodeDevices,
  { parts, isIsolated }: GpuAsk,
): string | undefined {
  if (strangers > 0) return OTHER_SHARING.mixed;
  const wantsPart = parts.some(({ kind }) => kind !== 'whole');
  if (isIsolated && wantsPart) return sharing === 'mps' ? undefined : OTHER_SHARING.needsMps;
  return wantsPart && sharing === 'mps' ? OTHER_SHARING.hasMps : undefined;
}
