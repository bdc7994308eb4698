/**
 * The task runtime on one Docker engine. Owns which tasks are known, and for how long; a task's own
 * life is docker-task.ts. The engine is the only database: labels say whose a container is, the
 * sandbox has the spec, and a tombstone remembers what was removed, so that any process can take
 * over from any other.
 *
 * Retention: a task that ends by itself keeps its containers for an hour (logs, exit codes), but no
 * more than the last two attempts of a pod; one that was asked to end, or never began, leaves a
 * tombstone only, at once.
 *
 * Invariants: S1 an id is claimed by the name of its sandbox or tombstone, and run once · L2 what
 * has no record is removed.
 */
import type Dockerode from 'dockerode';
import type { HealthMessage, TaskSpec, TaskState } from '../../shared/api/task.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { NoSuchTask, RuntimeUnavailable } from '../../shared/ports/runtime.ts';
import type {
  ExecOptions,
  ExecSession,
  LogOptions,
  TaskRuntime,
} from '../../shared/ports/runtime.ts';
import { readLogs, startExec } from './container-io.ts';
import { checkTask } from './container-options.ts';
import { DockerTask } from './docker-task.ts';
import type { TaskEnvironment } from './docker-task.ts';
import { describeEngine, engineCall, portError } from './engine.ts';
import type { Engine } from './engine.ts';
import { followEvents } from './event-feed.ts';
import { Graveyard, KEEP_MS } from './graveyard.ts';
import { Images } from './images.ts';
import { inBatches } from './in-batches.ts';
import { containerName } from './names.ts';
import { ensureSandboxImage } from './sandbox-image.ts';
import { findTasks, removeStrays } from './survey.ts';
import { claimTask, readRecord } from './task-record.ts';
import type { TaskRecord } from './task-record.ts';

/** Ended tasks are looked through for old ones this often. */
const JANITOR_PERIOD_MS = 60_000;
/** The last one, and the one before it for `kubectl logs --previous`. */
const KEPT_ATTEMPTS = 2;

export interface DockerRuntimeOptions {
  readonly docker: Dockerode;
  readonly clock: Clock;
  readonly emit: (message: HealthMessage) => void;
  /**
   * Which installation this is: several may share an engine, and don't touch each other's
   * containers.
   */
  readonly instance: string;
}

/** What exists once the engine has answered. */
interface Connected {
  readonly engine: Engine;
  readonly graveyard: Graveyard;
  readonly environment: TaskEnvironment;
}

export class DockerRuntime implements TaskRuntime {
  readonly #options: DockerRuntimeOptions;
  readonly #tasks = new Map<string, DockerTask>();
  /** Claims under way, so that two requests for one id are one. */
  readonly #claims = new Map<string, Promise<DockerTask>>();
  readonly #closed = new AbortController();
  #connected: Connected | undefined;

  constructor(options: DockerRuntimeOptions) {
    this.#options = options;
  }

