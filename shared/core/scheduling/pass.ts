/**
 * The state of a pass: the engine, which pods are where, and what the pass has decided so far. What
 * is decided can be taken back to a mark, so that a gang is placed whole or not at all.
 *
 * Invariants:
 *  H1 The usage of a node is its placed pods and its reservations (S2); a pass only adds
 *     to it. What it takes away is taken in thought, to see what would be (what-if).
 *  H2 A pod that has a reservation goes there if it still can, so that two passes never bind it to
 *     two nodes.
 */
import { gpuSharingOf } from '../../api/gpus.ts';
import type { Namespace } from '../../api/kinds/core.ts';
import type { Node, NodeAllocation } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { Choices } from './choices.ts';
import type { Differences } from './differences.ts';
import { Engine } from './engine.ts';
import type { Enabled } from './framework.ts';
import { LedgerIndex } from './ledger-index.ts';
import { type Devices, reservations } from './ledger.ts';
import { isPending, isPlaced } from './pending.ts';
import type { PodShape } from './shape.ts';

/** What a pass knows of nodes and pods. Ledgers must have been read before pods. */
export interface NodesAndPods {
  readonly nodes: readonly Node[];
  readonly ledgers: readonly NodeAllocation[];
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
}

export interface Placement {
  readonly pod: Pod;
  readonly node: string;
}

/** One thing that the pass did, so that it can be taken back. */
interface Step {
  readonly pod: Pod;
  readonly node: number;
  /** 0: the room is the pod's already. */
  readonly sign: 1 | -1 | 0;
  readonly isPlacement: boolean;
}

export class Pass {
  readonly engine: Engine;
  /** Nodes that are there; those after them are only coming, or could be launched. */
  readonly nodeCount: number;
  readonly #ledgers: Map<string, NodeAllocation>;
  readonly #begunWith: number;
  readonly #podsByUid = new Map<string, Pod>();
  readonly #on = new Map<number, Map<Pod, PodShape>>();
  /** The nodes on which a pending pod has room already, by its uid. */
  readonly #reserved = new Map<string, number[]>();
  readonly #placed = new Map<Pod, number>();
  readonly #steps: Step[] = [];
  /** What is taken for reservations, by node. */
  readonly #reservations = new Map<number, readonly Pod[]>();
  #choices: Choices | undefined;
  /** Made when the pass is first followed by another. */
  #entries: LedgerIndex | undefined;

  constructor(
    snapshot: NodesAndPods,
    plugins: readonly Enabled[],
    { coming = [], openLabels, choices }: PassOptions = {},
  ) {
    this.#choices = choices;
    const labels = snapshot.namespaces.map(
      (ns) => [ns.metadata.name, ns.metadata.labels ?? {}] as const,
    );
    this.engine = new Engine(snapshot.nodes, new Map(labels), plugins, openLabels);
    this.nodeCount = this.engine.cluster.size;
    for (const node of coming) this.engine.cluster.add(node, { isComing: true });
    this.#begunWith = this.engine.cluster.size;
    this.#ledgers = new Map(snapshot.ledgers.map((ledger) => [ledger.metadata.name, ledger]));
    for (const ledger of snapshot.ledgers) this.engine.cluster.gpus.remember(ledger);
    for (const pod of snapshot.pods) {
      this.#podsByUid.set(pod.metadata.uid, pod);
      if (isPlaced(pod)) this.#occupy(pod);
      else if (isPending(pod)) this.engine.cluster.gpus.expect(this.shapeOf(pod).spec);
    }
    for (let node = 0; node < this.nodeCount; node++) this.#reserve(node);
  }

  /** Where pods are going: on nodes that are there, in the order of deciding. */
  get placements(): readonly Placement[] {
    return [...this.#placed].flatMap(([pod, node]) =>
      node < this.nodeCount ? [{ pod, node: this.nameOf(node) }] : [],
    );
  }

  /** Pods that wait for a machine that is on its way. */
  get awaiting(): readonly Placement[] {
    const { isComing } = this.engine.cluster;
    return [...this.#placed].flatMap(([pod, node]) =>
      isComing[node] === 1 ? [{ pod, node: this.nameOf(node) }] : [],
    );
  }

  get ledgers(): ReadonlyMap<string, NodeAllocation> {
    return this.#ledgers;
  }

  get podsByUid(): ReadonlyMap<string, Pod> {
    return this.#podsByUid;
  }

