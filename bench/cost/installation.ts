/**
 * An installation whose every request is counted: the functions' own handlers over the store, the
 * queue and the runtime of AWS, real SDK clients, and services in memory behind them. ECS is the
 * model of the tests, with its usual times and rates.
 *
 * Not counted: STS, which vouches for a caller once in a while, and Secrets' values in SSM.
 */
import type { APIGatewayProxyEvent, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { dynamoDbClient, ecsClient, logsClient, sqsClient } from '../../adapters/aws/clients.ts';
import { decodeBody } from '../../adapters/aws/dynamo/codec.ts';
import { DynamoStore, GATHER_MS } from '../../adapters/aws/dynamo/dynamo-store.ts';
import { ec2Client } from '../../adapters/aws/ec2/client.ts';
import { Ec2Instances } from '../../adapters/aws/ec2/ec2-instances.ts';
import { EcsRuntime } from '../../adapters/aws/ecs/ecs-runtime.ts';
import { GATHER_MS as SENDS_GATHER_MS, SqsQueue } from '../../adapters/aws/sqs/sqs-queue.ts';
import { SqsVisibility } from '../../adapters/aws/sqs/visibility.ts';
import { SeededIds } from '../../adapters/memory/seeded-ids.ts';
import { SeededRandom } from '../../adapters/memory/seeded-random.ts';
import { JsonRecorder } from '../../adapters/node/json-recorder.ts';
import { defaultContext, optionsOf } from '../../infra/options.ts';
import { FEW_AT_A_TIME, type FunctionName, FUNCTIONS } from '../../infra/settings.ts';
import type { Deadline, Plane } from '../../lambdas/_kit/plane.ts';
import { bufferedHandler } from '../../lambdas/api/handler.ts';
import { healthQueueHandler, taskEventHandler } from '../../lambdas/health/handler.ts';
import { reconcilerHandler } from '../../lambdas/reconciler/handler.ts';
import { routerHandler } from '../../lambdas/router/handler.ts';
import { schedulerHandler } from '../../lambdas/scheduler/handler.ts';
import { createApiServer } from '../../shared/control/apiserver/server.ts';
import { versionInfo } from '../../shared/control/apiserver/server-version.ts';
import { ensureSystemObjects } from '../../shared/control/apiserver/system-objects.ts';
import type { Effects } from '../../shared/control/effects.ts';
import { promptly } from '../../shared/control/prompt.ts';
import { allControllers } from '../../shared/control/registry.ts';
import { SWEEP_GROUP } from '../../shared/control/sweep-work.ts';
import { sealedStore } from '../../shared/control/vaulted-store.ts';
import { ensureVirtualNodes } from '../../shared/control/virtual-nodes.ts';
import type { Pod } from '../../shared/api/kinds/pod.ts';
import { rfc3339 } from '../../shared/api/time.ts';
import type { Envelope } from '../../test/aws/model/events.ts';
import { AwsModel } from '../../test/aws/model/model.ts';
import { answerTo, MODEL_CLIENT } from '../../test/aws/model/request-handler.ts';
import { writeAnswer } from '../../test/aws/model/protocol/route.ts';
import { timersOnAgenda } from '../../test/aws/model/timers.ts';
import { Agenda } from '../../test/world/agenda.ts';
import { ECS_SETTINGS } from '../../test/world/aws-cloud.ts';
import { isOfTask, isTold } from '../task-events.ts';
import { Table } from './dynamodb.ts';
import { type Caller, Meter } from './meter.ts';
import { LATENCY_MS, Network } from './network.ts';
import { kindOf, QueueSource, StreamSource } from './sources.ts';
import { FakeQueue, type SentEntry } from './sqs.ts';
import { answerOf, type SqsRequest } from './sqs-wire.ts';

/** SQS counts a request for each 64 KB of it. */
const REQUEST_BYTES = 65_536;
/** From a task's change to its message in the health queue. */
const EVENT_MS = 500;
const { reconcilers: RECONCILERS, sweepMinutes: SWEEP_MINUTES } = optionsOf(defaultContext());
const SWEEP_EVERY_MS = SWEEP_MINUTES * 60_000;

const CLIENT = {
  region: MODEL_CLIENT.region,
  credentials: MODEL_CLIENT.credentials,
  endpoint: 'http://127.0.0.1:9',
} as const;

const SETTINGS = {
  ...ECS_SETTINGS,
  launchTemplateId: 'lt-0123456789abcdef0',
  launchTemplateVersion: '1',
};

type QueueKey = 'reconcile' | 'schedule' | 'health';
const QUEUE_NAMES: { readonly [name in QueueKey]: string } = {
  reconcile: 'nullplane-reconcile.fifo',
  schedule: 'nullplane-schedule.fifo',
  health: 'nullplane-health',
};

const urlOf = (name: string) => `http://127.0.0.1:9/123456789012/${name}`;

export class Installation {
  readonly meter = new Meter();
  readonly #agenda = new Agenda();
  readonly #network = new Network(this.#agenda, this.meter);
  readonly #stream: StreamSource;
  readonly #table = new Table((entry) => this.#stream.take(entry));
  readonly #queues = new Map<string, FakeQueue>();
  readonly #sources = new Map<string, QueueSource>();
  readonly #model: AwsModel;
  readonly #apis: Instances<ReturnType<typeof bufferedHandler>>;
  readonly #listeners: Instances<ReturnType<typeof taskEventHandler>>;
  readonly #ready: Plane;
  #planes = 0;

  constructor() {
    this.#model = new AwsModel({
      timers: timersOnAgenda(this.#agenda),
      random: new SeededRandom('cost'),
      emit: (event) => this.#tell(event),
    });
    for (const name of Object.values(QUEUE_NAMES)) {
      this.#queues.set(name, new FakeQueue(name, () => this.#agenda.nowMs));
    }
    this.#ready = this.#plane('aws');
    const routers = new Instances(() => routerHandler(this.#plane('router')));
    this.#stream = new StreamSource({
      network: this.#network,
      invoke: (event) => this.#invoke('router', routers, (router) => router(event)),
    });
    this.#drain('reconcile', 'reconciler', RECONCILERS, reconcilerHandler);
    this.#drain('schedule', 'scheduler', FEW_AT_A_TIME, schedulerHandler);
    this.#drain('health', 'health', FEW_AT_A_TIME, healthQueueHandler);
    this.#listeners = new Instances(() => taskEventHandler(this.#plane('health')));
    this.#apis = new Instances(() => this.#apiOf(this.#plane('api')));
  }

  get nowMs(): number {
    return this.#agenda.nowMs;
  }

  /** What a new installation makes. */
  async start(): Promise<void> {
    const { effects } = this.#ready;
    const made = (async () => {
      await ensureSystemObjects(effects);
      await ensureVirtualNodes(effects, ECS_SETTINGS.region);
    })();
    await this.#until(made);
    await this.pass(60_000);
  }

  /** Sweeps from now on. */
  beginSweeping(): void {
    this.#agenda.in(SWEEP_EVERY_MS, () => {
      const body = `sweep ${rfc3339(this.nowMs)}`;
      this.meter.add('schedules', 'sweep');
      this.#put('reconcile', { MessageBody: body, MessageGroupId: SWEEP_GROUP });
      this.beginSweeping();
    });
  }

  /** Lets this much time pass. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    this.#agenda.in(ms, () => {});
    await this.#network.runUntil(untilMs);
  }

  /** A request as API Gateway's REST proxy sends it. Throws on an answer that is an error. */
  async request(httpMethod: string, path: string, body?: object): Promise<unknown> {
    const event = {
      httpMethod,
      path,
      requestContext: { path: `/v1${path}`, stage: 'v1' },
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      multiValueQueryStringParameters: null,
      body: body === undefined ? null : JSON.stringify(body),
      isBase64Encoded: false,
    } as unknown as APIGatewayProxyEvent;
    this.meter.add('apiRequests', httpMethod);
    const { statusCode, body: text = '' } = await this.#until(
      this.#invoke('api', this.#apis, (api) => api(event)),
    );
    if (statusCode >= 400) throw new Error(`${httpMethod} ${path}: ${text}`);
    return JSON.parse(text);
  }

  /** How the pods are, by the table; nothing is counted for it. */
  podPhases(): readonly string[] {
    return this.#table.bodies('pods').map((body) => {
      const { status } = JSON.parse(decodeBody(body)) as Pod;
      return status.phase ?? '';
    });
  }

  async #until<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => void (isOver = true);
    work.then(over, over);
    await new Promise((resolve) => setImmediate(resolve));
    await this.#network.runUntil(Infinity, () => isOver);
    return work;
  }

  #invoke<Handler, Answer>(
    name: FunctionName,
    instances: Instances<Handler>,
    work: (handler: Handler) => Promise<Answer>,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#agenda.in(0, () => {
        this.#network.turnOf(name);
        const startMs = this.nowMs;
        this.meter.add('invocations', name);
        instances
          .use(work)
          .finally(() => this.meter.add('waitMs', name, this.nowMs - startMs))
          .then(resolve, reject);
      });
    });
  }

  #drain(
    key: QueueKey,
    name: FunctionName,
    maxConcurrency: number,
    handlerOf: (plane: Plane) => QueueHandler,
  ): void {
    const queue = this.#queue(QUEUE_NAMES[key]);
    const { network, meter } = { network: this.#network, meter: this.meter };
    const deadline = { getRemainingTimeInMillis: () => FUNCTIONS[name].timeoutSeconds * 1000 };
    const instances = new Instances(() => handlerOf(this.#plane(name)));
    const invoke = (event: SQSEvent) =>
      this.#invoke(name, instances, (handler) => handler(event, deadline));
    const source = new QueueSource(queue, { network, meter, maxConcurrency, invoke });
    this.#sources.set(queue.name, source);
  }

  #plane(caller: Caller): Plane {
    const clock = this.#network.clockOf(caller);
    const seed = `cost ${caller} ${++this.#planes}`;
    const ids = new SeededIds(seed);
    const random = new SeededRandom(seed);
    const sink = { write: (line: string) => this.meter.add('logBytes', caller, line.length) };
    const recorder = new JsonRecorder({ clock, logs: sink, audits: sink });
    const dynamo = dynamoDbClient({ ...CLIENT, requestHandler: this.#dynamo(caller) });
    const sqs = sqsClient({ ...CLIENT, requestHandler: this.#sqs(caller) });
    // The SDK's own repeats would wait by the clock on the wall.
    const cloud = { ...CLIENT, requestHandler: this.#ecs(caller), maxAttempts: 1 };
    const [ecs, logs, ec2] = [ecsClient(cloud), logsClient(cloud), ec2Client(cloud)];
    const table = { client: dynamo, table: 'nullplane', clock, gatherMs: GATHER_MS };
    const store = sealedStore(new DynamoStore(table));
    const runtime = new EcsRuntime({
      ...{ ecs, logs, clock, recorder, settings: SETTINGS },
      random: () => random.fraction(),
      sharedBy: RECONCILERS,
    });
    const instances = new Ec2Instances({ ec2, ecs, settings: SETTINGS });
    const effects: Effects = { store, runtime, instances, clock, ids, recorder };
    const queue = (name: 'reconcile' | 'schedule') =>
      new SqsQueue({
        ...{ client: sqs, ids, name, url: urlOf(QUEUE_NAMES[name]) },
        timersUrl: urlOf(QUEUE_NAMES.health),
        deadLettersUrl: urlOf('dead'),
        gathering: { clock, ms: SENDS_GATHER_MS },
      });
    const visibility = (name: QueueKey) =>
      new SqsVisibility({ client: sqs, url: urlOf(QUEUE_NAMES[name]) });
    return {
      effects,
      routes: {
        controllers: allControllers({ caPem: '' }),
        reconcileQueue: queue('reconcile'),
        scheduleQueue: queue('schedule'),
        polls: clock,
      },
      visibility: {
        reconcile: visibility('reconcile'),
        schedule: visibility('schedule'),
        health: visibility('health'),
      },
    };
  }

  #apiOf({ effects, routes }: Plane): ReturnType<typeof bufferedHandler> {
    const prompt = promptly(effects, routes);
    const server = createApiServer({
      ...{ ...effects, store: prompt.store },
      authenticate: () => ({ name: 'admin', groups: ['system:masters'] }),
      authorize: () => true,
      version: versionInfo('0.0.0', 'node', 'linux/arm64'),
    });
    return bufferedHandler({ ...effects, handle: server.handle, flush: prompt.flush });
  }

  #dynamo(caller: Caller) {
    return this.#network.handler(caller, LATENCY_MS.dynamodb, ({ headers, body }) => {
      const {
        status,
        body: answer,
        counted,
      } = this.#table.answer(commandOf(headers), JSON.parse(body) as never);
      this.meter.table(caller, counted);
      return json(answer, status);
    });
  }

  #ecs(caller: Caller) {
    return this.#network.handler(caller, LATENCY_MS.ecs, async ({ headers, body }) => {
      const { call, outcome } = await answerTo(this.#model, headers, body);
      this.meter.add('ecsCalls', call.operation);
      const answer = writeAnswer(call.service, call.operation, outcome);
      if (!answer) throw new Error(`no answer to ${call.operation}`);
      const contentType = answer.headers['content-type'] ?? JSON_TYPE;
      return { status: answer.status, contentType, body: answer.body };
    });
  }

  #sqs(caller: Caller) {
    return this.#network.handler(caller, LATENCY_MS.sqs, ({ headers, body }) => {
      const request = JSON.parse(body) as SqsRequest & { readonly QueueUrl: string };
      const queue = this.#queue(request.QueueUrl.split('/').at(-1) ?? '');
      const command = commandOf(headers);
      const isSend = command === 'SendMessageBatch';
      const chunks = isSend ? Math.ceil(Buffer.byteLength(body) / REQUEST_BYTES) : 1;
      const what = isSend ? 'send' : 'visibility';
      this.meter.add('queueRequests', `${kindOf(queue)} ${what}`, chunks);
      const answer = answerOf(command, queue, request);
      this.#sources.get(queue.name)?.look();
      return json(answer.body, answer.status);
    });
  }

  #queue(name: string): FakeQueue {
    const queue = this.#queues.get(name);
    if (!queue) throw new Error(`no queue ${name}`);
    return queue;
  }

  /** EventBridge takes nothing for events of AWS's own. Those of tasks invoke the function. */
  #tell(event: Envelope): void {
    if (isOfTask(event) && !isTold(event)) return;
    this.#agenda.in(EVENT_MS, () => {
      if (!isOfTask(event)) return this.#put('health', { MessageBody: JSON.stringify(event) });
      void this.#invoke('health', this.#listeners, (hear) => hear({ ...event }));
    });
  }

  #put(key: QueueKey, entry: SentEntry): void {
    const queue = this.#queue(QUEUE_NAMES[key]);
    this.meter.add('queueRequests', `${kindOf(queue)} send`);
    queue.send(entry);
    this.#sources.get(queue.name)?.look();
  }
}

type QueueHandler = (event: SQSEvent, deadline: Deadline) => Promise<SQSBatchResponse>;

/**
 * A function's instances, each of which works on one event at a time: the one that was used last
 * is used again, as on Lambda, and keeps what it knows; more are made as they are needed.
 */
class Instances<Handler> {
  readonly #make: () => Handler;
  readonly #idle: Handler[] = [];

  constructor(make: () => Handler) {
    this.#make = make;
  }

  async use<Answer>(work: (handler: Handler) => Promise<Answer>): Promise<Answer> {
    const instance = this.#idle.pop() ?? this.#make();
    try {
      return await work(instance);
    } finally {
      this.#idle.push(instance);
    }
  }
}

const JSON_TYPE = 'application/x-amz-json-1.0';

function json(body: object, status = 200) {
  return { status, contentType: JSON_TYPE, body: JSON.stringify(body) };
}

function commandOf(headers: Readonly<Record<string, string>>): string {
  return headers['x-amz-target']?.split('.').at(-1) ?? '';
}