  /**
   * Takes up what runs already, and then follows it. Throws `RuntimeUnavailable` when no engine
   * answers.
   */
  async start(): Promise<void> {
    const { docker, clock, emit, instance } = this.#options;
    const engine = await describeEngine(docker);
    await ensureSandboxImage(engine);
    const graveyard = new Graveyard(engine, instance, clock);
    const environment: TaskEnvironment = {
      engine,
      images: new Images(engine),
      instance,
      clock,
      tell: (task) => emit({ type: 'task', task }),
      bury: async (task, state) => {
        await graveyard.bury(task, state);
        this.#tasks.delete(task.id);
      },
    };
    this.#connected = { engine, graveyard, environment };
    await graveyard.load();
    const listener = {
      changed: (taskId: string) => this.#tasks.get(taskId)?.poke(),
      ranOutOfMemory: (taskId: string, container: string) =>
        this.#tasks.get(taskId)?.noteOutOfMemory(container),
      opened: () => this.#takeUp(),
    };
    await followEvents(engine, instance, clock, listener, this.#closed.signal);
    void this.#keepClean();
  }

  /** Lets go of all tasks; they go on. */
  close(): void {
    this.#closed.abort();
    for (const task of this.#tasks.values()) task.close();
    this.#tasks.clear();
  }

  async run(task: TaskSpec): Promise<TaskState> {
    const { engine, graveyard } = this.#connection();
    checkTask(engine, task);
    try {
      const buried = graveyard.find(task.id);
      if (buried) return buried;
      const known = this.#tasks.get(task.id) ?? (await this.#claim(task));
      known.poke();
      return await this.#stateOf(known);
    } catch (error) {
      throw portError(task.id, error);
    }
  }

  async stop(taskId: string, graceSeconds: number): Promise<void> {
    const { engine } = this.#connection();
    await this.#claims.get(taskId)?.catch(() => undefined);
    const task = this.#tasks.get(taskId);
    if (!task) return;
    await engineCall('ping', () => engine.docker.ping());
    task.stop(graceSeconds);
    this.#forgetAttempts(task.spec.podUid, task.spec.attempt);
  }

  async describe(taskIds: readonly string[]): Promise<readonly TaskState[]> {
    const { graveyard } = this.#connection();
    const states = await inBatches(taskIds, async (id) => {
      const task = this.#tasks.get(id);
      return task ? await this.#stateOf(task) : graveyard.find(id);
    });
    return states.filter((state) => state !== undefined);
  }

  async list(): Promise<readonly string[]> {
    this.#connection();
    const states = await inBatches([...this.#tasks.values()], async (task) =>
      task.ended ? undefined : this.#stateOf(task),
    );
    return states.flatMap((state) => (state && state.phase !== 'stopped' ? [state.id] : []));
  }

  logs(taskId: string, container: string, options: LogOptions): AsyncIterable<Uint8Array> {
    const { engine } = this.#connection();
    return readLogs(engine, this.#memberName(taskId, container), options);
  }

  async exec(taskId: string, container: string, options: ExecOptions): Promise<ExecSession> {
    const { engine } = this.#connection();
    return startExec(engine, this.#memberName(taskId, container), options);
  }

  /** Removes what is kept of a pod's ended tasks: nobody can ask for it once the pod is gone. */
  forgetPod(podUid: string): void {
    this.#forgetAttempts(podUid, Infinity);
  }

  // -----------------------------------------------------------------------------------------------

  #connection(): Connected {
    if (!this.#connected || this.#closed.signal.aborted) {
      throw new RuntimeUnavailable('the Docker runtime is not started');
    }
    return this.#connected;
  }

  #memberName(taskId: string, container: string): string {
    const spec = this.#tasks.get(taskId)?.spec;
    const members = spec ? [...spec.initContainers, ...spec.containers] : [];
    if (!members.some(({ name }) => name === container)) {
      throw new NoSuchTask(`task ${taskId} has no container ${container}`);
    }
    return containerName(taskId, container);
  }

  /** The state of a task, which may be buried while it is looked at. */
  async #stateOf(task: DockerTask): Promise<TaskState> {
    const { graveyard } = this.#connection();
    if (task.ended) return task.ended;
    try {
      return await task.refresh();
    } catch (error) {
      const buried = graveyard.find(task.spec.id);
      if (buried) return buried;
      throw portError(task.spec.id, error);
    }
  }

  #claim(task: TaskSpec): Promise<DockerTask> {
    const running = this.#claims.get(task.id);
    if (running) return running;
    const { engine } = this.#connection();
    const claim = claimTask(engine, this.#options.instance, task)
      .then((record) => this.#adopt(record, record.spec === task))
      .finally(() => this.#claims.delete(task.id));
    this.#claims.set(task.id, claim);
    this.#forgetAttempts(task.podUid, task.attempt - KEPT_ATTEMPTS + 1);
    return claim;
  }

  #adopt(record: TaskRecord, isNew: boolean): DockerTask {
    const known = this.#tasks.get(record.spec.id);
    if (known) return known;
    const task = new DockerTask(this.#connection().environment, record, isNew);
    this.#tasks.set(record.spec.id, task);
    return task;
  }

  /** After a start, and whenever events may have been missed. */
  async #takeUp(): Promise<void> {
    const { engine, graveyard } = this.#connection();
    const survey = await findTasks(engine, this.#options.instance);
    await removeStrays(engine, survey, (id) => graveyard.find(id) !== undefined);
    await inBatches(survey.claimed, async (id) => {
      if (this.#tasks.has(id) || graveyard.find(id)) return;
      const record = await readRecord(engine, id);
      if (record) this.#adopt(record, false);
    });
    for (const task of this.#tasks.values()) task.poke();
  }

  /** Ended attempts of a pod below this one. Failing is no harm: they are removed with age. */
  #forgetAttempts(podUid: string, below: number): void {
    for (const task of this.#tasks.values()) {
      const isOld = task.spec.podUid === podUid && task.spec.attempt < below;
      if (isOld && task.ended) void task.forget().catch(() => undefined);
    }
  }

  async #keepClean(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await clock.delay(JANITOR_PERIOD_MS, signal);
      if (signal.aborted) return;
      try {
        await this.#removeOld();
      } catch {
        // The engine does not answer: the next round does the same work.
      }
    }
  }

  async #removeOld(): Promise<void> {
    const oldest = this.#options.clock.nowMs() - KEEP_MS;
    for (const task of this.#tasks.values()) {
      if (task.ended && task.endedAtMs <= oldest) await task.forget();
    }
    await this.#connection().graveyard.expire();
  }
}
