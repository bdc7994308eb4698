/** Container instances: what they have left, who fits, draining, agents that come and go. */
import {
  DeregisterContainerInstanceCommand,
  DescribeContainerInstancesCommand,
  ListContainerInstancesCommand,
  PutAttributesCommand,
  UpdateContainerInstancesStateCommand,
} from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import type { NewInstance } from '../../aws/model/ecs/instances.ts';
import { Bench, CLUSTER, container, the } from './support.ts';

const BIG: NewInstance = { ec2InstanceId: 'i-1', cpu: 4096, memoryMiB: 8192 };

function withInstances(...given: Partial<NewInstance>[]) {
  const bench = new Bench();
  const instances = given.map((one, i) => {
    return bench.model.ecs.instances.register({ ...BIG, ec2InstanceId: `i-${i + 1}`, ...one });
  });
  return { bench, instances };
}

const gpus = (value: string) => ({
  cpu: 256,
  memory: 256,
  resourceRequirements: [{ type: 'GPU' as const, value }],
});

async function stateOf(bench: Bench, arn: string) {
  const input = { cluster: CLUSTER, containerInstances: [arn] };
  const answer = await bench.ecs.send(new DescribeContainerInstancesCommand(input));
  return the(answer.containerInstances);
}

const port80 = { portMappings: [{ containerPort: 80 }] };

describe('why an instance takes no task', () => {
  const cases: [string, string, Partial<NewInstance>, object, object?][] = [
    ['its CPU', 'RESOURCE:CPU', { cpu: 512 }, {}],
    ['its memory', 'RESOURCE:MEMORY', { memoryMiB: 512 }, {}],
    ['its GPUs', 'RESOURCE:GPU', { gpuIds: ['gpu-0'] }, gpus('2')],
    ['a port of the system', 'RESOURCE:PORTS', {}, { portMappings: [{ containerPort: 22 }] }],
    ['its interfaces', 'RESOURCE:ENI', { maxEnis: 0 }, {}, { networkMode: 'awsvpc' }],
    ['its attributes', 'ATTRIBUTE', { withoutCapabilities: true }, {}],
  ];
  it.each(cases)('%s', async (_name, reason, instance, given, definition) => {
    const { bench, instances } = withInstances(instance);
    const app = { ...container('app'), cpu: 1024, memory: 1024, ...given };
    const arn = await bench.defineForEc2(definition, [app]);
    const network = definition && {
      networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-a'] } },
    };
    const answer = await bench.runOnEc2(arn, network);
    expect(answer.tasks).toEqual([]);
    expect(answer.failures).toMatchObject([{ arn: instances[0]?.arn, reason }]);
  });

  it('an agent that is away', async () => {
    const { bench, instances } = withInstances({});
    bench.model.ecs.instances.setConnected(instances[0]!, false);
    const answer = await bench.runOnEc2(await bench.defineForEc2());
    expect(answer.failures).toMatchObject([{ reason: 'AGENT' }]);
  });

  it('there is none', async () => {
    const bench = new Bench();
    const call = bench.runOnEc2(await bench.defineForEc2());
    await expect(call).rejects.toThrow('No Container Instances were found in your cluster');
  });
});

