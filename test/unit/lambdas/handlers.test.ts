/**
 * The five functions as they are deployed, driven through AWS's event shapes over the memory
 * adapters: the events that API Gateway, the table's stream, SQS and EventBridge would bring are
 * made from what the functions wrote.
 */
import type { APIGatewayProxyEvent, SQSEvent } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryQueue } from '../../../adapters/memory/memory-queue.ts';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { SimulatedRuntime } from '../../../adapters/memory/simulated-runtime.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Plane } from '../../../lambdas/_kit/plane.ts';
import { bufferedHandler } from '../../../lambdas/api/handler.ts';
import { healthHandler, healthQueueHandler } from '../../../lambdas/health/handler.ts';
import { reconcilerHandler } from '../../../lambdas/reconciler/handler.ts';
import { routerHandler } from '../../../lambdas/router/handler.ts';
import { schedulerHandler } from '../../../lambdas/scheduler/handler.ts';
import { localNodes } from '../../../local/nodes.ts';
import { VERSION } from '../../../local/version.ts';
import type { Change } from '../../../shared/api/change.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { Deployment } from '../../../shared/api/kinds/workloads.ts';
import { createApiServer } from '../../../shared/control/apiserver/server.ts';
import { ensureSystemObjects } from '../../../shared/control/apiserver/system-objects.ts';
import { allControllers } from '../../../shared/control/registry.ts';
import type { Queue } from '../../../shared/ports/queue.ts';
import { streamRecord } from './stream-record.ts';

/** Messages that one poll of a FIFO queue brings. */
const BATCH = 10;
/** A Deployment of two pods settles in far fewer rounds of the loop. */
const MAX_ROUNDS = 60;

class Cloud {
  readonly clock = new StepClock();
  readonly #stream: Change[] = [];
  readonly store = new MemoryStore({
    clock: this.clock,
    onCommit: (change) => void this.#stream.push(change),
  });
  readonly recorder = new MemoryRecorder();
  readonly #health: string[] = [];
  readonly runtime = new SimulatedRuntime({
    clock: this.clock,
    emit: (message) => void this.#health.push(JSON.stringify(message)),
  });
  readonly ids = new SeededIds(1);
  readonly plane: Plane = {
    effects: this,
    routes: {
      controllers: allControllers({ caPem: 'PEM' }),
      reconcileQueue: new MemoryQueue({ clock: this.clock }),
      scheduleQueue: new MemoryQueue({ clock: this.clock }),
    },
  };
  readonly #api = bufferedHandler({
    ...this.plane.effects,
    handle: createApiServer({
      ...this.plane.effects,
      authenticate: () => ({ name: 'admin', groups: ['system:masters'] }),
      authorize: () => false,
      version: VERSION,
    }).handle,
  });

  async start(): Promise<void> {
    await ensureSystemObjects(this);
    for (const node of localNodes([], this.clock.nowMs())) {
      const metadata = { ...node.metadata, uid: this.ids.uid() };
      await this.store.create('nodes', { ...node, metadata });
    }
    await this.settle();
  }

  /** A request as API Gateway's REST proxy sends it. */
  async request(httpMethod: string, path: string, body?: object) {
    const event = {
      httpMethod,
      path,
      requestContext: { path: `/v1${path}`, stage: 'v1' },
      headers: { 'Content-Type': 'application/json' },
      multiValueQueryStringParameters: null,
      body: body === undefined ? null : JSON.stringify(body),
      isBase64Encoded: false,
    } as unknown as APIGatewayProxyEvent;
    const { statusCode, body: answer = '' } = await this.#api(event);
    return { statusCode, answer: JSON.parse(answer) as { [field: string]: unknown } };
  }

  /** Delivers records and messages until there are none. */
  async settle(): Promise<void> {
    const { routes } = this.plane;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const worked = [
        await this.#deliverStream(),
        await this.#poll(routes.reconcileQueue, reconcilerHandler(this.plane)),
        await this.#poll(routes.scheduleQueue, schedulerHandler(this.plane)),
        await this.#deliverHealth(),
      ];
      if (!worked.includes(true)) return;
    }
    throw new Error('it does not settle');
  }

  async #deliverStream(): Promise<boolean> {
    const changes = this.#stream.splice(0);
    if (changes.length === 0) return false;
    const answer = await routerHandler(this.plane)({ Records: changes.map(streamRecord) });
    expect(answer.batchItemFailures).toEqual([]);
    return true;
  }

  async #poll(
    queue: Queue,
    handler: (event: SQSEvent) => Promise<{ batchItemFailures: unknown[] }>,
  ): Promise<boolean> {
    const deliveries = await queue.receive(BATCH, 0);
    if (deliveries.length === 0) return false;
    const { batchItemFailures } = await handler(
      sqsEvent(deliveries.map(({ body, group, receipt }) => ({ body, group, id: receipt }))),
    );
    expect(batchItemFailures).toEqual([]);
    for (const delivery of deliveries) await queue.ack(delivery);
    return true;
  }

  async #deliverHealth(): Promise<boolean> {
    const bodies = this.#health.splice(0);
    if (bodies.length === 0) return false;
    await healthHandler(this.plane)(sqsEvent(bodies.map((body, i) => ({ body, id: String(i) }))));
    return true;
  }
}

