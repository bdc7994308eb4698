/** What ECS does to us: answers that get lost, throttling, shortages, tokens, lagging listings. */
import { DeregisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { EcsRuntime } from '../../../adapters/aws/ecs/ecs-runtime.ts';
import type { ContainerSpec, TaskSpec, TaskState } from '../../../shared/api/task.ts';
import {
  NoCapacity,
  NoSuchTask,
  RuntimeUnavailable,
  TaskRejected,
} from '../../../shared/ports/runtime.ts';
import { type Behaviour, container, taskSpec } from '../../contract/runtime.contract.ts';
import { AWS_LATENCIES } from '../model/settings.ts';
import { behaving, EcsWorld } from './harness.ts';

const INSTANCE = 'i-0123456789abcdef0';

let world: EcsWorld;
let runtime: EcsRuntime;
beforeEach(() => {
  world = new EcsWorld();
  runtime = world.runtime();
});

function task(behaviour: Behaviour = {}, given: Partial<TaskSpec> = {}): TaskSpec {
  const containers = [behaving(container('app'), behaviour)];
  return taskSpec({ nodeName: 'fargate', containers, ...given });
}

const run = (spec: TaskSpec, by = runtime) => world.during(by.run(spec));
const calls = (operation: string) => world.model.calls.count(operation);

async function describeOne(id: string, by = runtime): Promise<TaskState | undefined> {
  const [state] = await world.during(by.describe([id]));
  return state;
}

describe('a launch', () => {
  it.each(['timeout-after', 'error-after'] as const)(
    'whose answer gets lost (%s) is asked for again, and is one task',
    async (kind) => {
      const spec = task();
      await run(task()); // registers the definition
      world.model.faults.add({ kind, operation: 'RunTask', times: 1 });
      await expect(run(spec)).rejects.toThrow(RuntimeUnavailable);
      const again = await run(spec, world.runtime());
      expect(again.id).toBe(spec.id);
      expect(calls('RunTask')).toBe(3);
      await world.clock.advance(10_000);
      expect(await world.during(runtime.list())).toHaveLength(2);
    },
  );

  it('that is throttled takes another turn, and gives up after some', async () => {
    await run(task()); // registers the definition
    world.model.calls.clear();
    world.model.faults.add({ kind: 'throttle', operation: 'RunTask', times: 1 });
    expect((await run(task())).phase).toBe('pending');
    expect(calls('RunTask')).toBe(2);
    world.model.faults.add({ kind: 'throttle', operation: 'RunTask' });
    await expect(run(task())).rejects.toThrow(RuntimeUnavailable);
    expect(calls('RunTask')).toBe(6);
  });

  it.each(['error-before', 'timeout-before'] as const)(
    'that fails before anything happened (%s) comes again',
    async (kind) => {
      const spec = task();
      world.model.faults.add({ kind, operation: 'RunTask', times: 1 });
      await expect(run(spec)).rejects.toThrow(RuntimeUnavailable);
      expect((await run(spec)).phase).toBe('pending');
    },
  );

  it('that was made under other settings is found by its token', async () => {
    const spec = task();
    const first = await run(spec);
    const image = 'another:1';
    const changed = { ...spec, containers: spec.containers.map((one) => ({ ...one, image })) };
    const again = await run(changed, world.runtime());
    expect(again).toMatchObject({ id: first.id, containers: [{ image: 'test:1' }] });
  });

  it('finds its definition deregistered, and registers it again', async () => {
    await run(task());
    const [revision] = definitionArns();
    const command = new DeregisterTaskDefinitionCommand({ taskDefinition: revision });
    await world.ecs.send(command);
    await world.clock.advance(700_000);
    expect((await run(task())).phase).toBe('pending');
    expect(calls('RegisterTaskDefinition')).toBe(2);
  });

  it('registers a definition once, for all pods and processes', async () => {
    for (let i = 0; i < 5; i++) await run(task({}, { podName: `web-${i}`, hostname: `web-${i}` }));
    await run(task(), world.runtime());
    expect(calls('RegisterTaskDefinition')).toBe(1);
    expect(calls('DescribeTaskDefinition')).toBe(2);
  });

  it('finds no capacity on Fargate Spot, and says so', async () => {
    world.model.ecs.world.fargateCapacity.set('FARGATE_SPOT', 0);
    const launch = run(task({}, { nodeName: 'fargate-spot' }));
    await expect(launch).rejects.toThrow(NoCapacity);
    await expect(launch).rejects.toThrow('fargate-spot has no capacity now');
  });

  it('finds no room on its machine', async () => {
    const size = { cpu: 1024, memoryMiB: 1024, maxEnis: 10 };
    world.model.ecs.instances.register({ ec2InstanceId: INSTANCE, ...size });
    const big = container('app', { image: 'x', cpuMillisRequest: 2_000 });
    const launch = run(task({}, { nodeName: INSTANCE, containers: [big] }));
    await expect(launch).rejects.toThrow(NoCapacity);
    await expect(launch).rejects.toThrow(`${INSTANCE} has not enough CPU left`);
  });

  it('finds no machine', async () => {
    await expect(run(task({}, { nodeName: INSTANCE }))).rejects.toThrow(NoCapacity);
  });

  it('is refused for what ECS can’t do', async () => {
    await expect(run(task({}, { nodeName: 'node-1' }))).rejects.toThrow(TaskRejected);
  });
});

function definitionArns(): string[] {
  return [...world.model.ecs.world.tasks.values()].map(
    ({ definition }) => definition.taskDefinitionArn ?? '',
  );
}

describe('a burst', () => {
  it('of launches is held to the account’s rates, and throttles nobody', async () => {
    await run(task());
    world.model.calls.clear();
    const launches = Array.from({ length: 150 }, () => runtime.run(task()));
    const settled = await world.during(Promise.allSettled(launches));
    const failed = settled.filter(({ status }) => status === 'rejected');
    expect(failed).toEqual([]);
    const throttled = world.model.calls.list.filter(({ outcome }) => outcome !== 'ok');
    expect(throttled).toEqual([]);
  });

  it('beyond what can wait is turned away without a call', async () => {
    await run(task());
    world.model.calls.clear();
    const launches = Array.from({ length: 400 }, () => runtime.run(task()));
    const settled = await world.during(Promise.allSettled(launches));
    const failed = settled.flatMap((one) =>
      one.status === 'rejected' ? [one.reason as Error] : [],
    );
    expect(failed.length).toBeGreaterThan(100);
    expect(failed.every((error) => error instanceof RuntimeUnavailable)).toBe(true);
    expect(calls('RunTask')).toBe(400 - failed.length);
  });

  it('of new shapes is registered slowly', async () => {
    const images = Array.from({ length: 6 }, (_, i) => `shape:${i}`);
    const startMs = world.clock.nowMs();
    const launches = images.map((image) =>
      runtime.run(task({}, { containers: [container('app', { image })] })),
    );
    await world.during(Promise.all(launches));
    expect(world.clock.nowMs() - startMs).toBeGreaterThan(5_000);
    expect(calls('RegisterTaskDefinition')).toBe(6);
  });
});

describe('another process', () => {
  it('finds tasks by their ids, a few one by one and many by a survey', async () => {
    const specs = Array.from({ length: 230 }, () => task());
    for (const spec of specs) await run(spec);
    await world.clock.advance(20_000);
    world.model.calls.clear();
    const ids = specs.map(({ id }) => id);
    const other = world.runtime();
    expect(await world.during(other.describe(ids.slice(0, 1)))).toHaveLength(1);
    expect(calls('ListTasks')).toBe(1);
    const states = await world.during(other.describe(ids));
    expect(states.map(({ id }) => id).sort()).toEqual([...ids].sort());
    expect(calls('ListTasks')).toBeLessThan(10);
    expect(calls('DescribeTasks')).toBeLessThan(10);
  });

  it('finds ended tasks too, and lists only what lives and is ours', async () => {
    const ended = task({ exitCode: 0 });
    const alive = task();
    await run(ended);
    await run(alive);
    await world.clock.advance(20_000);
    const other = world.runtime();
    expect((await describeOne(ended.id, other))?.phase).toBe('stopped');
    expect(await world.during(other.list())).toEqual([alive.id]);
    expect(await world.during(other.list())).toEqual([alive.id]);
  });

  it.each([
    ['by its id, which takes a look for it', false, 1],
    ['by its handle, without one', true, 0],
  ])('stops a task that it did not start %s', async (_, byHandle, looks) => {
    const spec = task();
    const { handle } = await run(spec);
    await world.clock.advance(5_000);
    world.model.calls.clear();
    const stopped = world.runtime().stop(spec.id, 30, byHandle ? handle : undefined);
    await world.during(stopped);
    expect(calls('ListTasks')).toBe(looks);
    await world.clock.advance(5_000);
    expect(await describeOne(spec.id)).toMatchObject({ phase: 'stopped', reason: 'UserInitiated' });
  });

  it('hears that a task is forgotten, an hour after its end', async () => {
    const spec = task({ exitCode: 0 });
    await run(spec);
    await world.clock.advance(3_700_000);
    expect(await describeOne(spec.id)).toBeUndefined();
    expect(await describeOne(spec.id, world.runtime())).toBeUndefined();
  });
});

describe('the end of a machine', () => {
  it('is the end of its tasks, and their reason', async () => {
    const size = { cpu: 4096, memoryMiB: 4096, maxEnis: 10 };
    const instance = world.model.ecs.instances.register({ ec2InstanceId: INSTANCE, ...size });
    const spec = task({}, { nodeName: INSTANCE });
    await run(spec);
    await world.clock.advance(5_000);
    world.model.ecs.instances.hostGone(instance, 'terminated');
    await world.clock.advance(1_000);
    expect(await describeOne(spec.id)).toMatchObject({
      phase: 'stopped',
      reason: 'NodeLost',
      containers: [{ state: { type: 'terminated', reason: 'ContainerStatusUnknown' } }],
    });
    expect(world.messages.at(-1)).toMatchObject({ task: { id: spec.id, reason: 'NodeLost' } });
  });
});

describe('the output of a container', () => {
  const { signal } = new AbortController();
  const options = { follow: false, timestamps: false, signal };

  async function read(id: string, given: object = {}): Promise<string> {
    const decoder = new TextDecoder();
    let text = '';
    const chunks = runtime.logs(id, 'app', { ...options, ...given });
    for (;;) {
      const chunk = await world.during(chunks.next());
      if (chunk.done) return text;
      text += decoder.decode(chunk.value, { stream: true });
    }
  }

  async function printed(lines: readonly string[], behaviour: Behaviour = {}): Promise<string> {
    const spec = task({ output: lines, ...behaviour });
    await run(spec);
    await world.clock.advance(5_000);
    return spec.id;
  }

  it('is nothing before it has begun', async () => {
    const spec = task();
    await run(spec);
    expect(await read(spec.id)).toBe('');
  });

  it('has times, if they are asked for', async () => {
    const id = await printed(['one']);
    expect(await read(id, { timestamps: true })).toMatch(/^2030-01-01T00:00:\d\d\.\d{3}Z one\n$/);
  });

  it('is cut where it is to be cut', async () => {
    const id = await printed(['one', 'two', 'three']);
    expect(await read(id, { limitBytes: 6 })).toBe('one\ntw');
    expect(await read(id, { tailLines: 2 })).toBe('two\nthree\n');
    expect(await read(id, { tailLines: 0 })).toBe('');
    expect(await read(id, { sinceMs: world.clock.nowMs() + 1 })).toBe('');
  });

  it('is read page by page', async () => {
    const lines = Array.from({ length: 25_000 }, (_, i) => `line ${i}`);
    const id = await printed([]);
    const [record] = [...world.model.ecs.world.tasks.values()];
    const stream = record?.containers[0]?.log;
    for (const line of lines) if (stream) world.model.logs.write(stream, line);
    expect((await read(id)).split('\n').slice(0, -1)).toEqual(lines);
  });

  it('is followed until the task has ended, and then no longer', async () => {
    const id = await printed(['one'], { exitCode: 0, exitAfterMs: 30_000 });
    const startMs = world.clock.nowMs();
    expect(await read(id, { follow: true })).toBe('one\n');
    expect(world.clock.nowMs() - startMs).toBeGreaterThan(20_000);
    expect(world.clock.nowMs() - startMs).toBeLessThan(60_000);
  });

  it('is followed through throttling, and no longer than somebody listens', async () => {
    const id = await printed(['one']);
    world.model.faults.add({ kind: 'throttle', operation: 'GetLogEvents', times: 2 });
    const stop = new AbortController();
    void world.clock.delay(15_000).then(() => stop.abort());
    expect(await read(id, { follow: true, signal: stop.signal })).toBe('one\n');
  });
});

describe('exec', () => {
  it('says how it can be done', async () => {
    const spec = task();
    await run(spec);
    const options = { command: ['sh', '-c', "echo 'x y'"], tty: false, stdin: false };
    const { signal } = new AbortController();
    const exec = (id: string) => world.during(runtime.exec(id, 'app', { ...options, signal }));
    const refusal = await exec(spec.id).catch((error: unknown) => error as Error);
    expect(refusal).toBeInstanceOf(TaskRejected);
    expect((refusal as Error).message).toMatch(
      /aws ecs execute-command --region us-east-1 --cluster nullplane --task \w+ --container app /,
    );
    await expect(exec('nobody-1')).rejects.toThrow(NoSuchTask);
  });
});

describe('volumes', () => {
  it('are filled before the containers begin', async () => {
    const mounts = [{ volume: 'v', path: '/v', readOnly: false }];
    const app: ContainerSpec = { ...behaving(container('app'), {}), mounts };
    const volumes = [{ name: 'v', type: 'empty', memory: false, sizeBytes: 0 }] as const;
    const spec = task({}, { containers: [app], volumes });
    await run(spec);
    await world.clock.advance(5_000);
    const state = await describeOne(spec.id);
    expect(state).toMatchObject({ phase: 'running', initContainers: [] });
    expect(state?.containers.map(({ name }) => name)).toEqual(['app']);
  });
});

describe('at AWS’s own pace', () => {
  it('a task runs within a minute, and says so in order', async () => {
    world = new EcsWorld({ latencies: AWS_LATENCIES });
    runtime = world.runtime();
    const spec = task();
    await run(spec);
    await world.clock.advance(60_000);
    const phases = world.messages.flatMap((m) => (m.type === 'task' ? [m.task.phase] : []));
    expect([...new Set(phases)]).toEqual(['pending', 'running']);
  });
});
