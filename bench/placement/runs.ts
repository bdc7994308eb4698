/**
 * Runs a workload through the pass that the product runs (control/scheduler.ts): a snapshot goes
 * in, plans come out, and what they write is in the next snapshot. Timed is the whole of
 * `schedule`, reading the snapshot's bound pods included; making and keeping objects is not. The
 * first pass of a run reads all of them, and the others what has changed since, as the product's
 * do. Runs are repeated (repeated.ts).
 *
 * A pass takes all pods that are pending. A burst is one pass; where others come in between
 * (churn), there is a pass each time that one of them would come at ten times the threshold, and
 * yet as many of them come as at the threshold itself: ten at once.
 */
import type { Node } from '../../shared/api/kinds/node.ts';
import type { Pod } from '../../shared/api/kinds/pod.ts';
import type { Enabled } from '../../shared/core/scheduling/framework.ts';
import { PassMemory } from '../../shared/core/scheduling/memory.ts';
import { PLUGINS } from '../../shared/core/scheduling/registry.ts';
import { schedule, type SchedulingResult } from '../../shared/core/scheduling/schedule.ts';
import { meanOf, repeated } from './repeated.ts';
import { ClusterState } from './state.ts';
import { churnCount, passCount, type Workload } from './workloads.ts';

export interface PlacementFigures {
  readonly workload: string;
  readonly nodes: number;
  readonly initPods: number;
  readonly pods: number;
  readonly passes: number;
  readonly placed: number;
  /** Others that came meanwhile: for how many victims were named, and how many found no place. */
  readonly preempting: number;
  readonly unschedulable: number;
  readonly podsPerSecond: number;
  /** Of the time that the thread itself computed: others on the machine hardly lengthen it. */
  readonly podsPerCpuSecond: number;
  /** Of the first run of the process, whose code is yet to be compiled. */
  readonly firstPodsPerSecond: number;
  readonly runs: number;
  /** Pods a second of the last tenth, over that of the first. */
  readonly lastToFirst: number;
  readonly peakRssMb: number;
}

export interface RunOptions {
  /** Pods that come at a time; all of them, or a tenth where others come meanwhile. */
  readonly lot?: number | undefined;
  /** One cold run, where nobody looks at its speed. */
  readonly isOnce?: boolean;
}

/** One run, from an empty cluster on. */
interface Ran {
  readonly passes: number;
  readonly placed: number;
  readonly preempting: number;
  readonly unschedulable: number;
  readonly ms: number;
  readonly cpuMs: number;
  readonly lastToFirst: number;
}

const TENTH = 10;
const NODE_WITHOUT_ROOM = { allocatable: { pods: '0' } };

export function measureWorkload(
  workload: Workload,
  { lot, isOnce = false }: RunOptions = {},
): PlacementFigures {
  const { first, runs } = repeated(() => runOnce(workload, lot), { isOnce });
  const { passes, placed, preempting, unschedulable } = first;
  const perSecond = (ms: number) => (placed / ms) * 1000;
  return {
    workload: workload.name,
    ...{ nodes: workload.nodes, initPods: workload.initPods, pods: workload.pods, passes },
    ...{ placed, preempting, unschedulable },
    podsPerSecond: perSecond(meanOf(runs, ({ ms }) => ms)),
    podsPerCpuSecond: perSecond(meanOf(runs, ({ cpuMs }) => cpuMs)),
    firstPodsPerSecond: perSecond(first.ms),
    runs: runs.length,
    lastToFirst: meanOf(runs, ({ lastToFirst }) => lastToFirst),
    peakRssMb: process.resourceUsage().maxRSS / 1024,
  };
}

function runOnce(workload: Workload, lot?: number): Ran {
  const state = new ClusterState();
  for (let i = 0; i < workload.nodes; i++) state.addNode(workload.node(i));
  init(state, workload);
  const measured = Array.from({ length: workload.pods }, (_, i) => workload.pod(i));
  const uids = new Set(measured.map(({ metadata }) => metadata.uid));
  const size = lot ?? Math.ceil(workload.pods / passCount(workload));
  const lots = Math.ceil(measured.length / size);
  const churning = new Churning(state, workload);
  const watch = new Stopwatch(state);
  let [placed, preempting, unschedulable] = [0, 0, 0];
  for (let i = 0; i < lots; i++) {
    for (const pod of measured.slice(i * size, (i + 1) * size)) state.addPod(pod);
    churning.come((i + 1) / lots);
    const result = watch.pass();
    placed += result.placements.filter(({ pod }) => uids.has(pod.metadata.uid)).length;
    preempting += result.preemptions.length;
    unschedulable = result.unschedulable.length;
  }
  return { passes: lots, placed, preempting, unschedulable, ...watch.figures };
}

