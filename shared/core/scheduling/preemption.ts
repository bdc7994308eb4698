/**
 * Preemption: which pods of lower priority have to go so that a pod finds room. For each node, all
 * of them are taken away in thought and as many as possible put back; the node whose loss is least
 * is chosen. Owns the choice of node and victims; the writes are plans.ts.
 *
 * Invariants:
 *  P1 A victim has a lower priority than the pod that it makes room for.
 *  P2 A disruption budget is broken only where there is no node on which it is not.
 *  P3 Victims are the fewest that the order of putting back leaves: without any one of them the pod
 *     would not fit.
 *  P4 Victims keep their room until they have ended, like all that are on their way out: what the
 *     pod leaves of it is nobody's before (S2).
 *
 * Source: Kubernetes, "Pod Priority and Preemption"; kube-scheduler's DefaultPreemption.
 */
import type { Pod } from '../../api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../../api/kinds/policy.ts';
import { parseTime } from '../../api/time.ts';
import { mayDisrupt } from '../disruption/may-disrupt.ts';
import {
  type Candidate,
  leastLosing,
  leastLoss,
  type Loss,
  lossOf,
  LOWEST_PRIORITY,
  NO_LOSS,
  type Prospects,
} from './loss.ts';
import { countReasons, preemptionMessage, type ReasonCounts } from './message.ts';
import type { Pass } from './pass.ts';
import { compareText, isPending } from './pending.ts';
import type { PodShape, SpecShape } from './shape.ts';

export interface Preempted {
  readonly node: number;
  readonly victims: readonly Pod[];
}

/** How a search ended that found nothing, as the end of the pod's message. */
export interface NotPreempted {
  readonly message: string;
}

/** Pods end for this one already; what it waits for it has been told. */
export interface UnderWay {
  readonly isUnderWay: true;
}

const UNDER_WAY: UnderWay = { isUnderWay: true };

/** A pod of lower priority, and what decides whether it goes. */
interface Victim {
  readonly pod: Pod;
  readonly shape: PodShape;
  readonly priority: number;
  readonly startMs: number;
  readonly isTerminating: boolean;
}

/** The search of one shape at one priority, kept while its answers stay true. */
interface Search {
  readonly prospects: Prospects;
  /** How far the cluster's log is worked in. */
  seen: number;
}

/** As many are kept for the next pass: each knows of all nodes, some hundred bytes of each. */
const MAX_SEARCHES = 16;
/** Shapes that look at other pods are judged anew on every node: no more of them than this. */
const MAX_NODES_ANEW = 256;

export const NO_VICTIMS = 'No preemption victims found for incoming pod';
export const NOT_HELPFUL = 'Preemption is not helpful for scheduling';
export const POLICY_NEVER = 'not eligible due to preemptionPolicy=Never.';

export class Preemption {
  readonly #pass: Pass;
  #budgets: readonly PodDisruptionBudget[];
  #nowMs: number;
  /** What of the log they have worked in holds as long as nothing of it is cleared. */
  readonly #searches = new Map<string, Search>();
  #clearings: number;
  /** What is known of pods that may go: it is asked for many times. */
  readonly #victims = new Map<Pod, Victim>();
  readonly #timesMs = new Map<string, number>();
  /** Pods whose room is held already. */
  readonly #held = new Set<Pod>();

  constructor(pass: Pass, budgets: readonly PodDisruptionBudget[], nowMs: number) {
    this.#pass = pass;
    this.#budgets = budgets;
    this.#nowMs = nowMs;
    this.#clearings = pass.engine.cluster.clearings;
  }