describe('placement', () => {
  const only = (expression: string) => ({
    placementConstraints: [{ type: 'memberOf' as const, expression }],
  });

  it.each([
    ['ec2InstanceId == i-2', 'i-2'],
    ['attribute:disk == ssd', 'i-2'],
    ['attribute:disk != ssd and attribute:rack exists', 'i-3'],
    ['attribute:disk in [hdd, ssd] or attribute:rack == 9', 'i-2'],
    ['not (attribute:rack exists) and attribute:disk !exists', 'i-1'],
    ['attribute:ecs.instance-type =~ g4dn.*', 'i-4'],
    ['attribute:rack !in [7]  and (attribute:disk == ssd)', 'i-2'],
  ])('%s', async (expression, expected) => {
    const { bench, instances } = withInstances(
      {},
      { attributes: { disk: 'ssd' } },
      { attributes: { rack: '7' } },
      { instanceType: 'g4dn.xlarge', attributes: { disk: 'none', rack: '7' } },
    );
    // Several cases are true of the fourth as well: it takes nothing but its own.
    if (expected !== 'i-4') bench.model.ecs.instances.setConnected(instances[3]!, false);
    const answer = await bench.runOnEc2(await bench.defineForEc2(), only(expression));
    const arn = the(answer.tasks).containerInstanceArn;
    expect(instances.find((one) => one.arn === arn)?.ec2InstanceId).toBe(expected);
  });

  it.each(['nonsense', 'ec2InstanceId ==', 'task:x == 1', '(ec2InstanceId == a'])(
    'refuses the expression %s',
    async (expression) => {
      const { bench } = withInstances({});
      const call = bench.runOnEc2(await bench.defineForEc2(), only(expression));
      await expect(call).rejects.toMatchObject({ name: 'ClientException' });
    },
  );

  it('says so when a constraint leaves none', async () => {
    const { bench } = withInstances({});
    const call = bench.runOnEc2(await bench.defineForEc2(), only('ec2InstanceId == i-9'));
    const { failures } = await call;
    expect(the(failures).reason).toBe('MemberOf placement constraint unsatisfied.');
  });

  it('launches what fits and tells of the rest', async () => {
    const { bench } = withInstances({ cpu: 2048 });
    const answer = await bench.runOnEc2(await bench.defineForEc2(), { count: 3 });
    expect(answer.tasks).toHaveLength(2);
    expect(answer.failures).toMatchObject([{ reason: 'RESOURCE:CPU' }]);
  });
});

describe('what is left', () => {
  it('goes with a task and comes back when it is STOPPED', async () => {
    const { bench, instances } = withInstances({});
    const app = {
      ...container('app', { exitCode: 0, exitAfterMs: 5_000 }),
      cpu: 1024,
      memory: 1024,
    };
    await bench.runOnEc2(await bench.defineForEc2({}, [{ ...app, ...port80 }]));
    const left = async () => {
      const { remainingResources = [] } = await stateOf(bench, instances[0]!.arn);
      const of = (name: string) => remainingResources.find((one) => one.name === name);
      return [of('CPU')?.integerValue, of('MEMORY')?.integerValue, of('PORTS')?.stringSetValue];
    };
    const system = ['22', '2375', '2376', '51678', '51679'];
    // PORTS has those that are used.
    expect(await left()).toEqual([3072, 7168, [...system, '80']]);
    await bench.pass(10_000);
    expect(await left()).toEqual([4096, 8192, system]);
  });

  it('gives a port to one task only', async () => {
    const { bench } = withInstances({});
    const app = { ...container('app'), cpu: 256, memory: 256, ...port80 };
    const definition = await bench.defineForEc2({}, [app]);
    await bench.runOnEc2(definition);
    const second = await bench.runOnEc2(definition);
    expect(second.failures).toMatchObject([{ reason: 'RESOURCE:PORTS' }]);
  });

  it('pins GPUs, each to one container', async () => {
    const { bench, instances } = withInstances({ gpuIds: ['gpu-0', 'gpu-1', 'gpu-2'] });
    const containers = [
      { ...container('one'), ...gpus('1') },
      { ...container('two'), ...gpus('1') },
    ];
    const task = the((await bench.runOnEc2(await bench.defineForEc2({}, containers))).tasks);
    expect(task.containers?.map(({ gpuIds }) => gpuIds)).toEqual([['gpu-0'], ['gpu-1']]);
    const { remainingResources } = await stateOf(bench, instances[0]!.arn);
    const left = remainingResources?.find(({ name }) => name === 'GPU')?.stringSetValue;
    expect(left).toEqual(['gpu-2']);
    const all = await bench.defineForEc2({}, [{ ...container('all'), ...gpus('ALL') }]);
    expect((await bench.runOnEc2(all)).failures).toMatchObject([{ reason: 'RESOURCE:GPU' }]);
  });
});

