/**
 * Our model of ECS beside moto, which was written without us: the same requests, in one order, to
 * both. What the reference says is right of both must be alike; where they differ, the reason is
 * beside the request, and a difference that has gone must be taken off the list.
 */
import {
  CreateClusterCommand,
  DeregisterTaskDefinitionCommand,
  DescribeClustersCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ECSClient,
  ListContainerInstancesCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import { type Emulator, startEmulator } from '../support/emulators.ts';
import { AwsModel } from './model.ts';
import { MODEL_CLIENT, modelHandler } from './request-handler.ts';
import { realTimers } from './timers.ts';

const CLUSTER = 'fidelity';
const UNKNOWN_TASK = 'arn:aws:ecs:us-east-1:123456789012:task/fidelity/0123456789abcdef';
const DEFINITION = {
  family: 'app',
  networkMode: 'awsvpc' as const,
  requiresCompatibilities: ['FARGATE' as const],
  cpu: '256',
  memory: '512',
  containerDefinitions: [{ name: 'main', image: 'app:1', essential: true }],
};

interface Recorded {
  readonly what: string;
  readonly send: (client: ECSClient) => Promise<unknown>;
  /** Why moto's answer is not ours. */
  readonly differs?: string;
}

type Cluster = { clusterName?: string | undefined; status?: string | undefined };
const clusterOf = ({ clusterName, status }: Cluster = {}) => ({ clusterName, status });

/** In this order: later ones meet what earlier ones made. Each answers with what counts. */
const RECORDED: readonly Recorded[] = [
  {
    what: 'makes a cluster',
    send: async (ecs) =>
      clusterOf((await ecs.send(new CreateClusterCommand({ clusterName: CLUSTER }))).cluster),
  },
  {
    what: 'describes clusters, and says which are missing',
    send: async (ecs) => {
      const command = new DescribeClustersCommand({ clusters: [CLUSTER, 'unknown'] });
      const { clusters = [], failures = [] } = await ecs.send(command);
      return [clusters.map(clusterOf), failures.map(({ reason }) => reason)];
    },
  },
  { what: 'registers a definition', send: registered },
  { what: 'registers it again as the next revision', send: registered },
  {
    what: 'takes a family for its latest revision',
    send: async (ecs) => {
      const command = new DescribeTaskDefinitionCommand({ taskDefinition: 'app' });
      const { taskDefinition: { family, revision, status, networkMode } = {} } =
        await ecs.send(command);
      return { family, revision, status, networkMode };
    },
  },
  {
    what: 'makes a revision inactive',
    send: async (ecs) => {
      const command = new DeregisterTaskDefinitionCommand({ taskDefinition: 'app:1' });
      const { taskDefinition: { revision, status } = {} } = await ecs.send(command);
      return { revision, status };
    },
  },
  {
    what: 'knows no definition of another name',
    send: (ecs) => ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: 'unknown' })),
  },
  {
    what: 'lists no tasks, and no instances',
    send: async (ecs) => {
      const { taskArns } = await ecs.send(new ListTasksCommand({ cluster: CLUSTER }));
      const instances = new ListContainerInstancesCommand({ cluster: CLUSTER });
      return [taskArns, (await ecs.send(instances)).containerInstanceArns];
    },
  },
  {
    what: 'knows no cluster of another name',
    send: (ecs) => ecs.send(new ListTasksCommand({ cluster: 'unknown' })),
  },
  {
    what: 'describes no task that is unknown, and says so',
    send: async (ecs) => {
      const command = new DescribeTasksCommand({ cluster: CLUSTER, tasks: [UNKNOWN_TASK] });
      const { tasks, failures = [] } = await ecs.send(command);
      return [tasks, failures.map(({ reason }) => reason)];
    },
    differs: 'moto leaves out the failures that ECS lists (API reference, DescribeTasks)',
  },
  {
    what: 'stops no task that is unknown',
    send: (ecs) => ecs.send(new StopTaskCommand({ cluster: CLUSTER, task: UNKNOWN_TASK })),
    differs: 'moto fails with a page of HTML; ECS has InvalidParameterException',
  },
  {
    what: 'runs a task by a capacity provider',
    send: async (ecs) => {
      const { tasks = [] } = await ecs.send(new RunTaskCommand(ON_FARGATE));
      return tasks.map(({ lastStatus, version }) => [lastStatus, version]);
    },
    differs: 'moto ignores capacity providers, and looks for instances',
  },
  {
    what: 'runs no more than ten tasks at a time',
    send: (ecs) => ecs.send(new RunTaskCommand({ ...ON_FARGATE, count: 11 })),
    differs: 'moto does not check the count',
  },
];

const ON_FARGATE = {
  cluster: CLUSTER,
  taskDefinition: 'app',
  capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
  networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-1'] } },
};

async function registered(ecs: ECSClient): Promise<unknown> {
  const { taskDefinition = {} } = await ecs.send(new RegisterTaskDefinitionCommand(DEFINITION));
  const { family, revision, status, containerDefinitions = [] } = taskDefinition;
  return { family, revision, status, containers: containerDefinitions.map(({ name }) => name) };
}

/** The parts of the answer, or the error's code. */
async function answerOf({ send }: Recorded, client: ECSClient): Promise<unknown> {
  try {
    return await send(client);
  } catch (error) {
    return { error: error instanceof Error ? error.name : String(error) };
  }
}

let moto: Emulator;
const answers = new Map<string, { readonly model: unknown; readonly moto: unknown }>();

beforeAll(async () => {
  moto = await startEmulator('moto');
  const model = new AwsModel({ timers: realTimers(), random: new SeededRandom(1) });
  const ours = new ECSClient({ ...MODEL_CLIENT, requestHandler: modelHandler(model) });
  const theirs = new ECSClient({ ...MODEL_CLIENT, endpoint: moto.endpoint });
  for (const recorded of RECORDED) {
    const [mine, other] = [await answerOf(recorded, ours), await answerOf(recorded, theirs)];
    answers.set(recorded.what, { model: mine, moto: other });
  }
});
afterAll(() => moto?.stop());

for (const { what, differs } of RECORDED) {
  it(differs === undefined ? what : `${what} (moto differs: ${differs})`, () => {
    const { model, moto: theirs } = answers.get(what) ?? {};
    if (differs === undefined) expect(model).toEqual(theirs);
    else expect(model).not.toEqual(theirs);
  });
}
