/**
 * Tasks on ECS: Fargate, Fargate Spot and EC2 instances of one cluster. Owns the calls and their
 * order; what is asked is launch.ts, what is answered task-state.ts, what failures mean errors.ts.
 * It tells nothing by itself: ECS's events come through EventBridge, and health is polled.
 *
 * Invariant S1: a task's id is RunTask's client token, for every repeat and every process. ECS
 * keeps it for at least an hour after the task's end; older intents are looked up (control).
 */
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import {
  type ECSClient,
  type Failure,
  RunTaskCommand,
  type RunTaskCommandOutput,
  StopTaskCommand,
  type Task,
} from '@aws-sdk/client-ecs';
import {
  batchTaskIdOf,
  parseBatchTaskId,
  type TaskSpec,
  type TaskState,
} from '../../../shared/api/task.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Recorder } from '../../../shared/ports/recorder.ts';
import {
  type BatchAnswer,
  type BatchPlace,
  type ExecOptions,
  type ExecSession,
  type LogOptions,
  NoSuchTask,
  RuntimeUnavailable,
  TaskRejected,
  type TaskRuntime,
} from '../../../shared/ports/runtime.ts';
import { Definitions } from './definitions.ts';
import { calling, conflictingTasks, failureError, isMissingDefinition, refusal } from './errors.ts';
import { alikeLaunchOf, type Launch, launchOf } from './launch.ts';
import { isHelper, parseContainerName, shortTaskId } from './names.ts';
import { Rates } from './rates.ts';
import type { EcsSettings } from './settings.ts';
import { quoted } from './shell.ts';
import { TaskIndex } from './task-index.ts';
import { readLogs } from './task-logs.ts';
import { taskStateOf } from './task-state.ts';

export type { EcsSettings } from './settings.ts';

export interface EcsRuntimeOptions {
  readonly ecs: ECSClient;
  readonly logs: CloudWatchLogsClient;
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly settings: EcsSettings;
  /** From 0 to below 1; spreads the waits of processes that share the account's rates. */
  readonly random?: () => number;
  /** How many processes stop tasks at a time, at most; one if absent. */
  readonly sharedBy?: number;
}

interface Launched {
  readonly tasks: readonly TaskState[];
  readonly failures: readonly Failure[];
}

/** Who asked first under the token asked for others only. */
const NOT_ASKED_FOR: Failure = { reason: 'its batch was launched without it' };

/** A task older than this, of a call that has just been answered, was made by an earlier one. */
const REPEATED_AFTER_MS = 5_000;

export class EcsRuntime implements TaskRuntime {
  readonly #ecs: ECSClient;
  readonly #logs: CloudWatchLogsClient;
  readonly #clock: Clock;
  readonly #recorder: Recorder;
  readonly #settings: EcsSettings;
  readonly #rates: Rates;
  readonly #definitions: Definitions;
  readonly #index: TaskIndex;

  constructor(options: EcsRuntimeOptions) {
    const { ecs, logs, clock, recorder, settings, random = () => 0, sharedBy = 1 } = options;
    this.#ecs = ecs;
    this.#logs = logs;
    this.#clock = clock;
    this.#recorder = recorder;
    this.#settings = settings;
    this.#rates = new Rates(clock, random, sharedBy);
    this.#definitions = new Definitions(ecs, this.#rates);
    this.#index = new TaskIndex(ecs, this.#rates, settings);
  }

  async run(task: TaskSpec): Promise<TaskState> {
    const { tasks, failures } = await this.#ask(launchOf(task, this.#settings), [task.id]);
    const [made] = tasks;
    if (!made) throw failureError(failures, task.nodeName);
    return made;
  }

