/** A model on a clock that tests move, real SDK clients on it, and requests that work. */
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EC2Client } from '@aws-sdk/client-ec2';
import {
  type ContainerDefinition,
  DescribeTasksCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
  RunTaskCommand,
  type RunTaskCommandInput,
  type Task,
} from '@aws-sdk/client-ecs';
import { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Behaviour } from '../../aws/model/ecs/behaviour.ts';
import type { Envelope } from '../../aws/model/events.ts';
import { AwsModel } from '../../aws/model/model.ts';
import { MODEL_CLIENT, modelHandler } from '../../aws/model/request-handler.ts';
import {
  FAST_LATENCIES,
  type Latencies,
  NO_LIMITS,
  type Settings,
} from '../../aws/model/settings.ts';
import { timersOnClock } from '../../aws/model/timers.ts';

/** Whole numbers, so that tests can say when. */
export const EVEN: Latencies = {
  ...FAST_LATENCIES,
  provisioningMs: 1000,
  pullMs: 1000,
  activatingMs: 100,
  deactivatingMs: 100,
  termMs: 500,
  deprovisioningMs: 1000,
  listLagMs: 0,
  instanceLagMs: 0,
  instancePendingMs: 1000,
  instanceBootMs: 5000,
  instanceShutdownMs: 1000,
};

export const CLUSTER = 'nullplane';
export const LOG_GROUP = '/nullplane/tasks';

export class Bench {
  readonly clock = new StepClock();
  readonly events: Envelope[] = [];
  readonly model: AwsModel;
  readonly ecs: ECSClient;
  readonly ec2: EC2Client;
  readonly logs: CloudWatchLogsClient;

  constructor(settings: Partial<Settings> = {}) {
    this.model = new AwsModel({
      timers: timersOnClock(this.clock),
      random: new SeededRandom(1),
      emit: (event) => void this.events.push(event),
      settings: { latencies: EVEN, rates: NO_LIMITS, ...settings },
    });
    const client = { ...MODEL_CLIENT, requestHandler: modelHandler(this.model) };
    this.ecs = new ECSClient(client);
    this.ec2 = new EC2Client(client);
    this.logs = new CloudWatchLogsClient(client);
  }

  /** Registers a task definition; answers with its ARN. */
  async define(
    containers: readonly ContainerDefinition[] = [container('app')],
    given: Partial<RegisterTaskDefinitionCommandInput> = {},
  ): Promise<string> {
    const { taskDefinition } = await this.ecs.send(
      new RegisterTaskDefinitionCommand({
        family: 'shape',
        networkMode: 'awsvpc',
        requiresCompatibilities: ['FARGATE'],
        cpu: '256',
        memory: '512',
        containerDefinitions: [...containers],
        ...given,
      }),
    );
    return taskDefinition?.taskDefinitionArn ?? '';
  }

  /** One for an instance: on the host's network, with no size of its own. */
  async defineForEc2(
    given: Partial<RegisterTaskDefinitionCommandInput> = {},
    containers: readonly ContainerDefinition[] = [{ ...container('app'), cpu: 1024, memory: 1024 }],
  ): Promise<string> {
    const { taskDefinition } = await this.ecs.send(
      new RegisterTaskDefinitionCommand({
        family: 'ec2-shape',
        networkMode: 'host',
        containerDefinitions: [...containers],
        ...given,
      }),
    );
    return taskDefinition?.taskDefinitionArn ?? '';
  }

  run(taskDefinition: string, given: Partial<RunTaskCommandInput> = {}) {
    return this.ecs.send(new RunTaskCommand(onFargate(taskDefinition, given)));
  }

  runOnEc2(taskDefinition: string, given: Partial<RunTaskCommandInput> = {}) {
    const input = { cluster: CLUSTER, taskDefinition, launchType: 'EC2' as const, ...given };
    return this.ecs.send(new RunTaskCommand(input));
  }

  /** A Fargate task of these containers, as it was answered. */
  async start(...containers: ContainerDefinition[]): Promise<Task> {
    const answer = await this.run(await this.define(containers));
    return the(answer.tasks);
  }

  async describe(task: Task): Promise<Task> {
    const input = { cluster: CLUSTER, tasks: [task.taskArn ?? ''] };
    return the((await this.ecs.send(new DescribeTasksCommand(input))).tasks);
  }

  pass(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  /** `lastStatus` of each event of the task, in the order of their coming. */
  told(task: Task): string[] {
    return this.events
      .filter(({ detail }) => detail.taskArn === task.taskArn)
      .map(({ detail }) => String(detail.lastStatus));
  }
}

export function onFargate(
  taskDefinition: string,
  given: Partial<RunTaskCommandInput> = {},
): RunTaskCommandInput {
  return {
    cluster: CLUSTER,
    taskDefinition,
    ...(!given.capacityProviderStrategy && { launchType: 'FARGATE' }),
    networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-a'] } },
    ...given,
  };
}

export function container(
  name: string,
  behaviour?: Behaviour,
  given: Partial<ContainerDefinition> = {},
): ContainerDefinition {
  const command = behaviour && ['nullplane-test', JSON.stringify(behaviour)];
  return {
    name,
    image: 'busybox:1.36',
    essential: true,
    ...(command && { command }),
    logConfiguration: {
      logDriver: 'awslogs',
      options: { 'awslogs-group': LOG_GROUP, 'awslogs-stream-prefix': 'pods' },
    },
    ...given,
  };
}

/** The one of a list; throws when it has none or more. */
export function the<T>(items: readonly T[] | undefined): T {
  if (items?.length !== 1) throw new Error(`Expected one of it, and have ${items?.length}`);
  return items[0] as T;
}