function sqsEvent(messages: readonly { body: string; group?: string; id: string }[]): SQSEvent {
  return {
    Records: messages.map(({ body, group, id }) => ({
      messageId: id,
      body,
      attributes: group === undefined ? {} : { MessageGroupId: group },
    })),
  } as SQSEvent;
}

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const labels = { app: 'web' };
const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'app', image: 'app:1' }] },
    },
  },
};

describe('the functions', () => {
  let cloud: Cloud;
  const deployment = async () =>
    (await cloud.request('GET', `${DEPLOYMENTS}/web`)).answer as unknown as Deployment;
  const pods = async () => (await cloud.store.list<Pod>({ resource: 'pods' })).items;

  beforeEach(async () => {
    cloud = new Cloud();
    await cloud.start();
  });

  it('bring a Deployment from a request to running tasks', async () => {
    expect((await cloud.request('POST', DEPLOYMENTS, web)).statusCode).toBe(201);
    await cloud.settle();
    expect((await deployment()).status).toMatchObject({ replicas: 2, availableReplicas: 2 });
    expect(await cloud.runtime.list()).toHaveLength(2);
  });

  it('start a task again that an event says has ended', async () => {
    await cloud.request('POST', DEPLOYMENTS, web);
    await cloud.settle();
    const [task] = await cloud.runtime.list();
    cloud.runtime.killTask(task ?? '', 137);
    await cloud.settle();
    const restarts = (await pods()).map((p) => p.status.containerStatuses?.[0]?.restartCount);
    expect(restarts.sort()).toEqual([0, 1]);
    expect((await deployment()).status.availableReplicas).toBe(2);
  });

  it('leave nothing behind when the Deployment is deleted', async () => {
    await cloud.request('POST', DEPLOYMENTS, web);
    await cloud.settle();
    expect((await cloud.request('DELETE', `${DEPLOYMENTS}/web`)).statusCode).toBe(200);
    await cloud.settle();
    expect(await pods()).toEqual([]);
    expect(await cloud.runtime.list()).toEqual([]);
  });

  it('hear of tasks from ECS by EventBridge', async () => {
    await cloud.request('POST', DEPLOYMENTS, web);
    await cloud.settle();
    const [pod] = await pods();
    if (!pod) throw new Error('there is no pod');
    const { uid, name } = pod.metadata;
    const ended = {
      'detail-type': 'ECS Task State Change',
      detail: {
        version: (pod.control?.taskVersion ?? 0) + 1,
        lastStatus: 'STOPPED',
        startedBy: `${uid}-1`,
        group: `pod:default/${name}@fargate`,
        containers: [{ name: 'app', lastStatus: 'STOPPED', exitCode: 1 }],
      },
    };
    await healthHandler(cloud.plane)(ended);
    const after = (await pods()).find(({ metadata }) => metadata.uid === uid);
    expect(after?.status.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 1 });
  });

  it('hear an event again from the queue when it can not be heard now', async () => {
    const event = {
      'detail-type': 'ECS Task State Change',
      detail: {
        ...{ version: 2, lastStatus: 'RUNNING', containers: [] },
        startedBy: '00000000-0000-4000-8000-000000000001-1',
        group: 'pod:default/p@fargate',
      },
    };
    const effects = { ...cloud.plane.effects, store: failingStore() };
    const queued: object[] = [];
    const hearAgain = async (again: object) => void queued.push(again);
    await healthHandler({ ...cloud.plane, effects, hearAgain })(event);
    expect(queued).toEqual([event]);
    const full = () => Promise.reject(new Error('the queue is down'));
    const neither = healthHandler({ ...cloud.plane, effects, hearAgain: full })(event);
    await expect(neither).rejects.toThrow('the queue is down');
    await healthHandler({ ...cloud.plane, effects, hearAgain })({ 'detail-type': 'nonsense' });
    expect(queued).toHaveLength(1);
  });

  it('take no handle of a task from who is no runtime', async () => {
    await cloud.request('POST', DEPLOYMENTS, web);
    await cloud.settle();
    const [pod] = await pods();
    if (!pod) throw new Error('there is no pod');
    const { uid, name } = pod.metadata;
    const state = { type: 'running', startedAtMs: 0 };
    const app = { name: 'app', image: 'a', state, started: true, ready: false };
    const task = {
      ...{ id: `${uid}-1`, podUid: uid, namespace: 'default', podName: name, nodeName: 'fargate' },
      ...{ attempt: 1, phase: 'running', initContainers: [], containers: [app] },
      ...{ version: (pod.control?.taskVersion ?? 0) + 1, handle: 'another' },
    };
    const body = JSON.stringify({ type: 'task', task });
    await healthQueueHandler(cloud.plane)(sqsEvent([{ body, id: '1' }]));
    const after = (await pods()).find(({ metadata }) => metadata.uid === uid);
    expect(after?.control).toMatchObject({ taskVersion: task.version, taskId: task.id });
  });

  it('forward what is due beside what they hear, each failing by itself', async () => {
    const timer = JSON.stringify({ queue: 'reconcile', group: 'g', body: 'b' });
    const effects = { ...cloud.plane.effects, store: failingStore() };
    const task = { id: 't', podUid: 'u', namespace: 'x', podName: 'p', nodeName: 'n', attempt: 1 };
    const state = { version: 1, phase: 'running', initContainers: [], containers: [] };
    const message = JSON.stringify({ type: 'task', task: { ...task, ...state } });
    const records = [timer, message, 'nonsense'].map((body, i) => ({ body, id: String(i) }));
    const { routes } = cloud.plane;
    const heard = await healthQueueHandler({ ...cloud.plane, effects })(sqsEvent(records));
    expect(heard.batchItemFailures).toEqual([{ itemIdentifier: '1' }]);
    expect(await routes.reconcileQueue.receive(10, 0)).toMatchObject([{ group: 'g', body: 'b' }]);
    const down = { ...routes, reconcileQueue: { ...routes.reconcileQueue, send: noQueue } };
    const failed = await healthQueueHandler({ ...cloud.plane, routes: down })(sqsEvent(records));
    expect(failed.batchItemFailures).toEqual([{ itemIdentifier: '0' }]);
  });

  it('drop what they can’t read, and keep what failed', async () => {
    const bodies = ['nonsense', 'nobody:pods/default/web', 'deployment:not a key'];
    const messages = bodies.map((body, i) => ({ body, group: body, id: String(i) }));
    const reconciled = await reconcilerHandler(cloud.plane)(sqsEvent(messages));
    expect(reconciled.batchItemFailures).toEqual([]);
    const heard = await healthQueueHandler(cloud.plane)(sqsEvent(messages));
    expect(heard.batchItemFailures).toEqual([]);

    const broken = { ...cloud.plane.effects, store: failingStore() };
    const failing = reconcilerHandler({ ...cloud.plane, effects: broken });
    const work = { body: 'deployment:deployments.apps/default/web', group: 'g', id: '7' };
    const answer = await failing(sqsEvent([work]));
    expect(answer.batchItemFailures).toEqual([{ itemIdentifier: '7' }]);
  });
});

const noQueue = () => Promise.reject(new Error('the queue is down'));

function failingStore() {
  const fail = () => Promise.reject(new Error('the table does not answer'));
  return new Proxy(new MemoryStore({ clock: new StepClock() }), { get: () => fail });
}