  async runAlike(task: TaskSpec, places: readonly BatchPlace[]): Promise<readonly BatchAnswer[]> {
    const { token } = parseBatchTaskId(task.id) ?? {};
    if (token === undefined) throw new TaskRejected('NoBatch', `task ${task.id} is of no batch`);
    const ids = places.map(({ at }) => batchTaskIdOf(token, at));
    const launch = alikeLaunchOf(task, token, places, this.#settings);
    const { tasks, failures } = await this.#ask(launch, ids);
    const byId = new Map(tasks.map((state) => [state.id, state]));
    return places.map(({ nodeName }, i) => {
      return byId.get(ids[i] ?? '') ?? failureError(failures, nodeName);
    });
  }

  /** The tasks that the launch's token stands for, whoever asked first; why there are no more. */
  async #ask(launch: Launch, ids: readonly string[]): Promise<Launched> {
    await this.#definitions.ensure(launch.family, launch.definition);
    let calledAtMs = 0;
    const call = (): Promise<RunTaskCommandOutput> => {
      calledAtMs = this.#clock.nowMs();
      return this.#runTask(launch);
    };
    try {
      const answer = await this.#rates.launch(launch.placement, call);
      return { tasks: await this.#launched(answer, calledAtMs), failures: answer.failures ?? [] };
    } catch (error) {
      const arns = conflictingTasks(error);
      if (!arns) throw refusal(error);
      return { tasks: await this.#conflicted(ids, arns), failures: [NOT_ASKED_FOR] };
    }
  }

  /** The definition may have been deregistered since it was seen. */
  async #runTask({ family, definition, request }: Launch): Promise<RunTaskCommandOutput> {
    const send = () => calling(() => this.#ecs.send(new RunTaskCommand(request)));
    try {
      return await send();
    } catch (error) {
      if (!isMissingDefinition(error)) throw error;
      this.#definitions.forget(family);
      await this.#definitions.ensure(family, definition);
      return send();
    }
  }

  async #launched(
    { tasks = [] }: RunTaskCommandOutput,
    calledAtMs: number,
  ): Promise<readonly TaskState[]> {
    this.#index.learn(tasks);
    const isRepeat = tasks.some(({ createdAt }) => {
      return (createdAt?.getTime() ?? calledAtMs) < calledAtMs - REPEATED_AFTER_MS;
    });
    // A repeat may be answered with what was answered first: the tasks have moved on since.
    const arns = tasks.flatMap(({ taskArn }) => taskArn ?? []);
    const described = isRepeat ? await this.#index.describe(arns) : [];
    const now = new Map(described.map((task) => [task.taskArn, task]));
    return tasks.map((made) => {
      const current = now.get(made.taskArn);
      return current ? this.#described(current) : this.#stateOf(made);
    });
  }

  /**
   * The token stands for a launch with other parameters: settings changed in between, or others of
   * a batch were asked for.
   */
  async #conflicted(ids: readonly string[], arns: readonly string[]): Promise<TaskState[]> {
    const fields = { tasks: ids, arns };
    this.#recorder.log({ level: 'info', message: 'task was launched otherwise before', fields });
    const known = arns.length > 0 ? arns : await this.#index.arnsOf(ids);
    const found = await this.#index.describe(known);
    if (found.length > 0) return found.map((task) => this.#described(task));
    throw new RuntimeUnavailable(`the task that ${ids[0]} stands for is not found`);
  }

  /**
   * StopTask knows no grace: what counts is the stop timeout in the task's definition, which was
   * made from the pod's grace period. A shorter one that is asked for later is not to be had.
   */
  async stop(taskId: string, _graceSeconds: number, handle?: string): Promise<void> {
    const task = handle ?? (await this.#index.arnOf(taskId));
    if (task === undefined) return;
    const reason = 'stopped by Nullplane';
    const command = new StopTaskCommand({ cluster: this.#settings.cluster, task, reason });
    await this.#rates.stop.take();
    try {
      const { task: stopping } = await calling(() => this.#ecs.send(command));
      if (stopping) this.#index.learn([stopping]);
    } catch (error) {
      // ECS's word for "there is no such task": it has ended, and is forgotten.
      if (!(error instanceof Error) || error.name !== 'InvalidParameterException') throw error;
    }
  }

  async describe(taskIds: readonly string[]): Promise<readonly TaskState[]> {
    const arns = await this.#index.arnsOf([...new Set(taskIds)]);
    const tasks = await this.#index.describe(arns);
    return tasks.map((task) => this.#described(task));
  }

  async list(): Promise<readonly string[]> {
    return this.#index.survey();
  }

  async *logs(
    taskId: string,
    container: string,
    options: LogOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { arn, name } = await this.#find(taskId, container);
    const { logGroup: logGroupName, installation } = this.#settings;
    const logStreamName = `${installation}/${name}/${shortTaskId(arn)}`;
    const hasEnded = async () => {
      const [task] = await this.#index.describe([arn]);
      return task === undefined || this.#stateOf(task).phase === 'stopped';
    };
    const source = { logs: this.#logs, clock: this.#clock, hasEnded };
    yield* readLogs({ logGroupName, logStreamName }, options, source);
  }

  /** Sessions of ECS Exec are SSM's, which the API server can't pass on. */
  async exec(taskId: string, container: string, options: ExecOptions): Promise<ExecSession> {
    const { arn, name } = await this.#find(taskId, container);
    const { cluster, region } = this.#settings;
    const command = quoted(options.command.map(shellWord).join(' '));
    throw new TaskRejected(
      'ExecUnsupported',
      'exec is not served for tasks on ECS; try: aws ecs execute-command ' +
        `--region ${region} --cluster ${cluster} --task ${shortTaskId(arn)} ` +
        `--container ${name} --interactive --command ${command}`,
    );
  }

  /** Throws `NoSuchTask`. */
  async #find(taskId: string, container: string) {
    const arn = await this.#index.arnOf(taskId);
    const [task] = arn === undefined ? [] : await this.#index.describe([arn]);
    if (arn === undefined || !task) throw new NoSuchTask(`no task ${taskId}`);
    const names = (task.containers ?? []).map(({ name = '' }) => name);
    const name = names.find((one) => isOf(one, container));
    if (name === undefined) throw new NoSuchTask(`task ${taskId} has no container ${container}`);
    return { arn, name };
  }

  #described(task: Task): TaskState {
    return this.#stateOf(task, this.#clock.nowMs());
  }

  #stateOf(task: Task, describedAtMs?: number): TaskState {
    const state = taskStateOf(task, describedAtMs);
    if (state) return state;
    throw new RuntimeUnavailable(`ECS answered with a task of no version: ${task.taskArn}`);
  }
}

/** Helpers have names of pods' containers, but are not theirs. */
function isOf(given: string, container: string): boolean {
  const parsed = parseContainerName(given);
  return parsed?.name === container && !isHelper(parsed);
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : quoted(word);
}