  /** Nodes have been added since it began: machines that could be launched. */
  get hasGrown(): boolean {
    return this.engine.cluster.size > this.#begunWith;
  }

  nameOf(node: number): string {
    return this.engine.cluster.nodes[node]?.metadata.name ?? '';
  }

  /** The pods that hold room of the node, those that are on their way there too. */
  podsOn(node: number): ReadonlyMap<Pod, PodShape> {
    return this.#on.get(node) ?? NOBODY;
  }

  /** The same by the node's name. */
  podsOnNamed(name: string): Iterable<Pod> {
    return this.podsOn(this.engine.cluster.nodeNamed(name) ?? -1).keys();
  }

  /** The pod's place is on a machine that has not joined. */
  isComing(pod: Pod): boolean {
    const node = this.#placed.get(pod);
    return node !== undefined && this.engine.cluster.isComing[node] === 1;
  }

  shapeOf(pod: Pod): PodShape {
    return this.engine.shapeOf(pod);
  }

  /** Places the pod where it fits best. */
  place(pod: Pod): boolean {
    const shape = this.shapeOf(pod);
    const node = this.engine.best(shape);
    this.#choices?.note(pod, shape, node, this.engine);
    if (node === undefined) return false;
    this.#do({ pod, node, sign: 1, isPlacement: true });
    return true;
  }

  /** The nodes on which the pod has room, and is not bound. */
  reservedFor(pod: Pod): readonly number[] {
    return this.#reserved.get(pod.metadata.uid) ?? [];
  }

  /** Carries on where an earlier pass was cut off between the ledger and the binding. */
  finishReserved(pod: Pod): boolean {
    const shape = this.shapeOf(pod);
    for (const node of this.reservedFor(pod)) {
      this.engine.place(shape, node, -1, pod);
      const allowed = this.engine.allows(shape, node);
      this.engine.place(shape, node, 1, pod);
      if (!allowed) continue;
      this.#do({ pod, node, sign: 0, isPlacement: true });
      return true;
    }
    return false;
  }

  /** Takes note of a place that the engine gave the pod already. */
  adopt(pod: Pod, node: number): void {
    this.#noteOn(node, pod, this.shapeOf(pod));
    this.#steps.push({ pod, node, sign: 1, isPlacement: true });
    this.#placed.set(pod, node);
  }

  /** Takes the pod off the node that the pass has placed it on. */
  withdraw(pod: Pod): void {
    const node = this.#placed.get(pod);
    if (node === undefined) return;
    this.#placed.delete(pod);
    this.#do({ pod, node, sign: -1, isPlacement: false });
  }

  /** Places the pod on this very node. */
  placeAt(pod: Pod, node: number): void {
    this.#do({ pod, node, sign: 1, isPlacement: true });
  }

