/**
 * The scheduler's decision: which pending pod goes where, who makes room, what is launched, and why
 * the others wait. Pure: the same snapshot gives the same answer, whatever the order of its lists.
 *
 * Owns: what a pass amounts to. Does not own: the order of tries (run.ts), where a pod may go
 * (plugins), how nodes are compared (engine.ts), which machines are launched (capacity/), what is
 * written (plans.ts).
 */
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { PlannedMachine } from '../capacity/claim/draft.ts';
import type { MachineType } from '../capacity/machine-type.ts';
import { Market } from '../capacity/market.ts';
import { type GangToProvide, provision } from '../capacity/provision.ts';
import { shortForMs } from '../node/shortage.ts';
import type { Plan } from '../plan.ts';
import { batchesOf } from './batches.ts';
import { cellsOfPods, DEFAULT_CELL } from './cells.ts';
import { Choices, type Inspection } from './choices.ts';
import { Decisions } from './decisions.ts';
import type { Enabled, Gate } from './framework.ts';
import { isOfGang } from './gang/membership.ts';
import { type GangReport, gangReports, giveBackPlan, groupPlan, saidOfPod } from './gang/report.ts';
import { togetherByGang } from './gang/together.ts';
import { Ground } from './ground.ts';
import { digestSum, inputDigest } from './input-digest.ts';
import { type Queue, queueOf } from './items.ts';
import { type PassGiven, type PassMemory, type Recalled, Remembered } from './memory.ts';
import { countReasons, type ReasonCounts, unschedulableMessage } from './message.ts';
import type { Pass, Placement } from './pass.ts';
import { isPending, queueOrder } from './pending.ts';
import {
  bindPlan,
  claimPlan,
  gatedPlan,
  preemptionPlan,
  unschedulablePlan,
  waitingPlan,
  waitsFor,
} from './plans.ts';
import type { Preempted } from './preemption.ts';
import { PLUGINS } from './registry.ts';
import { type Left, Run } from './run.ts';
import type { PodShape } from './shape.ts';
import type { ClusterSnapshot } from './snapshot.ts';

export type { Placement } from './pass.ts';
export type { ClusterSnapshot } from './snapshot.ts';

export interface Unschedulable {
  readonly pod: Pod;
  readonly message: string;
  /** On how many nodes each reason holds. */
  readonly reasons: ReasonCounts;
}

export interface SchedulingResult {
  readonly placements: readonly Placement[];
  readonly unschedulable: readonly Unschedulable[];
  readonly preemptions: readonly Preemptor[];
  readonly machines: readonly PlannedMachine[];
  readonly plans: readonly Plan[];
  /** Another pass would place more: this one had gone through its queue often enough. */
  readonly unfinished: boolean;
  /** Time alone may change the answer after so long. */
  readonly againAfterMs?: number;
  /** Of the pod that was asked about. */
  readonly inspection?: Inspection;
}

export interface Preemptor {
  readonly pod: Pod;
  readonly node: string;
  readonly victims: readonly Pod[];
}

export interface ScheduleOptions {
  readonly plugins?: readonly Enabled[];
  /** As many launches as the runtime takes in one question (core/pod/batch.ts). */
  readonly batchSize?: number;
  /** What machines can be had; nothing is launched without. */
  readonly types?: readonly MachineType[];
  /** What the pass before has read, and this one has to read no more: for the next one as well. */
  readonly memory?: PassMemory;
  /** The pod about which everything is to be told: `SchedulingResult.inspection`. */
  readonly inspect?: (pod: Pod) => boolean;
}

const NOTHING_PENDING: SchedulingResult = {
  placements: [],
  unschedulable: [],
  preemptions: [],
  machines: [],
  plans: [],
  unfinished: false,
};

export function schedule(
  snapshot: ClusterSnapshot,
  nowMs: number,
  options: ScheduleOptions = {},
): SchedulingResult {
  const { memory, plugins = PLUGINS } = options;
  const given = { snapshot, plugins, nowMs };
  const known = memory?.take(given);
  if (known) known.last.follow(given, known.changed);
  const pending = known ? [...known.last.known.pending] : snapshot.pods.filter(isPending);
  // Nothing is read for nobody; what has been read is kept up to date.
  if (pending.length === 0 && !known) return NOTHING_PENDING;
  const scheduling = new Scheduling(given, options, known);
  const result = pending.length > 0 ? scheduling.of(pending.sort(queueOrder)) : NOTHING_PENDING;
  memory?.keep(scheduling.remembered());
  return result;
}

class Scheduling {
  readonly #snapshot: ClusterSnapshot;
  readonly #nowMs: number;
  readonly #options: ScheduleOptions;
  readonly #plugins: readonly Enabled[];
  readonly #market: Market;
  readonly #pass: Pass;
  readonly #run: Run;
  readonly #choices: Choices;
  readonly #decisions: Decisions;
  readonly #ground: Ground;
  readonly #given: PassGiven;
  readonly #last: Remembered | undefined;
  /** Of ledgers and pods. */
  #digest: number | undefined;

