/**
 * Tasks that are only played: the runtime of tests, of the simulation, and of machines without
 * Docker. What a task does stands in an annotation of its pod (simulated-rules.ts); nodes can be
 * cut off and lost.
 *
 * Owns: the tasks, and when their next frames are due. Does not own: what the frames are
 * (simulated-script.ts, simulated-task.ts), or what messages may suffer on their way: nothing is
 * lost here.
 *
 * Invariants:
 *  T1 An id runs at most once, for as long as this runtime lives.
 *  T2 At most one timer is waited for, and none while nothing is due.
 *  T3 What `run` answers is not told again: a task that starts at once costs no message.
 */
import type { HealthMessage, TaskSpec, TaskState } from '../../shared/api/task.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import {
  type ExecSession,
  type LogOptions,
  NoCapacity,
  NoSuchTask,
  TaskRejected,
  type TaskRuntime,
} from '../../shared/ports/runtime.ts';
import { encoded } from './simulated-logs.ts';
import { type Rules, rulesOf, type TaskRules } from './simulated-rules.ts';
import {
  asked,
  isLive,
  killed,
  launched,
  linesOf,
  played,
  type TaskRecord,
} from './simulated-task.ts';
import { TimerHeap } from './timer-heap.ts';

export type { TaskRecord } from './simulated-task.ts';

export interface SimulatedRuntimeOptions {
  readonly clock: Clock;
  /** Told of each change of a task or a node, within the call that makes it. */
  readonly emit: (message: HealthMessage) => void;
  /** What holds of tasks whose rules do not say otherwise. Without, everything happens at once. */
  readonly delays?: Pick<Rules, 'pullDelayMs' | 'startDelayMs' | 'readyDelayMs' | 'stopDelayMs'>;
  /** What a node can take; without, or for nodes it does not know, everything. */
  readonly capacity?: (nodeName: string) => NodeCapacity | undefined;
  /** Where tasks are kept over a restart. */
  readonly journal?: TaskJournal;
}

export interface NodeCapacity {
  readonly cpuMillis: number;
  readonly gpus: number;
}

export interface TaskJournal {
  load(): readonly TaskRecord[];
  put(id: string, record: TaskRecord): void;
  remove(id: string): void;
}

/**
 * A reason given: without one each abort makes an error with a stack, which costs more than all
 * else.
 */
const WOKEN = 'woken';

/** Ended tasks are described for this long, as the port asks. */
const REMEMBERED_MS = 3_600_000;

/** No delay of a clock is longer; what is due later is waited for in turns. */
const LONGEST_DELAY_MS = 86_400_000;

/** The first address that is given out: 10.64.0.1. */
const FIRST_ADDRESS = (10 << 24) | (64 << 16) | 1;

interface Due {
  readonly atMs: number;
  readonly id: string;
}

export class SimulatedRuntime implements TaskRuntime {
  readonly #options: SimulatedRuntimeOptions;
  readonly #tasks = new Map<string, TaskRecord>();
  /** Ids of tasks that ended too long ago to be described. They never run again (T1). */
  readonly #forgotten = new Set<string>();
  /** Live tasks only, so that the sweep's question costs no walk over all that ever was. */
  readonly #live = new Set<string>();
  readonly #ended: string[] = [];
  readonly #nodes = new Map<string, 'disconnected' | 'gone'>();
  /** What is known of the tasks on nodes that are cut off. */
  readonly #lastKnown = new Map<string, TaskState>();
  /** Stops that wait for the node to come back: task id to grace. */
  readonly #stops = new Map<string, number>();
  readonly #used = new Map<string, NodeCapacity>();
  readonly #agenda = new TimerHeap<Due>();
  readonly #due = new Map<string, Due>();
  readonly #watchers = new Map<string, Set<() => void>>();
  #timer: { readonly atMs: number; readonly abort: AbortController } | undefined;
  #addresses = 0;

  constructor(options: SimulatedRuntimeOptions) {
    this.#options = options;
    for (const record of options.journal?.load() ?? []) this.#restore(record);
    this.#arm();
  }

