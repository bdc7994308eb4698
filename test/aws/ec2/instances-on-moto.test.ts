/**
 * The pool on moto: another reading of the services' shapes (fleets, tags, pages, unknown ids). Its
 * fleets know neither capacity nor quotas, and it has no agents: what depends on those is shown on
 * our model. Each case is an installation of its own.
 */
import { DescribeSubnetsCommand, RunInstancesCommand } from '@aws-sdk/client-ec2';
import {
  CreateLaunchTemplateCommand,
  DescribeImagesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { CreateClusterCommand, RegisterContainerInstanceCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll } from 'vitest';
import { ecsClient } from '../../../adapters/aws/clients.ts';
import { ec2Client } from '../../../adapters/aws/ec2/client.ts';
import { Ec2Instances } from '../../../adapters/aws/ec2/ec2-instances.ts';
import { instancesContract } from '../../contract/instances.contract.ts';
import { type Emulator, startEmulator } from '../support/emulators.ts';

let emulator: Emulator | undefined;
let cases = 0;

beforeAll(async () => {
  emulator = await startEmulator('moto');
});
afterAll(() => emulator?.stop());

const CREDENTIALS = { accessKeyId: 'moto', secretAccessKey: 'test' };
const ZONES = ['us-east-1a', 'us-east-1b'] as const;
const TYPE = 'm5.large';

async function make() {
  const { endpoint = '', region = '' } = emulator ?? {};
  const target = { endpoint, region, credentials: CREDENTIALS };
  const [ec2, ecs] = [ec2Client(target), ecsClient(target)];
  const cluster = `nullplane-${++cases}`;
  await ecs.send(new CreateClusterCommand({ clusterName: cluster }));
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({}));
  const ImageId = Images[0]?.ImageId ?? '';
  const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({}));
  const subnets = Subnets.flatMap(({ SubnetId, AvailabilityZone }) =>
    SubnetId && ZONES.some((zone) => zone === AvailabilityZone) ? [SubnetId] : [],
  );
  const { LaunchTemplate } = await ec2.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: cluster,
      LaunchTemplateData: { ImageId, InstanceType: TYPE },
    }),
  );
  const launchTemplateId = LaunchTemplate?.LaunchTemplateId ?? '';
  const settings = { installation: cluster, cluster, subnets, launchTemplateId };
  const join = async (id: string): Promise<void> => {
    const document = JSON.stringify({ instanceId: id, region, accountId: '123456789012' });
    await ecs.send(
      new RegisterContainerInstanceCommand({ cluster, instanceIdentityDocument: document }),
    );
  };
  return {
    pool: new Ec2Instances({ ec2, ecs, settings }),
    types: [TYPE, 'm5.xlarge'] as const,
    zones: ZONES,
    unknownId: 'i-0fffffffffffffff0',
    join,
    joinForeign: async () => {
      const run = { ImageId, InstanceType: TYPE, MinCount: 1, MaxCount: 1 } as const;
      const { Instances = [] } = await ec2.send(new RunInstancesCommand(run));
      const id = Instances[0]?.InstanceId ?? '';
      await join(id);
      return id;
    },
    end: async (id: string) => {
      await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    },
    refuse: () => Promise.reject(new Error('moto has no limits')),
    setDown: () => Promise.reject(new Error('moto does not fail')),
  };
}

const NO_LIMITS = 'its fleets never fail';
const NO_VERSION = 'its container instances have no version, so that nothing orders what they say';

instancesContract({
  name: 'Ec2Instances on moto',
  make,
  skips: [
    { test: 'takes what can be had, and says which combinations could not', reason: NO_LIMITS },
    { test: 'launches nothing and says why, where nothing can be had', reason: NO_LIMITS },
    { test: 'fails rather than answer with less', reason: 'it can not be made to fail' },
    { test: 'shows what the agent says of a machine that has joined', reason: NO_VERSION },
    { test: 'lists machines of others that joined the cluster, as such', reason: NO_VERSION },
    { test: 'leaves machines of others, and ids that nobody knows', reason: NO_VERSION },
    { test: 'brings labels and taints with the machine', reason: 'it runs no user data' },
  ],
});