  constructor(given: PassGiven, options: ScheduleOptions, known?: Recalled) {
    const { snapshot, plugins, nowMs } = given;
    const { types = [], inspect } = options;
    this.#given = given;
    this.#snapshot = snapshot;
    this.#nowMs = nowMs;
    this.#options = options;
    this.#plugins = plugins;
    this.#market = new Market(snapshot, types, nowMs);
    this.#choices = new Choices(inspect);
    const choices = this.#choices;
    this.#last = known?.last;
    this.#ground = known?.last.ground ?? new Ground(snapshot, plugins, this.#market, choices);
    if (known) this.#ground.follow(snapshot, known.changed, this.#market, choices);
    const { pass, closeness, preemption } = this.#ground;
    this.#pass = pass;
    const input = () => this.#input();
    this.#decisions = new Decisions({ snapshot, pass, choices, types, nowMs, input });
    this.#run = new Run({ pass, closeness, preemption });
  }

  /** For the pass after this one, when all is done. */
  remembered(): Remembered {
    return this.#last ?? new Remembered(this.#ground, this.#given, this.#digest);
  }

  #input(): string {
    const { pods, ledgers } = this.#snapshot;
    this.#digest ??= this.#last?.known.digest ?? digestSum(pods) + digestSum(ledgers);
    return inputDigest(this.#snapshot, this.#digest);
  }

