/**
 * Our models as targets of scripts, under a clock that is told: what simulation and the benches
 * take for AWS.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECSClient } from '@aws-sdk/client-ecs';
import { dynamoDbClient, sqsClient } from '../../adapters/aws/clients.ts';
import { MemoryQueue } from '../../adapters/memory/memory-queue.ts';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { SeededRandom } from '../../adapters/memory/seeded-random.ts';
import { StepClock } from '../../adapters/memory/step-clock.ts';
import { type StreamEntry, Table } from '../../bench/cost/dynamodb.ts';
import { FakeQueue } from '../../bench/cost/sqs.ts';
import { answerOf, type SqsRequest } from '../../bench/cost/sqs-wire.ts';
import { AwsModel } from '../aws/model/model.ts';
import { MODEL_CLIENT, modelHandler } from '../aws/model/request-handler.ts';
import { NO_LIMITS } from '../aws/model/settings.ts';
import { timersOnClock } from '../aws/model/timers.ts';
import { inProcess, type SentRequest } from '../aws/support/in-process.ts';
import type { Target } from './play.ts';
import { portQueue, portStore, queueTarget, type QueueUrls, storeTarget } from './ports.ts';
import { MAX_RECEIVES, VISIBILITY_SECONDS } from './queue-settings.ts';
import type { Json, JsonObject, Subject } from './script.ts';
import { send } from './sdk.ts';

export interface Model {
  readonly name: string;
  readonly target: Target;
}

const JSON_TYPE = 'application/x-amz-json-1.0';
const ENDPOINT = 'http://127.0.0.1:9';
const CLIENT = { ...MODEL_CLIENT, endpoint: ENDPOINT };
/** More than a task or a machine takes to come or to go. */
const SETTLED_MS = 300_000;
const MS_A_SECOND = 1000;

const commandOf = ({ headers }: SentRequest) => headers['x-amz-target']?.split('.').at(-1) ?? '';

interface NewTable {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly entries: readonly StreamEntry[];
}

function newTable(): NewTable {
  const entries: StreamEntry[] = [];
  const table = new Table((entry) => void entries.push(entry));
  const requestHandler = inProcess(async (request) => {
    const { status, body } = table.answer(commandOf(request), JSON.parse(request.body) as never);
    return { status, contentType: JSON_TYPE, body: JSON.stringify(body) };
  });
  return { client: dynamoDbClient({ ...CLIENT, requestHandler }), table: 'fidelity', entries };
}

function tableTarget(): Target {
  let world = newTable();
  return {
    begin: async () => {
      world = newTable();
      return { table: world.table };
    },
    call: async (operation, input) => {
      if (operation === 'Stream') return { records: world.entries.map(recordOf) };
      return send('dynamodb', world.client, [operation, input]);
    },
    pass: async () => {},
    settle: async () => {},
  };
}

function recordOf({ before, after }: StreamEntry): Json {
  const event = !before ? 'INSERT' : after ? 'MODIFY' : 'REMOVE';
  const { pk, sk } = (after ?? before ?? {}) as JsonObject;
  return { event, keys: { pk, sk }, before: before ?? null, after: after ?? null } as Json;
}

function newQueues() {
  const clock = new StepClock();
  const now = () => clock.nowMs();
  const to = new FakeQueue('dead.fifo', now, { visibilityMs: VISIBILITY_SECONDS * MS_A_SECOND });
  const visibilityMs = VISIBILITY_SECONDS * MS_A_SECOND;
  const redrive = { maxReceives: MAX_RECEIVES, to };
  const queues = [
    to,
    new FakeQueue('queue.fifo', now, { visibilityMs, redrive }),
    new FakeQueue('timers', now, { visibilityMs }),
  ];
  const requestHandler = inProcess(async (request) => {
    const input = JSON.parse(request.body) as SqsRequest & { readonly QueueUrl: string };
    const name = input.QueueUrl.split('/').at(-1);
    const queue = queues.find((one) => one.name === name);
    const { status, body } = answerOf(commandOf(request), queue, input);
    return { status, contentType: JSON_TYPE, body: JSON.stringify(body) };
  });
  const urlOf = (name: string) => `${ENDPOINT}/123456789012/${name}`;
  const urls: QueueUrls = {
    queue: urlOf('queue.fifo'),
    timers: urlOf('timers'),
    dead: urlOf('dead.fifo'),
  };
  const pass = (seconds: number) => clock.advance(seconds * MS_A_SECOND);
  return { client: sqsClient({ ...CLIENT, requestHandler }), urls, pass };
}