  async run(task: TaskSpec): Promise<TaskState> {
    const known = this.#tasks.get(task.id);
    if (known) return this.#visible(known);
    if (this.#forgotten.has(task.id)) return forgotten(task);
    const rules = rulesOf(task);
    this.#admit(task, rules);
    const nowMs = this.#now();
    const ip = address(this.#addresses++);
    const record = launched(task, rules, this.#options.delays ?? {}, ip, nowMs);
    this.#live.add(task.id);
    this.#use(record, 1);
    return this.#settle(record, false).state;
  }

  async stop(taskId: string, graceSeconds: number): Promise<void> {
    const record = this.#tasks.get(taskId);
    if (!record || !isLive(record)) return;
    if (this.#nodes.has(record.state.nodeName)) this.#stops.set(taskId, graceSeconds);
    else this.#settle(asked(record, graceSeconds, this.#now()));
  }

  async describe(taskIds: readonly string[]): Promise<readonly TaskState[]> {
    return taskIds.flatMap((id) => {
      const record = this.#tasks.get(id);
      return record ? this.#visible(record) : [];
    });
  }

  async list(): Promise<readonly string[]> {
    const seenLive = [...this.#lastKnown].filter(([, { phase }]) => phase !== 'stopped');
    return [...new Set([...this.#live, ...seenLive.map(([id]) => id)])];
  }

  async *logs(taskId: string, container: string, options: LogOptions): AsyncIterable<Uint8Array> {
    let given = 0;
    let bytesLeft = options.limitBytes ?? Infinity;
    for (;;) {
      const record = this.#tasks.get(taskId);
      const output = record && linesOf(record, container);
      if (!output) throw new NoSuchTask(`no container ${container} in task ${taskId}`);
      const wanted = output.lines.filter(({ atMs }) => atMs >= (options.sinceMs ?? 0));
      if (given === 0) given = Math.max(0, wanted.length - (options.tailLines ?? Infinity));
      for (const line of wanted.slice(given)) {
        const bytes = encoded(line, options.timestamps).subarray(0, bytesLeft);
        bytesLeft -= bytes.length;
        if (bytes.length > 0) yield bytes;
      }
      given = wanted.length;
      if (!options.follow || output.ended || options.signal.aborted || bytesLeft <= 0) return;
      await this.#changeOf(taskId, options.signal);
    }
  }

  async exec(taskId: string): Promise<ExecSession> {
    if (!this.#tasks.has(taskId)) throw new NoSuchTask(`no task ${taskId}`);
    const message = 'a simulated task has no processes; start Nullplane with --runtime=docker';
    throw new TaskRejected('NotSupported', message);
  }

  /** Ends a task as a crash would. */
  killTask(taskId: string, exitCode: number): void {
    const record = this.#tasks.get(taskId);
    if (!record) return;
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    this.#settle(killed(record, { exitCode, reason }, this.#now()));
  }

  /** Cuts a node off: its tasks live on, and nobody hears of them or reaches them. */
  disconnectNode(nodeName: string): void {
    if (this.#nodes.has(nodeName)) return;
    for (const { state } of this.#tasksOn(nodeName)) this.#lastKnown.set(state.id, state);
    this.#nodes.set(nodeName, 'disconnected');
    this.#tellOfNode(nodeName, 'disconnected');
  }

  /** The node is back, and tells what has happened meanwhile. */
  reconnectNode(nodeName: string): void {
    this.#nodes.delete(nodeName);
    this.#tellOfNode(nodeName, 'connected');
    for (const { state } of this.#tasksOn(nodeName)) {
      const known = this.#lastKnown.get(state.id);
      this.#lastKnown.delete(state.id);
      if (known && known.version !== state.version) this.#tell(state);
      const graceSeconds = this.#stops.get(state.id);
      this.#stops.delete(state.id);
      if (graceSeconds !== undefined) void this.stop(state.id, graceSeconds);
    }
  }

  /** The node's machine is no more, and its tasks with it. */
  terminateNode(nodeName: string): void {
    if (this.#nodes.get(nodeName) === 'gone') return;
    this.#nodes.set(nodeName, 'gone');
    this.#tellOfNode(nodeName, 'gone');
    const how = { exitCode: 137, reason: 'Error', taskReason: 'NodeLost' };
    for (const record of this.#tasksOn(nodeName)) {
      const known = this.#lastKnown.get(record.state.id);
      this.#lastKnown.delete(record.state.id);
      this.#stops.delete(record.state.id);
      // What ended while the node was cut off has been told to nobody.
      if (known && known.version !== record.state.version) this.#tell(record.state);
      this.#settle(killed(record, how, this.#now()));
    }
  }

  /** Lets go of the clock. Tasks stay as they are, in the journal if there is one. */
  close(): Promise<void> {
    this.#timer?.abort.abort(WOKEN);
    this.#timer = undefined;
    return Promise.resolve();
  }

  #now(): number {
    return this.#options.clock.nowMs();
  }

  #visible(record: TaskRecord): TaskState {
    return this.#lastKnown.get(record.state.id) ?? record.state;
  }

  #tasksOn(nodeName: string): readonly TaskRecord[] {
    return [...this.#tasks.values()].filter(({ state }) => state.nodeName === nodeName);
  }

  #admit(task: TaskSpec, rules: TaskRules): void {
    const { nodeName } = task;
    if (rules.reject !== undefined) throw new TaskRejected('CreateContainerError', rules.reject);
    if (rules.noCapacity) throw new NoCapacity(`node ${nodeName} has no room, as its rules say`);
    const status = this.#nodes.get(nodeName);
    if (status) throw new NoCapacity(`node ${nodeName} is ${status}`);
    const capacity = this.#options.capacity?.(nodeName);
    if (!capacity) return;
    const used = this.#used.get(nodeName) ?? { cpuMillis: 0, gpus: 0 };
    const cpuMillis = task.containers.reduce((n, c) => n + c.cpuMillisRequest, used.cpuMillis);
    const gpus = task.containers.reduce((n, c) => n + c.gpus, used.gpus);
    if (cpuMillis > capacity.cpuMillis) throw new NoCapacity(`${nodeName} has not enough CPU left`);
    if (gpus > capacity.gpus) throw new NoCapacity(`${nodeName} has not enough GPUs left`);
  }

  /** Plays what is due, keeps the task, and sees to what comes next. */
  #settle(given: TaskRecord, tells = true): TaskRecord {
    let record = given;
    const nowMs = this.#now();
    for (let next = played(record, nowMs); next; next = played(record, nowMs)) {
      record = next;
      if (tells) this.#tell(record.state);
    }
    const { id } = record.state;
    this.#tasks.set(id, record);
    this.#options.journal?.put(id, record);
    if (!isLive(record) && this.#live.delete(id)) this.#bury(record);
    this.#schedule(id, record.script[0]?.atMs);
    for (const wake of this.#watchers.get(id) ?? []) wake();
    return record;
  }

  #restore(record: TaskRecord): void {
    const { id } = record.state;
    this.#addresses++;
    this.#tasks.set(id, record);
    if (!isLive(record)) {
      this.#ended.push(id);
      return;
    }
    this.#live.add(id);
    this.#use(record, 1);
    this.#schedule(id, record.script[0]?.atMs);
  }

  #bury(record: TaskRecord): void {
    this.#use(record, -1);
    this.#ended.push(record.state.id);
    const forgetBeforeMs = this.#now() - REMEMBERED_MS;
    for (let id = this.#ended[0]; id !== undefined; id = this.#ended[0]) {
      if ((this.#tasks.get(id)?.endedAtMs ?? 0) > forgetBeforeMs) return;
      this.#ended.shift();
      this.#tasks.delete(id);
      this.#forgotten.add(id);
      this.#options.journal?.remove(id);
    }
  }

  #use({ state, cpuMillis, gpus }: TaskRecord, sign: 1 | -1): void {
    const used = this.#used.get(state.nodeName) ?? { cpuMillis: 0, gpus: 0 };
    this.#used.set(state.nodeName, {
      cpuMillis: used.cpuMillis + sign * cpuMillis,
      gpus: used.gpus + sign * gpus,
    });
  }

  #tell(task: TaskState): void {
    if (this.#nodes.get(task.nodeName) === 'disconnected') return;
    this.#options.emit({ type: 'task', task });
  }

  #tellOfNode(nodeName: string, status: 'connected' | 'disconnected' | 'gone'): void {
    this.#options.emit({ type: 'node', nodeName, status, atMs: this.#now() });
  }

  #changeOf(taskId: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const watchers = this.#watchers.get(taskId) ?? new Set();
    this.#watchers.set(taskId, watchers.add(resolve));
    signal.addEventListener('abort', () => resolve(), { once: true });
    return promise.finally(() => {
      watchers.delete(resolve);
      if (watchers.size === 0) this.#watchers.delete(taskId);
    });
  }

  #schedule(id: string, atMs: number | undefined): void {
    const old = this.#due.get(id);
    if (old) this.#agenda.delete(old);
    this.#due.delete(id);
    if (atMs === undefined) return;
    const due = { atMs, id };
    this.#due.set(id, due);
    this.#agenda.add(due);
    this.#arm();
  }

  /** Waits for what is due first (T2). */
  #arm(): void {
    const first = this.#agenda.first;
    if (!first || (this.#timer && this.#timer.atMs <= first.atMs)) return;
    this.#timer?.abort.abort(WOKEN);
    const abort = new AbortController();
    this.#timer = { atMs: first.atMs, abort };
    const delayMs = Math.min(Math.max(0, first.atMs - this.#now()), LONGEST_DELAY_MS);
    void this.#options.clock.delay(delayMs, abort.signal).then(() => {
      if (abort.signal.aborted) return;
      this.#timer = undefined;
      this.#playDue();
    });
  }

  #playDue(): void {
    const nowMs = this.#now();
    for (let due = this.#agenda.takeDue(nowMs); due; due = this.#agenda.takeDue(nowMs)) {
      this.#due.delete(due.id);
      const record = this.#tasks.get(due.id);
      if (record) this.#settle(record);
    }
    this.#arm();
  }
}

/** The state of a task that ended so long ago that nothing is known of it but its id. */
function forgotten(task: TaskSpec): TaskState {
  const state = { type: 'waiting', reason: 'ContainerCreating' } as const;
  const report = ({ name, image }: { name: string; image: string }) => {
    return { name, image, state, started: false, ready: false };
  };
  const { id, podUid, attempt, namespace, podName, nodeName } = task;
  return {
    ...{ id, podUid, attempt, namespace, podName, nodeName },
    version: Number.MAX_SAFE_INTEGER,
    phase: 'stopped',
    initContainers: task.initContainers.map(report),
    containers: task.containers.map(report),
    reason: 'TaskForgotten',
    message: 'the task ended more than an hour ago',
  };
}

function address(count: number): string {
  const number = FIRST_ADDRESS + count;
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}