  of(pending: readonly Pod[]): SchedulingResult {
    const pass = this.#pass;
    const gated = this.#gated(pending);
    const ready = pending.filter((pod) => !gated.has(pod));
    const { pods, groups = [] } = this.#snapshot;
    const ofGangs = this.#last ? [...this.#last.known.ofGangs] : pods;
    const queue = queueOf(ready, ofGangs, groups, this.#nowMs);
    const left = this.#run.run(queue.items);
    const { machines, left: unprovided } = this.#provide(queue, left);
    const reports = gangReports(queue.items, unprovided, pass, this.#market);
    const { unschedulable, open } = this.#explain(unprovided, reports);
    const givingBack = this.#giveBack(unschedulable, queue);
    const preemptions = [...this.#run.preempted].map(([pod, made]) => this.#preemptor(pod, made));
    const { inspection } = this.#choices;
    const [nowMs, decisions] = [this.#nowMs, this.#decisions];
    return {
      placements: pass.placements,
      unschedulable,
      preemptions,
      machines,
      plans: [
        ...machines.map((machine) => claimPlan(machine, nowMs, decisions)),
        ...this.#bindPlans(),
        ...preemptions.map((preemptor) => preemptionPlan(preemptor, nowMs, decisions)),
        ...this.#waitingPlans(queue),
        ...(givingBack ? [givingBack] : []),
        ...reports.flatMap((report) => groupPlan(report, nowMs) ?? []),
        ...unschedulable.flatMap(({ pod, message }) => {
          if (givingBack && pass.reservedFor(pod).length > 0) return [];
          return unschedulablePlan(pod, message, nowMs, decisions) ?? [];
        }),
        ...[...gated].flatMap(([pod, gate]) => gatedPlan(pod, gate, nowMs) ?? []),
      ],
      // What was given back is for others, in a pass that knows of it.
      unfinished: open > 0 || givingBack !== undefined,
      ...soonest(queue, ...(unschedulable.length > 0 ? this.#shortages() : [])),
      ...(inspection ? { inspection } : {}),
    };
  }

  /** When the end of a shortage may help those that wait. */
  #shortages(): readonly { readonly againAfterMs?: number }[] {
    const nodes = this.#snapshot.nodes.flatMap((node) => shortForMs(node, this.#nowMs) ?? []);
    return [this.#market.againAfter(true), ...nodes.map((againAfterMs) => ({ againAfterMs }))];
  }

  /** What gangs that have no place hold all the same (gang/report.ts: W1). */
  #giveBack(unschedulable: readonly Unschedulable[], { problems }: Queue): Plan | undefined {
    const told = unschedulable.map(({ pod, message }) => [pod, message] as const);
    const ofGangs = told.filter(([pod]) => isOfGang(pod));
    return giveBackPlan(new Map([...ofGangs, ...problems]), this.#pass, this.#nowMs);
  }

  #gated(pending: readonly Pod[]): ReadonlyMap<Pod, Gate> {
    return new Map(
      pending.flatMap((pod) => {
        const gate = gateOf(pod, this.#plugins);
        return gate ? [[pod, gate] as const] : [];
      }),
    );
  }

  /** Machines for those that are left, if there is where to launch them from. */
  #provide({ items }: Queue, left: readonly Left[]) {
    const isSettled = left.length === 0 && this.#pass.onVirtual.size === 0;
    if (!this.#market.isOpen || isSettled) return { machines: [], left };
    const lacking = new Set(left.map(({ pod }) => pod));
    const isForGang = new Set(left.flatMap(({ pod, gang }) => (gang === undefined ? [] : [pod])));
    const gangs = items.flatMap((item): readonly GangToProvide[] => {
      if (!('gang' in item)) return [];
      const pods = item.pods.filter((pod) => isForGang.has(pod));
      const needed = item.gang.minMember - item.placed;
      return pods.length > 0 && pods.length >= needed ? [{ pods, needed }] : [];
    });
    const result = provision({
      ...{ pass: this.#pass, fleet: this.#market.fleet, gangs },
      pools: this.#snapshot.pools ?? [],
      machineUsdPerHour: this.#market.machineUsdPerHour,
      left: [...lacking].filter((pod) => !isForGang.has(pod)),
    });
    const stillLeft = new Set(result.left);
    const provided = new Set(gangs.flatMap(({ pods }) => pods));
    const rest = left.filter(({ pod, gang }) => {
      return stillLeft.has(pod) || (gang !== undefined && !provided.has(pod));
    });
    return { machines: result.machines, left: rest };
  }

  /** Why each pod is left; `open` counts those that only the end of the rounds has left. */
  #explain(
    left: readonly Left[],
    reports: readonly GangReport[],
  ): { unschedulable: Unschedulable[]; open: number } {
    const ofGangs = new Map(
      reports.flatMap((report) => report.pods.map((pod) => [pod, saidOfPod(report)] as const)),
    );
    const byShape = new Map<string, Omit<Unschedulable, 'pod'> | undefined>();
    const cellOf = cellsOfPods(this.#snapshot.namespaces);
    const unschedulable: Unschedulable[] = [];
    for (const { pod, preemption } of left) {
      const gang = ofGangs.get(pod);
      const shape = this.#pass.shapeOf(pod);
      if (!byShape.has(shape.key)) byShape.set(shape.key, this.#explainShape(shape));
      const why = byShape.get(shape.key);
      if (!why && gang === undefined) continue;
      const { reasons = {}, message = '' } = why ?? {};
      const more = this.#market.whyNot(pod);
      const cell = cellOf(pod);
      const parts = [
        ...(cell === DEFAULT_CELL ? [] : [`cell ${cell}:`]),
        ...(gang === undefined ? [] : [`${gang}.`]),
        ...(message ? [more.length > 0 ? asSentence(message) : message] : []),
        ...(!preemption || gang !== undefined ? [] : [`preemption: ${preemption}`]),
        ...more,
      ];
      unschedulable.push({ pod, reasons, message: parts.join(' ') });
    }
    return { unschedulable, open: left.length - unschedulable.length };
  }

  #explainShape(shape: PodShape): Omit<Unschedulable, 'pod'> | undefined {
    const { engine, nodeCount } = this.#pass;
    const refusals = engine.refusals(shape).slice(0, nodeCount);
    if (refusals.some((reasons) => reasons.length === 0)) return undefined;
    const reasons = countReasons(refusals);
    return { reasons, message: unschedulableMessage(refusals.length, reasons) };
  }

  #bindPlans(): readonly Plan[] {
    const pass = this.#pass;
    const byNode = Map.groupBy(pass.placements, ({ node }) => node);
    const placed = pass.engine.cluster.nodes.flatMap((node) => {
      const pods = byNode.get(node.metadata.name)?.map(({ pod }) => pod);
      return pods ? [{ node, ledger: pass.ledgers.get(node.metadata.name), pods }] : [];
    });
    const batches = batchesOf(placed, this.#options.batchSize ?? 1, this.#nowMs);
    const { podsByUid: pods, devices } = pass;
    const given = {
      ...{ pods, batches, devices, nowMs: this.#nowMs },
      podsOn: ({ metadata }: Node) => pass.podsOnNamed(metadata.name),
      decisionOf: (pod: Pod, node: Node) => this.#decisions.placed(pod, node, this.#market.isOpen),
    };
    return togetherByGang(placed).map((placements) => bindPlan(placements, given));
  }

  #waitingPlans({ problems }: Queue): readonly Plan[] {
    const coming = this.#pass.awaiting.map(({ pod, node }) => [pod, waitsFor(node)] as const);
    // Of those that hold room `#giveBack` says it.
    const others = [...problems].filter(([pod]) => this.#pass.reservedFor(pod).length === 0);
    const all = [...coming, ...this.#run.waiting, ...others];
    return all.flatMap(([pod, message]) => waitingPlan(pod, message, this.#nowMs) ?? []);
  }

  #preemptor(pod: Pod, { node, victims }: Preempted): Preemptor {
    return { pod, node: this.#pass.nameOf(node), victims };
  }
}

function soonest(...given: readonly { readonly againAfterMs?: number }[]) {
  const times = given.flatMap(({ againAfterMs }) => againAfterMs ?? []);
  return times.length > 0 ? { againAfterMs: Math.min(...times) } : {};
}

function asSentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}

function gateOf(pod: Pod, plugins: readonly Enabled[]): Gate | undefined {
  for (const { plugin } of plugins) {
    const gate = plugin.gate?.(pod);
    if (gate) return gate;
  }
  return undefined;
}