describe('DRAINING', () => {
  it('takes no new tasks and leaves the others alone', async () => {
    const { bench, instances } = withInstances({});
    const definition = await bench.defineForEc2();
    const task = the((await bench.runOnEc2(definition)).tasks);
    await bench.pass(2_000);
    const containerInstances = [instances[0]!.arn, 'unknown'];
    const update = new UpdateContainerInstancesStateCommand({
      cluster: CLUSTER,
      status: 'DRAINING',
      containerInstances,
    });
    const answer = await bench.ecs.send(update);
    expect(answer.failures).toMatchObject([{ reason: 'MISSING' }]);
    await bench.pass(600_000);
    expect(await bench.describe(task)).toMatchObject({ lastStatus: 'RUNNING' });
    await expect(bench.runOnEc2(definition)).rejects.toThrow('No Container Instances');
  });
});

describe('an agent that is away', () => {
  it('tells of nothing and begins nothing until it is back', async () => {
    const { bench, instances } = withInstances({});
    const app = { ...container('app', { exitCode: 4, exitAfterMs: 5_000 }), cpu: 64, memory: 64 };
    const task = the((await bench.runOnEc2(await bench.defineForEc2({}, [app]))).tasks);
    await bench.pass(2_000);
    bench.model.ecs.instances.setConnected(instances[0]!, false);
    await bench.pass(60_000);
    const away = await bench.describe(task);
    expect(away).toMatchObject({ lastStatus: 'RUNNING', connectivity: 'DISCONNECTED' });
    bench.model.ecs.instances.setConnected(instances[0]!, true);
    await bench.pass(1_000);
    expect(the((await bench.describe(task)).containers).exitCode).toBe(4);
  });
});

describe('going', () => {
  it('ends the tasks of a machine that is gone, without exit codes', async () => {
    const { bench, instances } = withInstances({});
    const task = the((await bench.runOnEc2(await bench.defineForEc2())).tasks);
    await bench.pass(2_000);
    bench.model.ecs.instances.hostGone(instances[0]!, 'terminated');
    const ended = await bench.describe(task);
    expect(ended).toMatchObject({
      lastStatus: 'STOPPED',
      stoppedReason: 'Host EC2 (instance i-1) terminated.',
    });
    expect(the(ended.containers).exitCode).toBeUndefined();
  });

  it('is deregistered by force only while tasks run on it', async () => {
    const { bench, instances } = withInstances({});
    const task = the((await bench.runOnEc2(await bench.defineForEc2())).tasks);
    const deregister = (force: boolean) => {
      const input = { cluster: CLUSTER, containerInstance: instances[0]!.arn, force };
      return bench.ecs.send(new DeregisterContainerInstanceCommand(input));
    };
    await expect(deregister(false)).rejects.toThrow('running tasks');
    expect((await deregister(true)).containerInstance?.status).toBe('INACTIVE');
    expect((await bench.describe(task)).lastStatus).toBe('STOPPED');
  });
});

describe('lists and attributes', () => {
  it('lists by filter and status', async () => {
    const { bench, instances } = withInstances({}, { attributes: { disk: 'ssd' } });
    const list = async (given: object) => {
      const command = new ListContainerInstancesCommand({ cluster: CLUSTER, ...given });
      return (await bench.ecs.send(command)).containerInstanceArns;
    };
    expect(await list({ filter: 'attribute:disk == ssd' })).toEqual([instances[1]!.arn]);
    expect(await list({ status: 'DRAINING' })).toEqual([]);
    expect(await list({})).toHaveLength(2);
  });

  it('takes attributes later, a version each', async () => {
    const { bench, instances } = withInstances({});
    const attributes = [{ name: 'nullplane.pool', value: 'gpu', targetId: instances[0]!.arn }];
    await bench.ecs.send(new PutAttributesCommand({ cluster: CLUSTER, attributes }));
    const state = await stateOf(bench, instances[0]!.arn);
    expect(state.version).toBe(2);
    expect(state.attributes).toContainEqual({ name: 'nullplane.pool', value: 'gpu' });
    expect(bench.events.map((event) => event['detail-type'])).toEqual([
      'ECS Container Instance State Change',
      'ECS Container Instance State Change',
    ]);
  });
});
