/**
 * The life of a task, from PROVISIONING to STOPPED, and of its containers. Each step checks that
 * the task is still where the step begins, since timers can't be taken back.
 *
 * Stages: awsvpc tasks PROVISIONING -> PENDING -> ACTIVATING -> RUNNING -> DEACTIVATING -> STOPPING
 * -> DEPROVISIONING -> STOPPED; others have no interface and skip PROVISIONING, ACTIVATING,
 * DEACTIVATING and DEPROVISIONING. A task is PENDING until each of its containers has started:
 * while one waits for another (`dependsOn`), the task is not RUNNING.
 * Source: task-lifecycle, stopped-task-error-codes, container dependencies (aws-semantics.md 3.1).
 */
import { createHash } from 'node:crypto';
import type { ContainerDependency } from '@aws-sdk/client-ecs';
import { draw, hex } from '../timers.ts';
import { isMissingImage, outputOf } from './behaviour.ts';
import { healthChanges } from './health.ts';
import {
  type ContainerRecord,
  isEssential,
  type LastStatus,
  type StopCode,
  type TaskRecord,
} from './state.ts';
import type { EcsWorld } from './world.ts';

export interface StopCause {
  readonly stopCode: StopCode;
  readonly stoppedReason: string;
}

const SIGTERM_EXIT = 143;
const SIGKILL_EXIT = 137;
/** When a container definition has no `stopTimeout`. */
const DEFAULT_STOP_TIMEOUT_S = 30;
const FARGATE_MAX_STOP_TIMEOUT_S = 120;
const FIRST_DYNAMIC_PORT = 32_768;

export class Lifecycle {
  readonly #world: EcsWorld;

  constructor(world: EcsWorld) {
    this.#world = world;
  }

