/**
 * One task on the engine: looks at it, decides (task-plan.ts), acts, and tells of every change.
 * Whatever happens (an event, a request, a probe, a restart of Nullplane) it does the same: look at
 * all of it again and take the next step.
 *
 * Owns: the order of looks, so that no older view is told after a newer one; versions; the task's
 * probe loops.
 * Does not own: what was decided, or how things are named and made.
 *
 * Invariants: S1 (see task-plan.ts) · S7 versions only grow · once told as stopped, a task's state
 * does not change.
 */
import type { ContainerSpec, TaskSpec, TaskState, WaitingReason } from '../../shared/api/task.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { runCommand } from './container-io.ts';
import { engineCall, isRefusal, messageOf, unlessAlready } from './engine.ts';
import { containerName, sandboxName } from './names.ts';
import { NotPrepared, prepareTask } from './prepare.ts';
import type { Workshop } from './prepare.ts';
import { askProbe } from './probe-actions.ts';
import { ProbeLoop } from './probe-loop.ts';
import type { ProbeKind } from './probe-loop.ts';
import { nextStep } from './task-plan.ts';
import type { Progress, Step } from './task-plan.ts';
import type { TaskRecord } from './task-record.ts';
import { reportTask } from './task-report.ts';
import { readTask } from './task-view.ts';
import type { MemberView, TaskView } from './task-view.ts';

/**
 * For what ends without having been asked to: a failed probe, the neighbours of an essential
 * container.
 */
const DEFAULT_GRACE_SECONDS = 30;
/** 128 and the number of SIGKILL. */
const KILLED_EXIT_CODE = 137;
/** After its grace, a container is killed: the engine answers soon after. */
const STOP_MARGIN_MS = 30_000;
/** Between tries of what the engine did not answer. Its events, once it is back, come sooner. */
const RETRY_MS = 5_000;
/** A task has a handful of steps; more in a row would be a defect here. */
const MAX_STEPS_IN_A_ROW = 100;
/**
 * A restarted Nullplane says nothing of readiness before it has asked, but does not wait for ever.
 */
const MAX_SETTLE_MS = 5_000;
/** The engine may tell of the end of a container before it tells that memory was the cause. */
const OOM_NEWS_MS = 300;
const PROBE_OUTPUT_BYTES = 1_024;

export interface TaskEnvironment extends Workshop {
  readonly clock: Clock;
  readonly tell: (state: TaskState) => void;
  /** The task has ended, and leaves nothing to see: remove it, but remember its state. */
  readonly bury: (task: TaskSpec, state: TaskState) => Promise<void>;
}

export class DockerTask {
  readonly spec: TaskSpec;
  readonly #environment: TaskEnvironment;
  readonly #closed = new AbortController();
  /** Containers that ran before this process knew of them. */
  readonly #takenUpAtMs: number;
  /** Containers that were gone, or could not be started, as they are to be seen from then on. */
  readonly #overrides = new Map<string, MemberView>();
  readonly #waiting = new Map<string, { reason: WaitingReason; message: string }>();
  readonly #killed = new Map<string, { reason: string; message: string }>();
  readonly #outOfMemory = new Set<string>();
  /** Killed containers whose cause was waited for. */
  readonly #inquired = new Set<string>();
  readonly #loops = new Map<string, ProbeLoop>();
  /** The grace, in seconds, that the engine was last told for a container. */
  readonly #ending = new Map<string, number>();
  #preparation = new AbortController();
  #progress: Progress;
  #lastView: TaskView = { members: new Map() };
  #told = '';
  #state: TaskState | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #isPoked = false;
  #settled: Promise<void>;

  /** `isNew`: this process has just claimed it. */
  constructor(environment: TaskEnvironment, record: TaskRecord, isNew: boolean) {
    this.#environment = environment;
    this.spec = record.spec;
    this.#progress = { prepared: record.prepared, preparing: false, unpreparable: false };
    this.#takenUpAtMs = isNew ? -Infinity : environment.clock.nowMs();
    this.#settled = isNew ? Promise.resolve() : this.#settle();
  }