function init(state: ClusterState, { initPod, initPods }: Workload): void {
  if (!initPod || initPods === 0) return;
  for (let i = 0; i < initPods; i++) state.addPod(initPod(i));
  const { plans, placements } = schedule(state.snapshot(), 0);
  if (placements.length < initPods) throw new Error('there is no room for the pods to begin with');
  state.carryOut(plans);
}

/** Brings the others, by and by. */
class Churning {
  readonly #state: ClusterState;
  readonly #workload: Workload;
  readonly #count: number;
  #come = 0;
  #last: { readonly node: Node; readonly pod: Pod } | undefined;

  constructor(state: ClusterState, workload: Workload) {
    this.#state = state;
    this.#workload = workload;
    this.#count = churnCount(workload);
  }

  /** `share`: how much of it all should have come. */
  come(share: number): void {
    const { churn } = this.#workload;
    if (!churn) return;
    for (; this.#come < Math.round(this.#count * share); this.#come++) {
      const pod = churn.pod(this.#come);
      if (churn.recreated) this.#recreate(pod);
      this.#state.addPod(pod);
    }
  }

  #recreate(pod: Pod): void {
    if (this.#last) {
      this.#state.removeNode(this.#last.node);
      this.#state.removePod(this.#last.pod);
    }
    const like = this.#workload.node(this.#workload.nodes + this.#come);
    const node = { ...like, status: NODE_WITHOUT_ROOM };
    this.#last = { node, pod };
    this.#state.addNode(node);
  }
}

interface Lap {
  readonly placed: number;
  readonly cpuMs: number;
  /** How the last tenth's speed compares to the first one's, within the pass. */
  readonly lastToFirst: number;
}

class Stopwatch {
  readonly #state: ClusterState;
  readonly #laps: Lap[] = [];
  readonly #memory = new PassMemory();
  readonly #tenths = new Tenths();
  readonly #plugins = [...PLUGINS, { plugin: this.#tenths.plugin, weight: 0 }];
  #ms = 0;
  #cpuMs = 0;

  constructor(state: ClusterState) {
    this.#state = state;
  }

  pass(): SchedulingResult {
    const snapshot = this.#state.snapshot();
    const bound = snapshot.pods.filter(({ spec }) => spec.nodeName !== undefined).length;
    this.#tenths.start(bound, snapshot.pods.length);
    const options = { plugins: this.#plugins, memory: this.#memory };
    const [startMs, startCpuMs] = [performance.now(), threadMs()];
    const result = schedule(snapshot, 0, options);
    this.#ms += performance.now() - startMs;
    const cpuMs = threadMs() - startCpuMs;
    this.#cpuMs += cpuMs;
    const { lastToFirst } = this.#tenths;
    this.#laps.push({ placed: result.placements.length, cpuMs, lastToFirst });
    this.#state.carryOut(result.plans);
    return result;
  }

  get figures(): Pick<Ran, 'ms' | 'cpuMs' | 'lastToFirst'> {
    return { ms: this.#ms, cpuMs: this.#cpuMs, lastToFirst: this.#lastToFirst() };
  }

  /** By passes, when there are several; by the pods of the one pass, otherwise. */
  #lastToFirst(): number {
    const laps = this.#laps;
    if (laps.length === 1) return laps[0]?.lastToFirst ?? 1;
    const tenth = Math.ceil(laps.length / TENTH);
    return rateOf(laps.slice(-tenth)) / rateOf(laps.slice(0, tenth));
  }
}

function rateOf(laps: readonly Lap[]): number {
  const sum = (of: (lap: Lap) => number) => laps.reduce((total, lap) => total + of(lap), 0);
  return sum(({ placed }) => placed) / sum(({ cpuMs }) => cpuMs);
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Looks at the clock at the ends of the first and the last tenth of the pods that get a place. */
class Tenths {
  readonly plugin: Enabled['plugin'];
  #ends: readonly number[] = [];
  #isEnd: ReadonlySet<number> = new Set();
  #count = 0;
  readonly #at = new Map<number, number>();

  constructor() {
    const track = (_node: number, sign: 1 | -1): void => {
      if (sign === 1 && this.#isEnd.has(++this.#count))
        this.#at.set(this.#count, performance.now());
    };
    // It says nothing of any node.
    this.plugin = { name: 'Tenths', helpedBy: [], begin: () => ({ track: () => track }) };
  }

  /** Of a pass that reads all pods anew, as the first of a run does; of others it is not asked. */
  start(bound: number, pods: number): void {
    const tenth = Math.floor((pods - bound) / TENTH);
    this.#ends = [bound + 1, bound + tenth, pods - tenth + 1, pods];
    this.#isEnd = new Set(this.#ends);
    this.#count = 0;
  }

  get lastToFirst(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#ends.map((end) => this.#at.get(end) ?? 0);
    return (b - a) / (d - c);
  }
}
