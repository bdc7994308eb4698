/**
 * The scheduler's decision: which pending pod goes where, and why the others do not. Pure: the same
 * snapshot gives the same answer, whatever the order of its lists.
 *
 * Owns: the order of the queue and what a pass amounts to. Does not own: where a pod may go
 * (plugins), how nodes are compared (engine.ts), what is written (plans.ts).
 *
 * Invariants:
 *  H1 The usage of a node is its placed pods and its reservations (S2); a pass adds to it and takes
 *     nothing away.
 *  H2 A pod that has a reservation goes there if it still can, so that two passes never bind it to
 *     two nodes.
 *  H3 A pod that could go nowhere is tried again only if a plugin that refused it is helped by
 *     placements.
 */
import type { Namespace } from '../../api/kinds/core.ts';
import type { Node, NodeAllocation } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { Plan } from '../plan.ts';
import { batchesOf } from './batches.ts';
import { Engine } from './engine.ts';
import type { Enabled, Gate } from './framework.ts';
import { reservations } from './ledger.ts';
import { countReasons, type ReasonCounts, unschedulableMessage } from './message.ts';
import { isPending, isPlaced, queueOrder } from './pending.ts';
import { bindPlan, gatedPlan, unschedulablePlan } from './plans.ts';
import { PLUGINS } from './registry.ts';
import type { PodShape } from './shape.ts';

/** What a pass knows. Ledgers must have been read before pods: see control/scheduler.ts. */
export interface ClusterSnapshot {
  readonly nodes: readonly Node[];
  readonly ledgers: readonly NodeAllocation[];
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
}

export interface Placement {
  readonly pod: Pod;
  readonly node: string;
}

export interface Unschedulable {
  readonly pod: Pod;
  readonly message: string;
  /** On how many nodes each reason holds. */
  readonly reasons: ReasonCounts;
}

export interface SchedulingResult {
  readonly placements: readonly Placement[];
  readonly unschedulable: readonly Unschedulable[];
  readonly plans: readonly Plan[];
  /** Another pass would place more: this one had gone through its queue often enough. */
  readonly unfinished: boolean;
}

/**
 * A pod may wait for one behind it in the queue (affinity, spread), so the rest of the queue is
 * gone through again while that helps. Longer chains than this go on in the next pass.
 */
const MAX_ROUNDS = 8;

const NOTHING_PENDING: SchedulingResult = {
  placements: [],
  unschedulable: [],
  plans: [],
  unfinished: false,
};

export interface ScheduleOptions {
  readonly plugins?: readonly Enabled[];
  /** As many launches as the runtime takes in one question (core/pod/batch.ts). */
  readonly batchSize?: number;
}

export function schedule(
  snapshot: ClusterSnapshot,
  nowMs: number,
  { plugins = PLUGINS, batchSize = 1 }: ScheduleOptions = {},
): SchedulingResult {
  const pending = snapshot.pods.filter(isPending).sort(queueOrder);
  // Most wake-ups find that the pass before has placed everything.
  if (pending.length === 0) return NOTHING_PENDING;
  const gated = pending.flatMap((pod) => {
    const gate = gateOf(pod, plugins);
    return gate ? [{ pod, gate }] : [];
  });
  const waitsForGate = new Set(gated.map(({ pod }) => pod));
  const pass = new Pass(snapshot, plugins);
  const left = pass.run(pending.filter((pod) => !waitsForGate.has(pod)));
  const { unschedulable, open } = pass.explain(left);
  const plans = [
    ...pass.bindPlans(nowMs, batchSize),
    ...unschedulable.flatMap(({ pod, message }) => unschedulablePlan(pod, message, nowMs) ?? []),
    ...gated.flatMap(({ pod, gate }) => gatedPlan(pod, gate, nowMs) ?? []),
  ];
  return { placements: pass.placements, unschedulable, plans, unfinished: open > 0 };
}

function gateOf(pod: Pod, plugins: readonly Enabled[]): Gate | undefined {
  for (const { plugin } of plugins) {
    const gate = plugin.gate?.(pod);
    if (gate) return gate;
  }
  return undefined;
}

/** A shape that found no place, and when. */
interface Failure {
  /** The length of the cluster's log at the time. */
  readonly at: number;
  readonly mayBeHelped: boolean;
}

class Pass {
  readonly placements: Placement[] = [];
  readonly #engine: Engine;
  readonly #podsByUid: ReadonlyMap<string, Pod>;
  readonly #ledgers: ReadonlyMap<string, NodeAllocation>;
  /** The nodes on which a pending pod has room already, by its uid. */
  readonly #reserved = new Map<string, number[]>();
  readonly #failures = new Map<string, Failure>();