  begin(task: TaskRecord): void {
    this.#world.told(task);
    if (task.instance) this.#world.instanceChanged(task.instance);
    if (!task.eni) return this.#pull(task);
    this.#later(task, this.#latencies.provisioningMs, () => {
      if (!this.#isStarting(task)) return;
      if (task.eni) task.eni.status = 'ATTACHED';
      this.#enter(task, 'PENDING');
      this.#pull(task);
    });
  }

  /** Does nothing to a task that is to stop already: the first cause stays. */
  stop(task: TaskRecord, cause: StopCause): void {
    if (task.desiredStatus === 'STOPPED') return;
    task.desiredStatus = 'STOPPED';
    task.stopCode = cause.stopCode;
    task.stoppedReason = cause.stoppedReason;
    task.stoppingAtMs = this.#world.nowMs;
    this.#world.changed(task);
    this.#connected(task, () => this.#windDown(task));
  }

  /** The machine is gone: nobody stops the containers or says how they ended. */
  hostGone(task: TaskRecord, cause: StopCause): void {
    if (task.lastStatus === 'STOPPED') return;
    if (task.desiredStatus !== 'STOPPED') {
      task.desiredStatus = 'STOPPED';
      task.stopCode = cause.stopCode;
      task.stoppedReason = cause.stoppedReason;
    }
    task.stoppingAtMs ??= this.#world.nowMs;
    for (const container of task.containers) container.lastStatus = 'STOPPED';
    this.#ended(task);
  }

  /** A container's process ends, by itself or by a signal; its agent tells of it. */
  exit(task: TaskRecord, container: ContainerRecord, exitCode: number, reason?: string): void {
    this.#connected(task, () => {
      if (container.lastStatus !== 'RUNNING') return;
      container.lastStatus = 'STOPPED';
      container.exitCode = exitCode;
      if (reason !== undefined) container.reason = reason;
      this.#exited(task, container);
    });
  }

  get #latencies() {
    return this.#world.settings.latencies;
  }

  #later(task: TaskRecord, span: Parameters<typeof draw>[0], run: () => void): void {
    const { timers, random } = this.#world;
    timers.in(draw(span, random), () => this.#connected(task, run));
  }

  /** While the agent is away, nothing is begun and nothing is told. */
  #connected(task: TaskRecord, run: () => void): void {
    const { instance } = task;
    if (task.lastStatus === 'STOPPED') return;
    if (instance && !instance.agentConnected) instance.deferred.push(run);
    else run();
  }

  #enter(task: TaskRecord, status: LastStatus): void {
    task.lastStatus = status;
    this.#world.changed(task);
  }

  #isStarting(task: TaskRecord): boolean {
    return task.desiredStatus === 'RUNNING';
  }

  #pull(task: TaskRecord): void {
    task.pullStartedAtMs = this.#world.nowMs;
    this.#later(task, this.#latencies.pullMs, () => {
      if (!this.#isStarting(task)) return;
      if (this.#pullFailed(task) || this.#logFailed(task)) return;
      task.pullStoppedAtMs = this.#world.nowMs;
      for (const container of task.containers) container.imageDigest = digestOf(container);
      this.#startReady(task);
    });
  }

  #pullFailed(task: TaskRecord): boolean {
    const container = task.containers.find(({ definition }) => {
      return isMissingImage(definition.image ?? '');
    });
    if (!container) return false;
    const image = container.definition.image ?? '';
    const text =
      task.launchType === 'FARGATE'
        ? `CannotPullContainerError: pull image manifest has been retried 1 time(s): ` +
          `failed to resolve ref ${image}: ${image}: not found`
        : `CannotPullContainerError: Error response from daemon: manifest for ${image} ` +
          `not found: manifest unknown: manifest unknown`;
    container.reason = text;
    this.#failToStart(task, text);
    return true;
  }

  /** The log driver makes its stream before the container runs, and needs the group for it. */
  #logFailed(task: TaskRecord): boolean {
    for (const container of task.containers) {
      const { logDriver, options = {} } = container.definition.logConfiguration ?? {};
      const group = options['awslogs-group'];
      if (logDriver !== 'awslogs' || group === undefined) continue;
      const { logs } = this.#world;
      if (!logs.groups.has(group)) {
        if (options['awslogs-create-group'] !== 'true') {
          const text =
            'ResourceInitializationError: failed to validate logger args: create stream has ' +
            'been retried 1 times: failed to create Cloudwatch log stream: ' +
            'ResourceNotFoundException: The specified log group does not exist.';
          container.reason = text;
          this.#failToStart(task, text);
          return true;
        }
        logs.createGroup(group);
      }
      const { name = '' } = container.definition;
      const prefix = options['awslogs-stream-prefix'];
      const stream = prefix === undefined ? `${task.id}-${name}` : `${prefix}/${name}/${task.id}`;
      container.log = logs.openStream(group, stream);
    }
    return false;
  }

  /** On EC2 the sentence of the task is a general one, and the container has the reason. */
  #failToStart(task: TaskRecord, text: string): void {
    const stoppedReason = task.launchType === 'FARGATE' ? text : 'Task failed to start';
    this.stop(task, { stopCode: 'TaskFailedToStart', stoppedReason });
  }

  #startReady(task: TaskRecord): void {
    if (!this.#isStarting(task)) return;
    for (const container of task.containers) {
      if (container.lastStatus !== 'PENDING') continue;
      const conditions = (container.definition.dependsOn ?? []).map((dependency) =>
        conditionOf(task, dependency),
      );
      if (conditions.includes('never')) return this.#blocked(task, container);
      if (conditions.every((condition) => condition === 'met')) this.#start(task, container);
    }
    this.#maybeRunning(task);
  }

  #blocked(task: TaskRecord, container: ContainerRecord): void {
    container.reason =
      'DependencyError: a container that this one depends on did not reach its condition';
    this.stop(task, { stopCode: 'TaskFailedToStart', stoppedReason: 'Task failed to start' });
  }

  #start(task: TaskRecord, container: ContainerRecord): void {
    const { random, logs, timers } = this.#world;
    const { behaviour } = container.process;
    container.lastStatus = 'RUNNING';
    const onFargate = task.launchType === 'FARGATE';
    container.runtimeId = onFargate
      ? `${task.id}-${random.integer(1_000_000_000).toString().padStart(10, '0')}`
      : hex(random, 64);
    container.bindings = this.#bindings(task, container);
    for (const line of outputOf(container.process)) {
      if (container.log) logs.write(container.log, line);
    }
    this.#world.changed(task);
    this.#watchHealth(task, container);
    const { exitCode } = behaviour;
    if (exitCode === undefined) return;
    timers.in(behaviour.exitAfterMs ?? 0, () => this.exit(task, container, exitCode));
  }

  #bindings(task: TaskRecord, { definition }: ContainerRecord): ContainerRecord['bindings'] {
    const mode = task.definition.networkMode ?? 'bridge';
    if (mode !== 'bridge' && mode !== 'host') return [];
    return (definition.portMappings ?? []).map(({ containerPort = 0, hostPort, protocol }) => ({
      bindIP: '0.0.0.0',
      containerPort,
      hostPort:
        mode === 'host'
          ? containerPort
          : hostPort || FIRST_DYNAMIC_PORT + this.#world.random.integer(FIRST_DYNAMIC_PORT / 2),
      protocol: protocol ?? 'tcp',
    }));
  }

  /** Health is in answers only: it makes no event and no version. */
  #watchHealth(task: TaskRecord, container: ContainerRecord): void {
    const { healthCheck } = container.definition;
    if (!healthCheck) return;
    for (const { afterMs, status } of healthChanges(healthCheck, container.process.behaviour)) {
      this.#later(task, afterMs, () => {
        if (container.lastStatus !== 'RUNNING') return;
        container.healthStatus = status;
        this.#startReady(task);
      });
    }
  }

  #maybeRunning(task: TaskRecord): void {
    if (task.lastStatus !== 'PENDING' || !this.#isStarting(task)) return;
    if (task.containers.some(({ lastStatus }) => lastStatus === 'PENDING')) return;
    task.startedAtMs = this.#world.nowMs;
    if (!task.eni) return this.#enter(task, 'RUNNING');
    this.#enter(task, 'ACTIVATING');
    this.#later(task, this.#latencies.activatingMs, () => {
      if (this.#isStarting(task)) this.#enter(task, 'RUNNING');
    });
  }

  #exited(task: TaskRecord, container: ContainerRecord): void {
    if (!this.#isStarting(task)) {
      this.#world.changed(task);
      return this.#terminate(task);
    }
    const allEnded = task.containers.every(({ lastStatus }) => lastStatus === 'STOPPED');
    if (isEssential(container) || allEnded) {
      const stoppedReason = 'Essential container in task exited';
      return this.stop(task, { stopCode: 'EssentialContainerExited', stoppedReason });
    }
    this.#world.changed(task);
    this.#startReady(task);
  }

  #windDown(task: TaskRecord): void {
    if (!task.eni || task.lastStatus !== 'RUNNING') return this.#stopping(task);
    this.#enter(task, 'DEACTIVATING');
    this.#later(task, this.#latencies.deactivatingMs, () => this.#stopping(task));
  }

  #stopping(task: TaskRecord): void {
    for (const container of task.containers) {
      if (container.lastStatus === 'PENDING') container.lastStatus = 'STOPPED';
    }
    this.#enter(task, 'STOPPING');
    this.#terminate(task);
  }

  /** SIGTERM to those that no running container depends on; the others' turn comes later. */
  #terminate(task: TaskRecord): void {
    if (task.lastStatus !== 'STOPPING') return;
    const running = task.containers.filter(({ lastStatus }) => lastStatus === 'RUNNING');
    if (running.length === 0) return this.#deprovision(task);
    for (const container of running) {
      const needed = running.some(({ definition }) =>
        definition.dependsOn?.some(({ containerName }) => {
          return containerName === container.definition.name;
        }),
      );
      if (!needed && !container.signalled) this.#signal(task, container);
    }
  }

  #signal(task: TaskRecord, container: ContainerRecord): void {
    const { timers, random } = this.#world;
    container.signalled = true;
    const limit = task.launchType === 'FARGATE' ? FARGATE_MAX_STOP_TIMEOUT_S : Infinity;
    const graceS = Math.min(container.definition.stopTimeout ?? DEFAULT_STOP_TIMEOUT_S, limit);
    const killMs = graceS * 1000;
    const termMs = draw(this.#latencies.termMs, random);
    if (container.process.behaviour.ignoresTerm || killMs < termMs) {
      timers.in(killMs, () => this.exit(task, container, SIGKILL_EXIT));
    } else timers.in(termMs, () => this.exit(task, container, SIGTERM_EXIT));
  }

  #deprovision(task: TaskRecord): void {
    task.executionStoppedAtMs = this.#world.nowMs;
    if (!task.eni) return this.#ended(task);
    this.#enter(task, 'DEPROVISIONING');
    this.#later(task, this.#latencies.deprovisioningMs, () => this.#ended(task));
  }

  #ended(task: TaskRecord): void {
    task.stoppedAtMs = this.#world.nowMs;
    if (task.eni) task.eni.status = 'DELETED';
    task.instance?.tasks.delete(task);
    this.#enter(task, 'STOPPED');
    const { instance } = task;
    if (instance && instance.status !== 'INACTIVE') this.#world.instanceChanged(instance);
  }
}

/** `never`: it can't be met any more. */
function conditionOf(
  task: TaskRecord,
  { containerName, condition }: ContainerDependency,
): 'met' | 'not yet' | 'never' {
  const other = task.containers.find(({ definition }) => definition.name === containerName);
  if (!other || other.lastStatus === 'PENDING') return 'not yet';
  const ended = other.lastStatus === 'STOPPED';
  switch (condition) {
    case 'START':
      return 'met';
    case 'COMPLETE':
      return ended ? 'met' : 'not yet';
    case 'SUCCESS':
      if (!ended) return 'not yet';
      return other.exitCode === 0 ? 'met' : 'never';
    case 'HEALTHY':
      if (ended) return 'never';
      return other.healthStatus === 'HEALTHY' ? 'met' : 'not yet';
    default:
      return 'not yet';
  }
}

/** The same image gives the same digest. */
function digestOf({ definition }: ContainerRecord): string {
  return `sha256:${createHash('sha256')
    .update(definition.image ?? '')
    .digest('hex')}`;
}
