import type { TaskSpec, TaskState } from '../api/task.ts';

/**
 * Where tasks run: Docker, ECS, or a simulation. A task is one attempt of a pod. Its id is its
 * identity for ever: the same id never runs twice, whatever is repeated, late or lost (architecture
 * D4, D7). State changes are told as `TaskState` messages to the health queue; `describe` is the
 * truth. Every method may throw `RuntimeUnavailable`: it may or may not have taken effect.
 */
export interface TaskRuntime {
  /**
   * Starts the task unless a task of this id was ever started; answers with its state in either
   * case (a task that has ended since is returned as ended, and not started again).
   * Throws `NoCapacity` (not now) or `TaskRejected` (never, as it is): then nothing of the task
   * runs. Image pulls go on after it returned.
   */
  run(task: TaskSpec): Promise<TaskState>;
  /**
   * Starts one task on each of the nodes, alike but for the node, in one question; `task` is that
   * of any of them, and its id one of a batch, whose token all have. One answer a place. The first
   * question that a runtime takes on under a token is the only one: asked again, whatever the
   * places, it is answered with what came of that. Only where calls are scarcer than tasks.
   */
  runAlike?(task: TaskSpec, places: readonly BatchPlace[]): Promise<readonly BatchAnswer[]>;
  /**
   * Asks the task to end: SIGTERM, and SIGKILL after the grace. Asked again with a shorter grace,
   * it ends sooner. Ended or unknown tasks are left alone. `handle` is the one that the runtime
   * told of the task, if it did.
   */
  stop(taskId: string, graceSeconds: number, handle?: string): Promise<void>;
  /**
   * The state of each task that is known, ended ones for at least an hour. Unknown ids are left
   * out.
   */
  describe(taskIds: readonly string[]): Promise<readonly TaskState[]>;
  /** Ids of all tasks that have not ended, for the sweep. */
  list(): Promise<readonly string[]>;
  /** Output of a container, oldest first. Throws `NoSuchTask`. */
  logs(taskId: string, container: string, options: LogOptions): AsyncIterable<Uint8Array>;
  /**
   * Runs a command in a running container. Throws `NoSuchTask`; `TaskRejected` where it can't be
   * done.
   */
  exec(taskId: string, container: string, options: ExecOptions): Promise<ExecSession>;
}

export interface BatchPlace {
  readonly nodeName: string;
  /** The node's registration, which the task's id ends with. */
  readonly at: string;
}

/** The task that was started there, or why there is none. */
export type BatchAnswer = TaskState | NoCapacity | TaskRejected;

export interface LogOptions {
  readonly follow: boolean;
  readonly tailLines?: number;
  /** Nothing older, in milliseconds since the epoch. */
  readonly sinceMs?: number;
  readonly limitBytes?: number;
  readonly timestamps: boolean;
  readonly signal: AbortSignal;
}

export interface ExecOptions {
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly signal: AbortSignal;
}

/** A command that runs. Frames come until it exits; then `exitCode` resolves. */
export interface ExecSession {
  readonly output: AsyncIterable<{
    readonly stream: 'stdout' | 'stderr';
    readonly data: Uint8Array;
  }>;
  write(data: Uint8Array): Promise<void>;
  closeStdin(): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** Rejects with `NoSuchTask` where the container ended first; `RuntimeUnavailable`. */
  readonly exitCode: Promise<number>;
}

/** Not now: there is no room or no quota. Try again later, or elsewhere. */
export class NoCapacity extends Error {
  override readonly name = 'NoCapacity';
}

/** Never, as it is: the spec asks for what the runtime can't do. */
export class TaskRejected extends Error {
  override readonly name = 'TaskRejected';
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

export class NoSuchTask extends Error {
  override readonly name = 'NoSuchTask';
}

/** Not now: the runtime did not answer, or was throttled. It may have acted. */
export class RuntimeUnavailable extends Error {
  override readonly name: string = 'RuntimeUnavailable';
}

/** Not now: this process has asked enough for the moment. The runtime was not asked. */
export class NotAsked extends RuntimeUnavailable {
  override readonly name = 'NotAsked';
}