  constructor(snapshot: ClusterSnapshot, plugins: readonly Enabled[]) {
    const labels = snapshot.namespaces.map((ns) => [ns.metadata.name, ns.metadata.labels ?? {}]);
    const namespaceLabels = new Map(labels as [string, Readonly<Record<string, string>>][]);
    this.#engine = new Engine(snapshot.nodes, namespaceLabels, plugins);
    this.#podsByUid = new Map(snapshot.pods.map((pod) => [pod.metadata.uid, pod]));
    this.#ledgers = new Map(snapshot.ledgers.map((ledger) => [ledger.metadata.name, ledger]));
    for (const pod of snapshot.pods) if (isPlaced(pod)) this.#occupy(pod);
    this.#engine.cluster.nodes.forEach((_, node) => this.#reserve(node));
  }

  /** Places what can be placed; returns the rest. */
  run(queue: readonly Pod[]): readonly Pod[] {
    const reserved = queue.filter((pod) => !this.#finishReserved(pod));
    let left = reserved;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = left.length;
      left = left.filter((pod) => !this.#tryPlace(pod));
      if (left.length === before || left.length === 0) break;
    }
    return left;
  }

  /** Why each pod is left; `open` counts those that only the end of the rounds has left. */
  explain(left: readonly Pod[]): { unschedulable: Unschedulable[]; open: number } {
    const byShape = new Map<string, Omit<Unschedulable, 'pod'> | undefined>();
    const unschedulable: Unschedulable[] = [];
    for (const pod of left) {
      const shape = this.#engine.shapeOf(pod);
      if (!byShape.has(shape.key)) byShape.set(shape.key, this.#explainShape(shape));
      const why = byShape.get(shape.key);
      if (why) unschedulable.push({ pod, ...why });
    }
    return { unschedulable, open: left.length - unschedulable.length };
  }

  bindPlans(nowMs: number, batchSize: number): Plan[] {
    const byNode = Map.groupBy(this.placements, ({ node }) => node);
    const placed = this.#engine.cluster.nodes.flatMap((node) => {
      const pods = byNode.get(node.metadata.name)?.map(({ pod }) => pod);
      return pods ? [{ node, ledger: this.#ledgers.get(node.metadata.name), pods }] : [];
    });
    const given = { pods: this.#podsByUid, batches: batchesOf(placed, batchSize, nowMs), nowMs };
    return placed.map((placements) => bindPlan(placements, given));
  }

  #occupy(pod: Pod): void {
    const node = this.#engine.cluster.nodeNamed(pod.spec.nodeName ?? '');
    if (node !== undefined) this.#engine.place(this.#engine.shapeOf(pod), node);
  }

  #reserve(node: number): void {
    const { nodes } = this.#engine.cluster;
    const ledger = this.#ledgers.get(nodes[node]?.metadata.name ?? '');
    if (!ledger) return;
    for (const pod of reservations(ledger, this.#podsByUid)) {
      this.#engine.place(this.#engine.shapeOf(pod), node);
      const held = this.#reserved.get(pod.metadata.uid) ?? [];
      this.#reserved.set(pod.metadata.uid, [...held, node]);
    }
  }

  /** Carries on where an earlier pass was cut off between the ledger and the binding. */
  #finishReserved(pod: Pod): boolean {
    const shape = this.#engine.shapeOf(pod);
    for (const node of this.#reserved.get(pod.metadata.uid) ?? []) {
      this.#engine.place(shape, node, -1);
      const allowed = this.#engine.allows(shape, node);
      this.#engine.place(shape, node);
      if (!allowed) continue;
      this.#record(pod, node);
      return true;
    }
    return false;
  }

  #tryPlace(pod: Pod): boolean {
    const shape = this.#engine.shapeOf(pod);
    const { log } = this.#engine.cluster;
    const failure = this.#failures.get(shape.key);
    if (failure && (!failure.mayBeHelped || failure.at === log.length)) return false;
    const node = this.#engine.best(shape);
    if (node === undefined) {
      const mayBeHelped = this.#engine.mayBeHelped(shape, 'podBound');
      this.#failures.set(shape.key, { at: log.length, mayBeHelped });
      return false;
    }
    this.#engine.place(shape, node);
    this.#record(pod, node);
    return true;
  }

  #record(pod: Pod, node: number): void {
    const name = this.#engine.cluster.nodes[node]?.metadata.name ?? '';
    this.placements.push({ pod, node: name });
  }

  #explainShape(shape: PodShape): Omit<Unschedulable, 'pod'> | undefined {
    const refusals = this.#engine.refusals(shape);
    if (refusals.some((reasons) => reasons.length === 0)) return undefined;
    const reasons = countReasons(refusals);
    return { reasons, message: unschedulableMessage(refusals.length, reasons) };
  }
}
