/** Events of ECS and EC2 as they come out of the health queue, and what they do to nodes. */
import type { SQSEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { MemoryInstances } from '../../../adapters/memory/memory-instances.ts';
import { MemoryQueue } from '../../../adapters/memory/memory-queue.ts';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { SimulatedRuntime } from '../../../adapters/memory/simulated-runtime.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { healthHandler } from '../../../lambdas/health/handler.ts';
import { instanceMessage } from '../../../lambdas/health/instance-event.ts';
import type { Node } from '../../../shared/api/kinds/node.ts';
import { hasTaint, nodeControl, nodeView } from '../../../shared/core/node/state.ts';
import { ID, INSTANCE, REGISTRATION, T0 } from '../node/fixtures.ts';

const time = (atMs: number) => new Date(atMs).toISOString();
const ARN = 'arn:aws:ecs:eu-west-1:111122223333:container-instance/nullplane/c1';

const DETAIL = {
  agentConnected: true,
  attributes: [
    { name: 'com.amazonaws.ecs.capability.logging-driver.awslogs' },
    { name: 'ecs.capability.docker-remote-api.1.25' },
    { name: 'ecs.cpu-architecture', value: 'x86_64' },
    { name: 'team', value: 'ml' },
  ],
  clusterArn: 'arn:aws:ecs:eu-west-1:111122223333:cluster/nullplane',
  containerInstanceArn: ARN,
  ec2InstanceId: ID,
  registeredAt: time(T0),
  registeredResources: [
    { name: 'CPU', type: 'INTEGER', integerValue: 4096 },
    { name: 'MEMORY', type: 'INTEGER', integerValue: 15_500 },
    { name: 'GPU', type: 'STRINGSET', stringSetValue: ['GPU-1'] },
    { name: 'PORTS', type: 'STRINGSET', stringSetValue: ['22'] },
  ],
  remainingResources: [],
  status: 'ACTIVE',
  version: 3,
};

const JOINED = 'ECS Container Instance State Change';
const SPOT = 'EC2 Spot Instance Interruption Warning';
const REBALANCE = 'EC2 Instance Rebalance Recommendation';
const STATE = 'EC2 Instance State-change Notification';

const event = (type: string, detail: unknown, atMs: unknown = T0) => ({
  version: '0',
  id: 'e1',
  'detail-type': type,
  source: 'aws.ec2',
  account: '111122223333',
  time: typeof atMs === 'number' ? time(atMs) : atMs,
  detail,
});
const warned = { 'instance-id': ID, 'instance-action': 'terminate' };
const interruption = (kind: string) => ({
  type: 'node-interruption',
  nodeName: ID,
  kind,
  atMs: T0,
});
const status = (is: string) => ({ type: 'node', nodeName: ID, status: is, atMs: T0 });

describe('an event about a machine', () => {
  it.each([
    [SPOT, warned, { ...interruption('spot'), endsAtMs: T0 + 120_000 }],
    [REBALANCE, { 'instance-id': ID }, interruption('rebalance')],
    [STATE, { 'instance-id': ID, state: 'shutting-down' }, interruption('shutdown')],
    [STATE, { 'instance-id': ID, state: 'stopping' }, interruption('shutdown')],
    [STATE, { 'instance-id': ID, state: 'running' }, interruption('over')],
    [STATE, { 'instance-id': ID, state: 'stopped' }, status('disconnected')],
    [STATE, { 'instance-id': ID, state: 'terminated' }, status('gone')],
  ])('is a message: %s %j', (type, detail, message) => {
    expect(instanceMessage(event(type, detail))).toEqual(message);
  });

  it('brings what the agent said, without what it can do', () => {
    const attributes = { 'ecs.cpu-architecture': 'x86_64', team: 'ml' };
    expect(instanceMessage(event(JOINED, DETAIL))).toEqual({
      type: 'node-registration',
      nodeName: ID,
      atMs: T0,
      registration: { ...REGISTRATION, attributes },
    });
  });

  it.each([
    ['a state in between', STATE, { 'instance-id': ID, state: 'pending' }],
    ['no instance', SPOT, {}],
    ['an instance that is no text', SPOT, { 'instance-id': 7 }],
    ['no detail', SPOT, undefined],
    ['a detail that is no object', SPOT, 'text'],
    ['a detail that is a list', SPOT, [warned]],
    ['no version', JOINED, { ...DETAIL, version: undefined }],
    ['a version that is no number', JOINED, { ...DETAIL, version: '3' }],
    ['no time of registration', JOINED, { ...DETAIL, registeredAt: undefined }],
    ['a time of registration that is none', JOINED, { ...DETAIL, registeredAt: 'soon' }],
    ['attributes that are no list', JOINED, { ...DETAIL, attributes: {} }],
    ['attributes that are none', JOINED, { ...DETAIL, attributes: [null] }],
    ['resources that are no list', JOINED, { ...DETAIL, registeredResources: 'all' }],
    ['an agent of which it is not said', JOINED, { ...DETAIL, agentConnected: undefined }],
    ['no attributes', JOINED, { ...DETAIL, attributes: undefined }],
    ['no resources', JOINED, { ...DETAIL, registeredResources: undefined }],
    [
      'no memory',
      JOINED,
      { ...DETAIL, registeredResources: DETAIL.registeredResources.slice(0, 1) },
    ],
    ['an agent that is a number', JOINED, { ...DETAIL, agentConnected: 1e300 }],
    ['a status that is none', JOINED, { ...DETAIL, status: null }],
    ['an empty status', JOINED, { ...DETAIL, status: '' }],
    ['an unknown type', 'EC2 Instance Sings', warned],
    ['a type of every object', 'constructor', warned],
  ])('is none with %s', (_, type, detail) => {
    expect(instanceMessage(event(type, detail))).toBeUndefined();
  });

  it.each([['then'], [undefined], [5e20]])('is none without a time: %s', (atMs) => {
    const envelope = { ...event(SPOT, warned), time: atMs };
    expect(instanceMessage(envelope)).toBeUndefined();
  });
});

function world() {
  const clock = new StepClock(T0);
  const instances = new MemoryInstances({ clock, shapes: {} });
  const effects = {
    store: new MemoryStore({ clock }),
    runtime: new SimulatedRuntime({ clock, emit: () => {} }),
    clock,
    ids: new SeededIds(1),
    recorder: new MemoryRecorder(),
    instances,
  };
  const queue = new MemoryQueue({ clock });
  const routes = { controllers: [], reconcileQueue: queue, scheduleQueue: queue };
  const handle = healthHandler({ effects, routes });
  const tell = (...bodies: unknown[]) => {
    const Records = bodies.map((body, i) => ({
      messageId: `m${i}`,
      body: typeof body === 'string' ? body : JSON.stringify(body),
      attributes: { ApproximateReceiveCount: '1' },
    }));
    return handle({ Records } as unknown as SQSEvent);
  };
  const node = () => effects.store.get<Node>({ resource: 'nodes', namespace: '', name: ID });
  return { ...effects, tell, node };
}

const ALL_WELL = { batchItemFailures: [] };

describe('the health function', () => {
  it('makes the node of a machine that joins, once', async () => {
    const { instances, tell, node, store } = world();
    instances.add(INSTANCE);
    const joined = event(JOINED, DETAIL);
    expect(await tell(joined, joined)).toEqual(ALL_WELL);
    const first = await node();
    expect(first?.metadata).toMatchObject({ name: ID, labels: { team: 'ml' }, generation: 1 });
    await tell(joined, event(JOINED, { ...DETAIL, version: 2, agentConnected: false }));
    expect(await node()).toEqual(first);
    expect((await store.list({ resource: 'nodes' })).items).toHaveLength(1);
  });

  it('makes no node of a machine that the pool does not know, or that is none', async () => {
    const { tell, store, recorder } = world();
    const elsewhere = { ...DETAIL, ec2InstanceId: 'mi-0123456789abcdef0' };
    await tell(event(JOINED, DETAIL), event(JOINED, elsewhere));
    expect((await store.list({ resource: 'nodes' })).items).toEqual([]);
    expect(recorder.logs).toEqual([]);
  });

  it('has a machine looked up again when the pool does not answer', async () => {
    const { instances, tell } = world();
    instances.setDown(true);
    const failed = { batchItemFailures: [{ itemIdentifier: 'm0' }] };
    expect(await tell(event(JOINED, DETAIL))).toEqual(failed);
  });

  it('takes what EC2 tells, in whatever order', async () => {
    const { instances, tell, node } = world();
    instances.add(INSTANCE);
    await tell(event(SPOT, warned));
    expect(await node()).toBeUndefined();
    await tell(event(JOINED, DETAIL));
    await tell(event(SPOT, warned), event(REBALANCE, { 'instance-id': ID }), event(SPOT, warned));
    const cordoned = await node();
    expect(cordoned && hasTaint(cordoned, 'karpenter.sh/disrupted')).toBe(true);
    expect(cordoned && nodeControl(cordoned).interruption?.kind).toBe('spot');
    await tell(event(STATE, { 'instance-id': ID, state: 'terminated' }, T0 + 9));
    await tell(event(JOINED, { ...DETAIL, version: 9 }, T0 + 5));
    expect(nodeView(await node())).toBe('gone');
  });

  it('drops what is none with a log line, and says what was wrong', async () => {
    const { tell, recorder } = world();
    const bodies = ['{', '7', 'null', event('EC2 Instance Sings', warned), { type: 'node' }];
    expect(await tell(...bodies)).toEqual(ALL_WELL);
    expect(recorder.logs.map(({ level, fields }) => [level, fields?.['problem']])).toEqual([
      ['warn', 'not JSON'],
      ['warn', 'not an object'],
      ['warn', 'not an object'],
      ['info', 'nothing for us in an event "EC2 Instance Sings"'],
      ['warn', 'nodeName is not a name'],
    ]);
  });
});