  /**
   * The pass goes on from the one before. What was found out of a node is true as long as nothing
   * changes there, but for what budgets said.
   */
  follow(budgets: readonly PodDisruptionBudget[], nowMs: number): void {
    const { clearings } = this.#pass.engine.cluster;
    const isStale = clearings !== this.#clearings || this.#searches.size > MAX_SEARCHES;
    if (isStale || this.#budgets.length + budgets.length > 0) this.#searches.clear();
    this.#clearings = clearings;
    this.#budgets = budgets;
    this.#nowMs = nowMs;
    this.#victims.clear();
    this.#timesMs.clear();
    this.#held.clear();
  }

  /** Makes room for the pod in the pass, if pods of lower priority may go for it. */
  preempt(pod: Pod): Preempted | UnderWay | NotPreempted {
    if (pod.spec.preemptionPolicy === 'Never') return { message: POLICY_NEVER };
    if (this.#held.has(pod)) return UNDER_WAY;
    const shape = this.#pass.shapeOf(pod);
    const nominated = this.#nominatedNode(pod, shape);
    if (nominated !== undefined) {
      this.#pass.hold(pod, nominated);
      this.#held.add(pod);
      return UNDER_WAY;
    }
    const best = this.#search(pod, shape);
    if (!best) return { message: this.#whyNot(shape) };
    const { node, victims } = best;
    for (const victim of victims) {
      this.#victims.set(victim, { ...this.#victimOf(victim), isTerminating: true });
    }
    this.#pass.hold(pod, node);
    return { node, victims };
  }

  /** The pass has taken back the room that was made for the pod: nobody goes for it. */
  undo(pod: Pod, victims: readonly Pod[] = []): void {
    this.#held.delete(pod);
    for (const victim of victims) {
      const known = this.#victimOf(victim);
      this.#victims.set(victim, { ...known, isTerminating: isTerminating(victim) });
    }
  }

  /** The node on which pods end for this one already, as long as that will do. */
  #nominatedNode(pod: Pod, shape: PodShape): number | undefined {
    const { nominatedNodeName } = pod.status;
    const node = this.#pass.engine.cluster.nodeNamed(nominatedNodeName ?? '');
    if (node === undefined) return undefined;
    const ending = [...this.#pass.podsOn(node).keys()]
      .filter((other) => isTerminating(other) && priorityOf(other) < priorityOf(pod))
      .map((other) => this.#victimOf(other));
    if (ending.length === 0) return undefined;
    return this.#without(ending, node, () => this.#pass.engine.allows(shape, node))
      ? node
      : undefined;
  }

  #search(pod: Pod, shape: PodShape): Candidate | undefined {
    const { engine, nodeCount } = this.#pass;
    const { log } = engine.cluster;
    if (engine.looksAtPods(shape)) return leastLoss(this.#judgeAnew(pod, shape));
    const key = `${priorityOf(pod)} ${shape.key}`;
    let search = this.#searches.get(key);
    if (!search) {
      const prospects = Array.from({ length: nodeCount }, (_, node) =>
        this.#hope(pod, shape, node),
      );
      search = { prospects, seen: log.length };
      this.#searches.set(key, search);
    }
    const changed = new Set(log.slice(search.seen));
    for (const node of changed) {
      if (node < nodeCount) search.prospects[node] = this.#hope(pod, shape, node);
    }
    const found = leastLosing(search.prospects, (node) => this.#judge(pod, shape, node));
    search.seen = log.length;
    return found;
  }

  /** No choice of victims on the node can lose less; undefined where nobody may go. */
  #hope(pod: Pod, shape: PodShape, node: number): Loss | undefined {
    const priority = priorityOf(pod);
    const lower: PodShape[] = [];
    let [lowest, latestMs] = [priority, -Infinity];
    for (const [other, itsShape] of this.#pass.podsOn(node)) {
      const its = priorityOf(other);
      if (its >= priority || isPending(other)) continue;
      // It goes in any case, which may be enough.
      if (this.#victims.get(other)?.isTerminating ?? isTerminating(other)) return NO_LOSS;
      lower.push(itsShape);
      if (its < lowest) latestMs = -Infinity;
      lowest = Math.min(lowest, its);
      if (its === lowest) latestMs = Math.max(latestMs, this.#startMs(other));
    }
    if (lower.length === 0) return undefined;
    const count = this.#fewestGone(shape, lower, node);
    if (count > lower.length) return undefined;
    const prioritySum = count * (lowest - LOWEST_PRIORITY);
    return { violations: 0, highestPriority: lowest, prioritySum, count, startedAtMs: latestMs };
  }

  /**
   * How many of these have to go, if each had as much of a resource as the one with most of it;
   * more than there are where all of them are not enough.
   */
  #fewestGone(shape: PodShape, lower: readonly PodShape[], node: number): number {
    const { cluster } = this.#pass.engine;
    if (cluster.isVirtual[node] === 1) return 1;
    let fewest = 1;
    const { requests } = shape.spec;
    for (const resource in requests) {
      const asked = requests[resource] ?? 0;
      const column = cluster.column(resource);
      const lacking = column.usedAt(node) + asked - column.allocatableAt(node);
      if (asked <= 0 || lacking <= 0) continue;
      let most = 0;
      for (const { spec } of lower) most = Math.max(most, spec.requests[resource] ?? 0);
      fewest = Math.max(fewest, Math.ceil(lacking / most));
    }
    return fewest;
  }

  #judgeAnew(pod: Pod, shape: PodShape): readonly Candidate[] {
    const found: Candidate[] = [];
    let judged = 0;
    for (let node = 0; node < this.#pass.nodeCount && judged < MAX_NODES_ANEW; node++) {
      if (this.#victimsOn(pod, node).length === 0) continue;
      judged++;
      const candidate = this.#judge(pod, shape, node);
      if (candidate) found.push(candidate);
    }
    return found;
  }

  #victimsOn(pod: Pod, node: number): Victim[] {
    const priority = priorityOf(pod);
    const victims: Victim[] = [];
    for (const other of this.#pass.podsOn(node).keys()) {
      if (priorityOf(other) < priority && !isPending(other)) victims.push(this.#victimOf(other));
    }
    return victims;
  }

  /** Times are of seconds, which many pods share. */
  #startMs({ status, metadata }: Pod): number {
    const text = status.startTime ?? metadata.creationTimestamp;
    let ms = this.#timesMs.get(text);
    if (ms === undefined) {
      ms = parseTime(text) ?? 0;
      this.#timesMs.set(text, ms);
    }
    return ms;
  }

  #victimOf(pod: Pod): Victim {
    let victim = this.#victims.get(pod);
    if (!victim) {
      const shape = this.#pass.shapeOf(pod);
      const [priority, startedMs] = [priorityOf(pod), this.#startMs(pod)];
      victim = { pod, shape, priority, startMs: startedMs, isTerminating: isTerminating(pod) };
      this.#victims.set(pod, victim);
    }
    return victim;
  }

  /** What the node would lose to the pod; undefined when nothing helps there. */
  #judge(pod: Pod, shape: PodShape, node: number): Candidate | undefined {
    if (this.#pass.engine.refusesEmpty(shape, node)) return undefined;
    const lower = this.#victimsOn(pod, node);
    if (lower.length === 0 || !this.#pass.engine.mayBeHelpedAt(shape, node, 'podGone')) {
      return undefined;
    }
    return this.#without(lower, node, () => {
      if (!this.#pass.engine.allowsNow(shape, node)) return undefined;
      // Pods that are on their way out go in any case, and are no loss.
      const lasting = lower.filter((other) => !other.isTerminating).sort(moreImportant);
      // The same order always, since a budget goes to those who ask first.
      const refused = this.#refused(lasting);
      const inOrder = lasting.sort(
        (a, b) => Number(refused.has(b.pod)) - Number(refused.has(a.pod)),
      );
      const victims = this.#thoseWhoGo(inOrder, shape, node);
      const violations = victims.filter(({ pod: victim }) => refused.has(victim)).length;
      return { node, victims: victims.map((one) => one.pod), ...lossOf(victims, violations) };
    });
  }

  /** Those that a budget protects. */
  #refused(victims: readonly Victim[]): ReadonlySet<Pod> {
    if (this.#budgets.length === 0) return NOBODY;
    const pods = victims.map(({ pod }) => pod);
    const { refused } = mayDisrupt(pods, this.#budgets, this.#nowMs);
    return new Set(refused.map(({ pod }) => pod));
  }

  /** Puts back as many as may stay, takes them off again, and tells of the others. */
  #thoseWhoGo(inOrder: readonly Victim[], shape: PodShape, node: number): readonly Victim[] {
    // Where other nodes' pods don't matter, room only shrinks, and of those alike all have to go.
    const areAlike = !this.#pass.engine.looksAtPods(shape);
    const going = new Set<SpecShape>();
    const staying: Victim[] = [];
    const victims = inOrder.filter((other) => {
      const { spec } = other.shape;
      if (!(areAlike && going.has(spec)) && this.#mayStay(other, shape, node)) {
        staying.push(other);
        return false;
      }
      going.add(spec);
      return true;
    });
    for (const other of staying) this.#shift(other, node, -1);
    return victims;
  }

  /** Puts the pod back, unless there is no room for both. */
  #mayStay(other: Victim, shape: PodShape, node: number): boolean {
    this.#shift(other, node, 1);
    if (this.#pass.engine.allowsNow(shape, node)) return true;
    this.#shift(other, node, -1);
    return false;
  }

  /** What is so when these pods are not on the node. */
  #without<T>(pods: readonly Victim[], node: number, ask: () => T): T {
    for (const pod of pods) this.#shift(pod, node, -1);
    const answer = ask();
    for (const pod of pods) this.#shift(pod, node, 1);
    return answer;
  }

  #shift({ pod, shape }: Victim, node: number, sign: 1 | -1): void {
    this.#pass.engine.place(shape, node, sign, pod);
  }

  #whyNot(shape: PodShape): string {
    const { engine, nodeCount } = this.#pass;
    if (nodeCount === 0) return '';
    const reasons = Array.from({ length: nodeCount }, (_, node) =>
      engine.allows(shape, node)
        ? []
        : [engine.mayBeHelpedAt(shape, node, 'podGone') ? NO_VICTIMS : NOT_HELPFUL],
    );
    const counts: ReasonCounts = countReasons(reasons);
    return preemptionMessage(nodeCount, counts);
  }
}

const NOBODY: ReadonlySet<Pod> = new Set();

export function priorityOf({ spec }: Pod): number {
  return spec.priority ?? 0;
}

function isTerminating({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** Negative if `a` is to be kept rather: higher priority, then longer running. */
function moreImportant(a: Victim, b: Victim): number {
  return (
    b.priority - a.priority ||
    a.startMs - b.startMs ||
    compareText(a.pod.metadata.uid, b.pod.metadata.uid)
  );
}
