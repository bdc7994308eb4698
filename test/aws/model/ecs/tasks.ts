/**
 * StopTask, DescribeTasks, ListTasks. ListTasks is eventually consistent: a new task is missing
 * for a while. Stopped tasks are seen for an hour. Source: aws-semantics.md 3.1, 3.2.
 */
import type {
  DescribeTasksRequest,
  DescribeTasksResponse,
  ListTasksRequest,
  ListTasksResponse,
  StopTaskRequest,
  StopTaskResponse,
} from '@aws-sdk/client-ecs';
import { invalid } from '../errors.ts';
import type { Lifecycle } from './lifecycle.ts';
import { pageOf } from './paging.ts';
import { type TaskRecord, taskView } from './state.ts';
import type { EcsWorld } from './world.ts';

const MAX_DESCRIBED = 100;

export class Tasks {
  readonly #world: EcsWorld;
  readonly #lifecycle: Lifecycle;

  constructor(world: EcsWorld, lifecycle: Lifecycle) {
    this.#world = world;
    this.#lifecycle = lifecycle;
  }

  /** A second one is harmless. The tags go with the first. */
  stop({ cluster: given, task: name, reason }: StopTaskRequest): StopTaskResponse {
    this.#world.account.take('taskWrite');
    const cluster = this.#world.cluster(given);
    const task = this.#world.findTask(cluster, name ?? '');
    if (!task) throw invalid('The referenced task was not found.');
    task.tags = [];
    const stoppedReason = reason ?? 'Task stopped by user';
    this.#lifecycle.stop(task, { stopCode: 'UserInitiated', stoppedReason });
    return { task: taskView(task) };
  }

  /** `partial`: the last one is MISSING, whether it is there or not. */
  describe(input: DescribeTasksRequest, partial = false): DescribeTasksResponse {
    this.#world.account.take('read');
    const cluster = this.#world.cluster(input.cluster);
    const names = input.tasks ?? [];
    if (names.length === 0) throw invalid('Tasks cannot be empty.');
    if (names.length > MAX_DESCRIBED) throw invalid(`At most ${MAX_DESCRIBED} tasks.`);
    const tags = input.include?.includes('TAGS') ?? false;
    const found = names.map((name, i) => {
      const lost = partial && i === names.length - 1;
      return { name, task: lost ? undefined : this.#world.findTask(cluster, name) };
    });
    return {
      tasks: found.flatMap(({ task }) => (task ? [taskView(task, { tags })] : [])),
      failures: found
        .filter(({ task }) => !task)
        .map(({ name }) => ({ arn: this.#arnOf(cluster, name), reason: 'MISSING' })),
    };
  }

  list(input: ListTasksRequest): ListTasksResponse {
    this.#world.account.take('read');
    const cluster = this.#world.cluster(input.cluster);
    checkStartedBy(input);
    const { nowMs } = this.#world;
    const arns = this.#world
      .seenTasks(cluster)
      .filter((task) => task.listedAtMs <= nowMs && matches(task, input))
      .map(({ arn }) => arn);
    const { items, nextToken } = pageOf(arns, input);
    return { taskArns: items, ...(nextToken !== undefined && { nextToken }) };
  }

  #arnOf(cluster: string, name: string): string {
    return name.startsWith('arn:') ? name : this.#world.arn(`task/${cluster}/${name}`);
  }
}

/** ECS has it that `startedBy` stands alone; the desired status may be with it. */
function checkStartedBy(input: ListTasksRequest): void {
  const { startedBy, family, containerInstance, serviceName, launchType } = input;
  if (startedBy !== undefined && (family ?? containerInstance ?? serviceName ?? launchType)) {
    throw invalid('startedBy must be the only filter.');
  }
}

function matches(task: TaskRecord, input: ListTasksRequest): boolean {
  const { family, startedBy, containerInstance, launchType, serviceName } = input;
  if (task.desiredStatus !== (input.desiredStatus ?? 'RUNNING')) return false;
  if (serviceName !== undefined) return false; // these tasks belong to no service
  if (family !== undefined && task.definition.family !== family) return false;
  if (startedBy !== undefined && task.startedBy !== startedBy) return false;
  if (launchType !== undefined && task.launchType !== launchType) return false;
  return (
    containerInstance === undefined || (task.instance?.arn.endsWith(containerInstance) ?? false)
  );
}