  /** Its last state, once it is final. */
  get ended(): TaskState | undefined {
    return this.#state?.phase === 'stopped' ? this.#state : undefined;
  }

  /** When its last container ended, as far as it had any that began. */
  get endedAtMs(): number {
    const reports = this.ended?.containers ?? [];
    const times = reports.map(({ state }) => ('finishedAtMs' in state ? state.finishedAtMs : 0));
    return Math.max(0, ...times);
  }

  /** Look and act soon. Cheap to call often. */
  poke(): void {
    if (this.#isPoked || this.#closed.signal.aborted) return;
    this.#isPoked = true;
    void this.#inTurn(async () => {
      this.#isPoked = false;
      await this.#advance();
    }).catch(() => this.#retryLater());
  }

  /** The state as it is now, on the engine. */
  async refresh(): Promise<TaskState> {
    await this.#settled;
    return this.#inTurn(async () => {
      await this.#look();
      return this.#current();
    });
  }

  /** Asks it to end. A later request may only shorten the grace. */
  stop(graceSeconds: number): void {
    const stopGraceSeconds = Math.min(graceSeconds, this.#progress.stopGraceSeconds ?? Infinity);
    this.#progress = { ...this.#progress, stopGraceSeconds };
    this.#preparation.abort();
    this.poke();
  }

  /** Removes a task that has ended before its time is over. */
  async forget(): Promise<void> {
    await this.#inTurn(async () => {
      const { ended } = this;
      if (!ended || this.#closed.signal.aborted) return;
      await this.#environment.bury(this.spec, ended);
      this.close();
    });
  }

  noteOutOfMemory(container: string): void {
    this.#outOfMemory.add(container);
  }

  /** Lets go of the task, which goes on without us. */
  close(): void {
    this.#closed.abort();
    this.#preparation.abort();
    for (const loop of this.#loops.values()) loop.stop();
  }

  // --- look --------------------------------------------------------------------------------------

  async #look(): Promise<TaskView> {
    const view = await this.#read();
    this.#followWithProbes(view);
    this.#tell(view);
    return view;
  }

  async #read(): Promise<TaskView> {
    // As it was before reading: a container that is being made meanwhile must not be taken for
    // lost.
    const { prepared } = this.#progress;
    const seen = await readTask(this.#environment.engine, this.spec);
    await this.#inquireDeaths(seen);
    this.#lastView = this.#corrected(seen, prepared);
    return this.#lastView;
  }

  /** What the engine can't tell: that a container existed, or that it refused to start it. */
  #corrected(seen: TaskView, prepared: boolean): TaskView {
    const members = new Map(seen.members);
    for (const { name } of this.#containers()) {
      if (prepared && !members.has(name)) this.#rememberLost(name);
      const override = this.#overrides.get(name);
      if (override) members.set(name, override);
    }
    for (const [name, member] of members) {
      if (member.state.type !== 'ended' || !this.#outOfMemory.has(name)) continue;
      members.set(name, { ...member, state: { ...member.state, oomKilled: true } });
    }
    return { ...seen, members };
  }

  /** Waits a moment, once, where a container with a memory limit was killed and not by us. */
  async #inquireDeaths(seen: TaskView): Promise<void> {
    const unexplained = this.#containers().filter(({ name, memoryBytesLimit }) => {
      const state = seen.members.get(name)?.state;
      if (state?.type !== 'ended' || memoryBytesLimit === 0 || this.#inquired.has(name))
        return false;
      return state.exitCode === KILLED_EXIT_CODE && !state.oomKilled && !this.#ending.has(name);
    });
    if (unexplained.length === 0) return;
    for (const { name } of unexplained) this.#inquired.add(name);
    await this.#environment.clock.delay(OOM_NEWS_MS, this.#closed.signal);
  }

  #rememberLost(name: string): void {
    if (this.#overrides.has(name)) return;
    const last = this.#lastView.members.get(name);
    const nowMs = this.#environment.clock.nowMs();
    const startedAtMs = last && 'startedAtMs' in last.state ? last.state.startedAtMs : nowMs;
    const message = 'the container was removed outside Nullplane';
    this.#overrides.set(name, {
      id: last?.id ?? '',
      imageId: last?.imageId ?? '',
      state: {
        type: 'ended',
        exitCode: KILLED_EXIT_CODE,
        oomKilled: false,
        startedAtMs,
        finishedAtMs: nowMs,
      },
    });
    if (!this.#killed.has(name)) this.#killed.set(name, { reason: 'Error', message });
  }

  #tell(view: TaskView): void {
    if (this.ended || this.#closed.signal.aborted) return;
    const report = reportTask(this.spec, view, this.#progress, {
      waiting: this.#waiting,
      killed: this.#killed,
      probed: (name) => this.#loops.get(name)?.status ?? { started: false, ready: false },
    });
    const text = JSON.stringify(report);
    if (text === this.#told) return;
    this.#told = text;
    const version = Math.max((this.#state?.version ?? 0) + 1, this.#environment.clock.nowMs());
    this.#state = { ...report, version };
    this.#environment.tell(this.#state);
  }

  #current(): TaskState {
    if (!this.#state) throw new Error(`task ${this.spec.id} was closed before it was looked at`);
    return this.#state;
  }

  // --- act ---------------------------------------------------------------------------------------

  async #advance(): Promise<void> {
    await this.#settled;
    for (let steps = 0; steps < MAX_STEPS_IN_A_ROW; steps += 1) {
      const view = await this.#look();
      if (this.#closed.signal.aborted) return;
      const step = nextStep(this.spec, view, this.#progress);
      if (!(await this.#take(step, view))) return;
    }
    throw new Error(`task ${this.spec.id} does not come to rest`);
  }

  /** Answers whether there may be more to do at once; otherwise an event will say so. */
  async #take(step: Step, view: TaskView): Promise<boolean> {
    switch (step.type) {
      case 'wait':
        return false;
      case 'prepare':
        this.#prepare();
        return false;
      case 'start':
        await Promise.all(step.containers.map((name) => this.#start(name, view)));
        return true;
      case 'end':
        for (const name of step.containers) this.#end(name, this.#grace());
        return false;
      case 'stopSandbox':
        await this.#killSandbox();
        return true;
      case 'bury':
        await this.#environment.bury(this.spec, this.#current());
        this.close();
        return false;
    }
  }

  /** In the background, since pulls are slow and the task may be asked to end meanwhile. */
  #prepare(): void {
    this.#progress = { ...this.#progress, preparing: true };
    this.#preparation = new AbortController();
    const { signal } = this.#preparation;
    void prepareTask(this.#environment, this.spec, signal)
      .then(() => (this.#progress = { ...this.#progress, prepared: true }))
      .catch((error: unknown) => this.#notPrepared(error, signal))
      .then(() => {
        this.#progress = { ...this.#progress, preparing: false };
        this.poke();
      });
  }

  async #notPrepared(error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    if (error instanceof NotPrepared) {
      const { reason, message } = error.cause;
      this.#waiting.set(error.container, { reason, message });
      this.#progress = { ...this.#progress, unpreparable: true };
    } else if (isRefusal(error)) {
      const first = this.#containers()[0]?.name ?? '';
      this.#waiting.set(first, { reason: 'CreateContainerError', message: messageOf(error) });
      this.#progress = { ...this.#progress, unpreparable: true };
    } else {
      await this.#environment.clock.delay(RETRY_MS, signal);
    }
  }

  async #start(name: string, view: TaskView): Promise<void> {
    const { engine, clock } = this.#environment;
    try {
      await engineCall('start container', () => this.#container(name).start());
    } catch (error) {
      if (isRefusal(error, 304)) return;
      if (!isRefusal(error)) throw error;
      // The engine remembers most refusals itself, but not all: it must not be asked again either
      // way.
      const seen = (await readTask(engine, this.spec)).members.get(name);
      if (seen?.state.type === 'ended') return;
      const atMs = clock.nowMs();
      this.#overrides.set(name, {
        id: view.members.get(name)?.id ?? '',
        imageId: view.members.get(name)?.imageId ?? '',
        state: {
          type: 'ended',
          exitCode: 128,
          oomKilled: false,
          startedAtMs: atMs,
          finishedAtMs: atMs,
          startError: error.message,
        },
      });
    }
  }

  /** Asks the engine to end a container, unless it was asked to in as short a time. */
  #end(name: string, graceSeconds: number): void {
    if ((this.#ending.get(name) ?? Infinity) <= graceSeconds) return;
    this.#ending.set(name, graceSeconds);
    const container = this.#container(name);
    const call =
      graceSeconds > 0
        ? (): Promise<unknown> => container.stop({ t: graceSeconds })
        : (): Promise<unknown> => container.kill({ signal: 'SIGKILL' });
    const timeoutMs = graceSeconds * 1_000 + STOP_MARGIN_MS;
    void unlessAlready('stop container', call, timeoutMs).catch(() => {
      this.#ending.delete(name);
      this.#retryLater();
    });
  }

  async #killSandbox(): Promise<void> {
    const sandbox = this.#environment.engine.docker.getContainer(sandboxName(this.spec.id));
    await unlessAlready('stop sandbox', () => sandbox.kill({ signal: 'SIGKILL' }));
    await engineCall('wait for sandbox', () => sandbox.wait());
  }

  #grace(): number {
    return this.#progress.stopGraceSeconds ?? DEFAULT_GRACE_SECONDS;
  }

  // --- probes ------------------------------------------------------------------------------------

  #followWithProbes(view: TaskView): void {
    for (const container of this.spec.containers) {
      const state = view.members.get(container.name)?.state;
      const loop = this.#loops.get(container.name);
      if (state?.type === 'running') {
        if (!loop && !this.#closed.signal.aborted) this.#probe(container, state.startedAtMs);
      } else if (loop) {
        loop.stop();
        this.#loops.delete(container.name);
      }
    }
  }

  #probe(container: ContainerSpec, startedAtMs: number): void {
    const { engine, clock } = this.#environment;
    const id = containerName(this.spec.id, container.name);
    const loop = new ProbeLoop(container, startedAtMs, startedAtMs < this.#takenUpAtMs, {
      clock,
      ask: (probe, signal) =>
        askProbe(
          probe,
          {
            ip: this.#lastView.sandbox?.ip,
            exec: (command, stop) => runCommand(engine, id, command, PROBE_OUTPUT_BYTES, stop),
          },
          signal,
        ),
      changed: () => this.poke(),
      failed: (kind, why) => this.#failedProbe(container.name, kind, why),
    });
    this.#loops.set(container.name, loop);
  }

  #failedProbe(name: string, kind: Exclude<ProbeKind, 'readiness'>, why: string): void {
    const reason = kind === 'liveness' ? 'LivenessProbeFailed' : 'StartupProbeFailed';
    this.#killed.set(name, { reason, message: why });
    this.#end(name, this.#grace());
  }

  /**
   * Until the probes of containers that ran before us have asked once: they may be as ready as they
   * were.
   */
  async #settle(): Promise<void> {
    try {
      this.#followWithProbes(await this.#inTurn(() => this.#read()));
    } catch {
      return;
    }
    const first = Promise.all([...this.#loops.values()].map((loop) => loop.firstResults));
    const { clock } = this.#environment;
    await Promise.race([first, clock.delay(MAX_SETTLE_MS, this.#closed.signal)]);
  }

  // --- helpers -----------------------------------------------------------------------------------

  #containers(): readonly ContainerSpec[] {
    return [...this.spec.initContainers, ...this.spec.containers];
  }

  #container(name: string) {
    return this.#environment.engine.docker.getContainer(containerName(this.spec.id, name));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #retryLater(): void {
    const { clock } = this.#environment;
    void clock.delay(RETRY_MS, this.#closed.signal).then(() => this.poke());
  }
}