function fakeQueueTarget(): Target {
  let world = newQueues();
  return {
    begin: async () => {
      world = newQueues();
      return { ...world.urls, nowhere: `${ENDPOINT}/123456789012/nowhere.fifo` };
    },
    call: (operation, input) => send('sqs', world.client, [operation, input]),
    pass: (seconds) => world.pass(seconds),
    settle: async () => {},
  };
}

function memoryQueueTarget(): Target {
  return portQueue(async () => {
    const clock = new StepClock();
    const queue = new MemoryQueue({ clock, visibilityMs: VISIBILITY_SECONDS * MS_A_SECOND });
    return { queue, pass: (seconds) => clock.advance(seconds * MS_A_SECOND) };
  });
}

const CLUSTER = 'fidelity';
const TEMPLATE = 'lt-0123456789abcdef0';
const SUBNET = 'subnet-a';
/** The size that moto's container instances have. */
const MACHINE = { cpu: 4096, memoryMiB: 7482 };

function newModel() {
  const clock = new StepClock();
  const model = new AwsModel({
    timers: timersOnClock(clock),
    random: new SeededRandom('fidelity'),
    settings: {
      clusters: [CLUSTER],
      rates: NO_LIMITS,
      subnetZones: { [SUBNET]: 'us-east-1a' },
      launchTemplates: { [TEMPLATE]: { registers: false } },
    },
  });
  const options = { ...MODEL_CLIENT, requestHandler: modelHandler(model) };
  return { clock, model, ecs: new ECSClient(options), ec2: new EC2Client(options) };
}

function ecsTarget(): Target {
  let world = newModel();
  let machines = 0;
  return {
    begin: async () => {
      world = newModel();
      return { cluster: CLUSTER, family: 'family-1', subnet: SUBNET, securityGroup: 'sg-1' };
    },
    call: async (operation, input) => {
      if (operation !== 'Machine') return send('ecs', world.ecs, [operation, input]);
      const ec2InstanceId = `i-${String(++machines).padStart(17, '0')}`;
      const { arn } = world.model.ecs.instances.register({ ec2InstanceId, ...MACHINE });
      return { containerInstanceArn: arn, ec2InstanceId };
    },
    pass: (seconds) => world.clock.advance(seconds * MS_A_SECOND),
    settle: () => world.clock.advance(SETTLED_MS),
  };
}

function ec2Target(): Target {
  let world = newModel();
  return {
    begin: async () => {
      world = newModel();
      return { installation: 'fidelity', template: TEMPLATE, subnet: SUBNET };
    },
    call: (operation, input) => send('ec2', world.ec2, [operation, input]),
    pass: (seconds) => world.clock.advance(seconds * MS_A_SECOND),
    settle: () => world.clock.advance(SETTLED_MS),
  };
}

export const MODELS: { readonly [subject in Subject]: readonly Model[] } = {
  dynamodb: [{ name: 'Table', target: tableTarget() }],
  sqs: [{ name: 'FakeQueue', target: fakeQueueTarget() }],
  ecs: [{ name: 'AwsModel', target: ecsTarget() }],
  ec2: [{ name: 'AwsModel', target: ec2Target() }],
  store: [
    { name: 'MemoryStore', target: portStore(async (clock) => new MemoryStore({ clock })) },
    { name: 'DynamoStore on Table', target: storeTarget(async () => newTable()) },
  ],
  queue: [
    { name: 'MemoryQueue', target: memoryQueueTarget() },
    { name: 'SqsQueue on FakeQueue', target: queueTarget(async () => newQueues()) },
  ],
};
