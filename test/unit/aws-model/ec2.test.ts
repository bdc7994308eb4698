/** Fleets, instances, and how they become container instances and go again. */
import {
  CreateFleetCommand,
  type CreateFleetCommandInput,
  CreateTagsCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeSubnetsCommand,
  type Instance,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { AWS_RATES } from '../../aws/model/settings.ts';
import { Bench, EVEN, the } from './support.ts';

function fleet(count: number, given: Partial<CreateFleetCommandInput> = {}) {
  return new CreateFleetCommand({
    Type: 'instant',
    LaunchTemplateConfigs: [
      {
        LaunchTemplateSpecification: { LaunchTemplateId: 'lt-1', Version: '1' },
        Overrides: ['m5.large', 'm5.xlarge'].map((InstanceType) => ({
          InstanceType: InstanceType as 'm5.large',
          AvailabilityZone: 'us-east-1a',
        })),
      },
    ],
    TargetCapacitySpecification: {
      TotalTargetCapacity: count,
      DefaultTargetCapacityType: 'on-demand',
    },
    ...given,
  });
}

async function launch(bench: Bench, count = 1, given: Partial<CreateFleetCommandInput> = {}) {
  const { Instances = [] } = await bench.ec2.send(fleet(count, given));
  return Instances.flatMap(({ InstanceIds }) => InstanceIds ?? []);
}

async function describeAll(bench: Bench, given: object = {}): Promise<Instance[]> {
  const { Reservations = [] } = await bench.ec2.send(new DescribeInstancesCommand(given));
  return Reservations.flatMap(({ Instances }) => Instances ?? []);
}

const told = (bench: Bench, type: string) =>
  bench.events.filter((event) => event['detail-type'] === type).map(({ detail }) => detail);

describe('CreateFleet', () => {
  it('launches what is cheapest, with tags and client token', async () => {
    const bench = new Bench();
    const tags = [{ Key: 'nullplane', Value: 'a & <b>' }];
    const [id] = await launch(bench, 1, {
      ClientToken: 'claim-1',
      TagSpecifications: [{ ResourceType: 'instance', Tags: tags }],
    });
    const instance = the(await describeAll(bench, { InstanceIds: [id] }));
    expect(instance).toMatchObject({
      InstanceId: id,
      InstanceType: 'm5.large',
      State: { Name: 'pending', Code: 0 },
      ClientToken: 'claim-1',
      Placement: { AvailabilityZone: 'us-east-1a' },
    });
    expect(instance.Tags).toContainEqual(tags[0]);
    expect(instance.LaunchTime).toEqual(new Date(bench.clock.nowMs()));
  });

  it('answers 200 with errors of overrides, and with fewer instances', async () => {
    const bench = new Bench();
    bench.model.ec2.fleets.capacity.set('m5.large/us-east-1a/*', 1);
    bench.model.ec2.fleets.capacity.set('m5.xlarge/*/on-demand', 1);
    const answer = await bench.ec2.send(fleet(5));
    expect(answer.Instances?.map(({ InstanceType }) => InstanceType)).toEqual([
      'm5.large',
      'm5.xlarge',
    ]);
    expect(answer.Errors).toMatchObject([
      {
        ErrorCode: 'InsufficientInstanceCapacity',
        Lifecycle: 'on-demand',
        LaunchTemplateAndOverrides: {
          LaunchTemplateSpecification: { LaunchTemplateId: 'lt-1' },
          Overrides: { InstanceType: 'm5.large', AvailabilityZone: 'us-east-1a' },
        },
      },
      { ErrorCode: 'InsufficientInstanceCapacity' },
    ]);
  });

  it.each([
    ['spot', 'MaxSpotInstanceCountExceeded'],
    ['on-demand', 'VcpuLimitExceeded'],
  ] as const)('keeps within the quota of %s', async (lifecycle, code) => {
    const bench = new Bench();
    bench.model.ec2.fleets.vcpuQuota[lifecycle] = 2;
    const answer = await bench.ec2.send(
      fleet(2, {
        TargetCapacitySpecification: {
          TotalTargetCapacity: 2,
          DefaultTargetCapacityType: lifecycle,
        },
      }),
    );
    expect(answer.Instances).toHaveLength(1);
    expect(answer.Errors?.[0]?.ErrorCode).toBe(code);
  });

  it('answers the same to the same token, and refuses another request', async () => {
    const bench = new Bench();
    const first = await launch(bench, 1, { ClientToken: 'one' });
    expect(await launch(bench, 1, { ClientToken: 'one' })).toEqual(first);
    const other = launch(bench, 2, { ClientToken: 'one' });
    await expect(other).rejects.toMatchObject({ name: 'IdempotentParameterMismatch' });
  });

  it.each([
    ['a fleet that would go on', { Type: 'maintain' as const }],
    ['no template', { LaunchTemplateConfigs: [] }],
  ])('refuses %s', async (_name, given) => {
    await expect(launch(new Bench(), 1, given)).rejects.toThrow(/./);
  });

  it('is throttled in the words of EC2', async () => {
    const bench = new Bench({ rates: { ...AWS_RATES, fleet: { burst: 1, perSecond: 1 } } });
    await launch(bench);
    await expect(launch(bench)).rejects.toMatchObject({ name: 'RequestLimitExceeded' });
  });
});

describe('instances', () => {
  it('boot, and register with what the type has but for a share', async () => {
    const attributesAtBoot = ({ tags }: { tags: ReadonlyMap<string, string> }) => ({
      'nullplane.pool': tags.get('pool') ?? '',
    });
    const bench = new Bench({ launchTemplates: { 'lt-1': { attributesAtBoot } } });
    const [id] = await launch(bench, 1, {
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'pool', Value: 'web' }] }],
    });
    await bench.pass(5_000);
    expect(bench.model.ecs.instances.byEc2Id(id ?? '')).toBeUndefined();
    await bench.pass(2_000);
    const instance = bench.model.ecs.instances.byEc2Id(id ?? '');
    expect(instance).toMatchObject({ cpu: 2048, memoryMiB: 7782, maxEnis: 2 });
    expect(instance?.attributes.get('nullplane.pool')).toBe('web');
    expect(told(bench, 'EC2 Instance State-change Notification')).toMatchObject([
      { 'instance-id': id, state: 'pending' },
      { 'instance-id': id, state: 'running' },
    ]);
  });

  it('are missing right after the launch', async () => {
    const bench = new Bench({ latencies: { ...EVEN, instanceLagMs: 3_000 } });
    const [id] = await launch(bench);
    expect(await describeAll(bench)).toEqual([]);
    const one = describeAll(bench, { InstanceIds: [id] });
    await expect(one).rejects.toMatchObject({ name: 'InvalidInstanceID.NotFound' });
    await bench.pass(3_000);
    expect(await describeAll(bench)).toHaveLength(1);
  });

  it('are found by filters', async () => {
    const bench = new Bench();
    const [id] = await launch(bench, 2);
    const Tags = [{ Key: 'a', Value: 'b' }];
    await bench.ec2.send(new CreateTagsCommand({ Resources: [id ?? ''], Tags }));
    const found = async (Name: string, ...Values: string[]) => {
      return (await describeAll(bench, { Filters: [{ Name, Values }] })).length;
    };
    expect(await found('tag:a', 'b')).toBe(1);
    expect(await found('tag:a', 'c')).toBe(0);
    expect(await found('instance-state-name', 'pending', 'running')).toBe(2);
    expect(await found('instance-type', 'm5.*')).toBe(2);
    await expect(found('colour', 'red')).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });

  it('come in pages', async () => {
    const bench = new Bench();
    await launch(bench, 7);
    const first = await bench.ec2.send(new DescribeInstancesCommand({ MaxResults: 5 }));
    expect(first.Reservations).toHaveLength(5);
    expect(await describeAll(bench, { NextToken: first.NextToken })).toHaveLength(2);
  });

  it('take their tasks with them when they are terminated', async () => {
    const bench = new Bench();
    const [id] = await launch(bench);
    await bench.pass(10_000);
    const task = the((await bench.runOnEc2(await bench.defineForEc2())).tasks);
    await bench.pass(5_000);
    const terminate = new TerminateInstancesCommand({ InstanceIds: [id ?? ''] });
    const answer = await bench.ec2.send(terminate);
    expect(answer.TerminatingInstances).toMatchObject([
      {
        InstanceId: id,
        PreviousState: { Name: 'running' },
        CurrentState: { Name: 'shutting-down' },
      },
    ]);
    await bench.pass(5_000);
    expect((await bench.describe(task)).stoppedReason).toMatch(/^Host EC2 .* terminated/);
    expect(the(await describeAll(bench)).State?.Name).toBe('terminated');
    await bench.ec2.send(terminate);
    await bench.pass(3_600_000);
    expect(await describeAll(bench)).toEqual([]);
  });

  it('of Spot are warned two minutes before their end', async () => {
    const bench = new Bench();
    const target = { TotalTargetCapacity: 1, DefaultTargetCapacityType: 'spot' as const };
    const [id = ''] = await launch(bench, 1, { TargetCapacitySpecification: target });
    await bench.pass(10_000);
    const machine = bench.model.ec2.machines.get(id)!;
    bench.model.ec2.machines.recommendRebalance(machine);
    bench.model.ec2.machines.interrupt(machine);
    await bench.pass(0);
    expect(told(bench, 'EC2 Instance Rebalance Recommendation')).toHaveLength(1);
    expect(told(bench, 'EC2 Spot Instance Interruption Warning')).toEqual([
      { 'instance-id': id, 'instance-action': 'terminate' },
    ]);
    await bench.pass(119_000);
    expect(the(await describeAll(bench))).toMatchObject({
      State: { Name: 'running' },
      InstanceLifecycle: 'spot',
    });
    await bench.pass(3_000);
    expect(the(await describeAll(bench)).State?.Name).toBe('terminated');
  });
});