  /** Pods that were placed on virtual nodes, with these. */
  get onVirtual(): ReadonlyMap<Pod, number> {
    const { isVirtual } = this.engine.cluster;
    return new Map([...this.#placed].filter(([, node]) => isVirtual[node] === 1));
  }

  /** The GPUs of pods that are going to nodes that share theirs. */
  get devices(): Devices {
    const { cluster } = this.engine;
    return new Map(
      [...this.#placed].flatMap(([pod, node]) => {
        const sharing = gpuSharingOf(cluster.nodes[node]?.metadata.labels);
        return sharing ? [[pod, cluster.gpus.heldBy(pod, node) ?? {}] as const] : [];
      }),
    );
  }

  /** Lets a placed pod keep its room, and not be bound yet. */
  postpone(pod: Pod): void {
    this.#placed.delete(pod);
  }

  /** Keeps room for the pod that it will have, though it has it not yet. */
  hold(pod: Pod, node: number): void {
    this.#do({ pod, node, sign: 1, isPlacement: false });
  }

  /** The pod is going to leave the node. */
  expel(pod: Pod, node: number): void {
    this.#do({ pod, node, sign: -1, isPlacement: false });
  }

  /**
   * Becomes the pass over what there is now, which is as if it had been made anew: what it decided
   * is taken back, and what has changed of what it read is worked in (memory.ts: M1).
   */
  follow({ pods, ledgers }: Changed, choices: Choices): void {
    this.rollBack(0);
    this.#placed.clear();
    this.#choices = choices;
    this.engine.settle();
    this.#entries ??= new LedgerIndex(this.#ledgers.values());
    const touched = new Set<number>();
    const touch = (name: string): void => {
      const node = this.engine.cluster.nodeNamed(name);
      if (node !== undefined && node < this.nodeCount) touched.add(node);
    };
    this.#followLedgers(ledgers, this.#entries);
    for (const { metadata } of [...ledgers.gone, ...ledgers.come]) touch(metadata.name);
    for (const { metadata } of [...pods.gone, ...pods.come]) {
      for (const name of this.#entries.nodesOf(metadata.uid)) touch(name);
    }
    for (const node of touched) this.#unreserve(node);
    this.#followPods(pods);
    for (const node of touched) this.#reserve(node);
  }

  #followLedgers({ gone, come }: Differences<NodeAllocation>, entries: LedgerIndex): void {
    const now = new Map(come.map((ledger) => [ledger.metadata.name, ledger]));
    for (const ledger of gone) {
      const { name } = ledger.metadata;
      if (now.has(name)) continue;
      entries.change(ledger, undefined);
      this.#ledgers.delete(name);
    }
    for (const [name, ledger] of now) {
      entries.change(this.#ledgers.get(name), ledger);
      this.#ledgers.set(name, ledger);
    }
  }

  #followPods({ gone, come }: Differences<Pod>): void {
    for (const pod of gone) {
      this.#podsByUid.delete(pod.metadata.uid);
      if (isPlaced(pod)) this.#occupy(pod, -1);
    }
    for (const pod of come) {
      this.#podsByUid.set(pod.metadata.uid, pod);
      if (isPlaced(pod)) this.#occupy(pod);
    }
  }

  /** Where the pass stands, to come back to. */
  mark(): number {
    return this.#steps.length;
  }

  rollBack(mark: number): void {
    while (this.#steps.length > mark) {
      const { pod, node, sign, isPlacement } = this.#steps.pop() as Step;
      if (sign !== 0) this.#apply(pod, node, sign === 1 ? -1 : 1);
      if (isPlacement) this.#placed.delete(pod);
    }
  }

  #do(step: Step): void {
    if (step.sign !== 0) this.#apply(step.pod, step.node, step.sign);
    this.#steps.push(step);
    if (step.isPlacement) this.#placed.set(step.pod, step.node);
  }

  #apply(pod: Pod, node: number, sign: 1 | -1): void {
    const shape = this.shapeOf(pod);
    this.engine.place(shape, node, sign, pod);
    if (sign === 1) this.#noteOn(node, pod, shape);
    else this.#on.get(node)?.delete(pod);
  }

  #noteOn(node: number, pod: Pod, shape: PodShape): void {
    const on = this.#on.get(node);
    if (on) on.set(pod, shape);
    else this.#on.set(node, new Map([[pod, shape]]));
  }

  #occupy(pod: Pod, sign: 1 | -1 = 1): void {
    const node = this.engine.cluster.nodeNamed(pod.spec.nodeName ?? '');
    if (node !== undefined) this.#apply(pod, node, sign);
  }

  #reserve(node: number): void {
    const ledger = this.ledgers.get(this.nameOf(node));
    if (!ledger) return;
    const reserved = reservations(ledger, this.podsByUid);
    if (reserved.length === 0) return;
    this.#reservations.set(node, reserved);
    for (const pod of reserved) {
      this.#apply(pod, node, 1);
      const held = this.#reserved.get(pod.metadata.uid) ?? [];
      this.#reserved.set(pod.metadata.uid, [...held, node].sort(byNumber));
    }
  }

  #unreserve(node: number): void {
    for (const pod of this.#reservations.get(node) ?? []) {
      this.#apply(pod, node, -1);
      const { uid } = pod.metadata;
      const left = (this.#reserved.get(uid) ?? []).filter((other) => other !== node);
      if (left.length > 0) this.#reserved.set(uid, left);
      else this.#reserved.delete(uid);
    }
    this.#reservations.delete(node);
  }
}

export interface PassOptions {
  /** What machines will be that were asked for and have not joined. */
  readonly coming?: readonly Node[];
  readonly openLabels?: ReadonlySet<string>;
  /** Where it is noted how pods came to their nodes. */
  readonly choices?: Choices;
}

/** What is another in a snapshot than in the one before. */
export interface Changed {
  readonly pods: Differences<Pod>;
  readonly ledgers: Differences<NodeAllocation>;
}

function byNumber(a: number, b: number): number {
  return a - b;
}

const NOBODY: ReadonlyMap<Pod, PodShape> = new Map();
