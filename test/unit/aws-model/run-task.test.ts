/** RunTask: its limits, its failures, its idempotency, its throttles. */
import type { RunTaskCommandInput } from '@aws-sdk/client-ecs';
import { RegisterTaskDefinitionCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../aws/model/ecs/buckets.ts';
import { AWS_RATES } from '../../aws/model/settings.ts';
import { Bench, CLUSTER, container, the } from './support.ts';

const HOUR_MS = 3_600_000;

describe('what RunTask refuses', () => {
  const strategy = (...weights: number[]) =>
    weights.map((weight) => ({ capacityProvider: 'FARGATE', weight }));
  const network = { awsvpcConfiguration: { subnets: [] } };
  const environment = [{ name: 'A', value: 'x'.repeat(8200) }];
  const cases: [string, Partial<RunTaskCommandInput>, RegExp][] = [
    ['no tasks', { count: 0 }, /count must be between 1 and 10/],
    ['eleven tasks', { count: 11 }, /count must be between 1 and 10/],
    [
      'overrides of over 8192 characters',
      { overrides: { containerOverrides: [{ name: 'app', environment }] } },
      /8192/,
    ],
    ['a startedBy of 129 characters', { startedBy: 'a'.repeat(129) }, /startedBy/],
    ['a startedBy with a colon', { startedBy: 'a:b' }, /startedBy/],
    ['a token of 65 characters', { clientToken: 'a'.repeat(65) }, /clientToken/],
    ['a token with a space', { clientToken: 'a b' }, /clientToken/],
    [
      'a launch type and a strategy',
      { launchType: 'FARGATE', capacityProviderStrategy: strategy(1) },
      /launch type and capacity provider strategy/,
    ],
    ['a strategy of weight 0', { capacityProviderStrategy: strategy(0) }, /weight/],
    ['no network configuration', { networkConfiguration: undefined }, /Network Configuration/],
    ['no subnets', { networkConfiguration: network }, /subnets/],
    ['a cluster that is not there', { cluster: 'nowhere' }, /Cluster not found/],
    ['an unknown container', { overrides: { containerOverrides: [{ name: 'b' }] } }, /named b/],
    [
      'constraints on Fargate',
      { placementConstraints: [{ type: 'distinctInstance' }] },
      /not supported on Fargate/,
    ],
    ['a size that Fargate has not', { overrides: { cpu: '256', memory: '4096' } }, /No Fargate/],
  ];

  it.each(cases)('%s', async (_name, given, message) => {
    const bench = new Bench();
    const definition = await bench.define();
    await expect(bench.run(definition, given)).rejects.toThrow(message);
    await expect(bench.run(definition, given)).rejects.toMatchObject({
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('a task definition that is not there', async () => {
    await expect(new Bench().run('none:1')).rejects.toMatchObject({ name: 'ClientException' });
  });

  it('a network configuration without awsvpc', async () => {
    const bench = new Bench();
    bench.model.ecs.instances.register({ ec2InstanceId: 'i-1', cpu: 2048, memoryMiB: 4096 });
    const networkConfiguration = { awsvpcConfiguration: { subnets: ['subnet-a'] } };
    const call = bench.runOnEc2(await bench.defineForEc2(), { networkConfiguration });
    await expect(call).rejects.toThrow('not valid for the given networkMode');
  });
});

describe('where tasks go', () => {
  it('echoes what was asked for', async () => {
    const bench = new Bench();
    const overrides = { containerOverrides: [{ name: 'app', environment: [{ name: 'A' }] }] };
    const given = { group: 'pod:a/b@c', startedBy: 'uid-1', overrides };
    const task = the((await bench.run(await bench.define(), given)).tasks);
    expect(task).toMatchObject({ group: 'pod:a/b@c', startedBy: 'uid-1', overrides });
  });

  it('spreads over providers by base and weight', async () => {
    const bench = new Bench();
    const capacityProviderStrategy = [
      { capacityProvider: 'FARGATE', base: 1, weight: 1 },
      { capacityProvider: 'FARGATE_SPOT', weight: 3 },
    ];
    const definition = await bench.define();
    const answer = await bench.run(definition, { count: 9, capacityProviderStrategy });
    const names = answer.tasks?.map(({ capacityProviderName }) => capacityProviderName) ?? [];
    expect(names.filter((name) => name === 'FARGATE_SPOT')).toHaveLength(6);
  });

  it('answers 200 with failures, and launches what there is room for', async () => {
    const bench = new Bench();
    bench.model.ecs.world.fargateCapacity.set('FARGATE', 2);
    const answer = await bench.run(await bench.define(), { count: 5 });
    expect(answer.tasks).toHaveLength(2);
    expect(answer.failures).toHaveLength(3);
    expect(answer.failures?.[0]?.reason).toMatch(/^Capacity is unavailable at this time/);
    expect(bench.events.length).toBe(2);
  });

  it('keeps within the vCPU quota', async () => {
    const bench = new Bench({ fargateVcpus: 0.5 });
    const definition = await bench.define();
    await bench.run(definition, { count: 2 });
    await expect(bench.run(definition)).rejects.toThrow('number of vCPUs');
  });
});

describe('client tokens', () => {
  it('give the same task for the same request, ended or not', async () => {
    const bench = new Bench();
    const definition = await bench.define([container('app', { exitCode: 0 })]);
    const first = the((await bench.run(definition, { clientToken: 'one' })).tasks);
    await bench.pass(10_000);
    const again = the((await bench.run(definition, { clientToken: 'one' })).tasks);
    expect(again).toMatchObject({ taskArn: first.taskArn, lastStatus: 'STOPPED' });
  });

  it('conflict with another request, and name the task', async () => {
    const bench = new Bench();
    const definition = await bench.define();
    const first = the((await bench.run(definition, { clientToken: 'one' })).tasks);
    const other = bench.run(definition, { clientToken: 'one', startedBy: 'other' });
    await expect(other).rejects.toMatchObject({
      name: 'ConflictException',
      resourceIds: [first.taskArn],
    });
  });

  it.each([
    ['24 hours, while the task runs', 24 * HOUR_MS, {}],
    ['an hour after its end', HOUR_MS + 10_000, { exitCode: 0 }],
  ])('live for %s', async (_name, ms, behaviour) => {
    const bench = new Bench();
    const definition = await bench.define([container('app', behaviour)]);
    const ask = async () => the((await bench.run(definition, { clientToken: 'one' })).tasks);
    const first = await ask();
    await bench.pass(ms - 20_000);
    expect((await ask()).taskArn).toBe(first.taskArn);
    await bench.pass(20_000);
    expect((await ask()).taskArn).not.toBe(first.taskArn);
  });

  it('belong to a cluster', async () => {
    const bench = new Bench();
    const definition = await bench.define();
    const first = the((await bench.run(definition, { clientToken: 'one' })).tasks);
    const elsewhere = { clientToken: 'one', cluster: 'default' };
    expect(the((await bench.run(definition, elsewhere)).tasks).taskArn).not.toBe(first.taskArn);
  });

  it('are forgotten when nothing was launched', async () => {
    const bench = new Bench();
    const { fargateCapacity } = bench.model.ecs.world;
    const definition = await bench.define();
    fargateCapacity.set('FARGATE', 0);
    expect((await bench.run(definition, { clientToken: 'one' })).tasks).toEqual([]);
    fargateCapacity.delete('FARGATE');
    expect((await bench.run(definition, { clientToken: 'one' })).tasks).toHaveLength(1);
  });
});

describe('throttles', () => {
  const throttled = { name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } };

  it('Fargate launches at 20 a second after 100', async () => {
    const bench = new Bench({ rates: AWS_RATES });
    const definition = await bench.define();
    for (let i = 0; i < 10; i++) await bench.run(definition, { count: 10 });
    await expect(bench.run(definition)).rejects.toMatchObject(throttled);
    await bench.pass(500);
    expect((await bench.run(definition, { count: 10 })).tasks).toHaveLength(10);
    await expect(bench.run(definition)).rejects.toMatchObject(throttled);
  });

  it('hold no more than their burst, however long nobody asks', () => {
    const bucket = new TokenBucket({ burst: 5, perSecond: 10 }, 0);
    expect(bucket.take(5, 3_600_000)).toBe(true);
    expect(bucket.take(1, 3_600_000)).toBe(false);
    expect(bucket.take(2, 3_600_100)).toBe(false);
    expect(bucket.take(1, 3_600_100)).toBe(true);
  });

  it('Spot and On-Demand each by their own', async () => {
    const bench = new Bench({ rates: { ...AWS_RATES, fargateLaunch: { burst: 1, perSecond: 1 } } });
    const definition = await bench.define();
    await bench.run(definition);
    await expect(bench.run(definition)).rejects.toMatchObject(throttled);
    const capacityProviderStrategy = [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }];
    expect((await bench.run(definition, { capacityProviderStrategy })).tasks).toHaveLength(1);
  });

  it('RunTask and StopTask from one bucket', async () => {
    const bench = new Bench({ rates: { ...AWS_RATES, taskWrite: { burst: 2, perSecond: 1 } } });
    const task = await bench.start(container('app'));
    const stop = () => {
      return bench.ecs.send(new StopTaskCommand({ cluster: CLUSTER, task: task.taskArn }));
    };
    await stop();
    await expect(stop()).rejects.toMatchObject(throttled);
    await bench.pass(1_000);
    await stop();
  });

  it('registrations at one a second after twenty', async () => {
    const bench = new Bench({ rates: AWS_RATES });
    const register = () => {
      const containerDefinitions = [container('app', {}, { memory: 64 })];
      const input = { family: 'a', containerDefinitions };
      return bench.ecs.send(new RegisterTaskDefinitionCommand(input));
    };
    for (let i = 0; i < 20; i++) await register();
    await expect(register()).rejects.toMatchObject(throttled);
    await bench.pass(1_000);
    expect((await register()).taskDefinition?.revision).toBe(21);
  });
});

describe('Fargate Spot', () => {
  it('tells of the interruption at once, and ends the task in its time', async () => {
    const bench = new Bench();
    const capacityProviderStrategy = [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }];
    const app = container('app', { ignoresTerm: true }, { stopTimeout: 120 });
    const answer = await bench.run(await bench.define([app]), { capacityProviderStrategy });
    const task = the(answer.tasks);
    expect(task.capacityProviderName).toBe('FARGATE_SPOT');
    await bench.pass(5_000);
    bench.events.length = 0;
    bench.model.ecs.interruptSpotTask(task.taskArn ?? '');
    await bench.pass(0);
    expect(bench.events[0]?.detail).toMatchObject({
      desiredStatus: 'STOPPED',
      lastStatus: 'RUNNING',
      stopCode: 'SpotInterruption',
    });
    await bench.pass(122_000);
    expect((await bench.describe(task)).lastStatus).toBe('STOPPED');
  });
});