describe('DescribeInstanceTypes', () => {
  it('knows GPUs', async () => {
    const command = new DescribeInstanceTypesCommand({ InstanceTypes: ['g5.xlarge'] });
    expect(the((await new Bench().ec2.send(command)).InstanceTypes)).toMatchObject({
      VCpuInfo: { DefaultVCpus: 4 },
      MemoryInfo: { SizeInMiB: 16_384 },
      GpuInfo: { Gpus: [{ Name: 'A10G', Count: 1, MemoryInfo: { SizeInMiB: 22_888 } }] },
      NetworkInfo: { MaximumNetworkInterfaces: 4 },
      ProcessorInfo: { SupportedArchitectures: ['x86_64'] },
    });
  });

  it('refuses types that it does not know', async () => {
    const command = new DescribeInstanceTypesCommand({ InstanceTypes: ['z9.huge' as 'm5.large'] });
    const call = new Bench().ec2.send(command);
    await expect(call).rejects.toMatchObject({ name: 'InvalidInstanceType' });
  });
});

describe('DescribeSubnets', () => {
  it('says in which zone they are, as fleets and tasks have it', async () => {
    const bench = new Bench({ subnetZones: { 'subnet-x': 'us-east-1c' } });
    const zones = async (...SubnetIds: string[]) => {
      const { Subnets } = await bench.ec2.send(new DescribeSubnetsCommand({ SubnetIds }));
      return Subnets?.map(({ AvailabilityZone }) => AvailabilityZone);
    };
    expect(await zones('subnet-x')).toEqual(['us-east-1c']);
    for (const unknown of ['subnet-b', 'nowhere']) {
      await expect(zones(unknown)).rejects.toMatchObject({ name: 'InvalidSubnetID.NotFound' });
    }
    const network = { awsvpcConfiguration: { subnets: ['subnet-x'] } };
    const answer = await bench.run(await bench.define(), { networkConfiguration: network });
    expect(the(answer.tasks).availabilityZone).toBe('us-east-1c');
  });

  it('finds any subnet where the settings name none', async () => {
    const asked = new DescribeSubnetsCommand({ SubnetIds: ['subnet-b'] });
    const { Subnets } = await new Bench().ec2.send(asked);
    expect(Subnets?.map(({ AvailabilityZone }) => AvailabilityZone)).toEqual(['us-east-1c']);
  });
});
