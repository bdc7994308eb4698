/**
 * Emulators as targets of scripts: each scenario has a table, queues, a cluster or a launch
 * template of its own. Owns what must be there before the first request; time is real.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateLaunchTemplateCommand,
  DescribeImagesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import { CreateClusterCommand, RegisterContainerInstanceCommand } from '@aws-sdk/client-ecs';
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { dynamoDbClient, ecsClient, sqsClient } from '../../../adapters/aws/clients.ts';
import { tableDefinition } from '../../../adapters/aws/dynamo/table.ts';
import { ec2Client } from '../../../adapters/aws/ec2/client.ts';
import type { Target } from '../../fidelity/play.ts';
import { queueTarget, storeTarget } from '../../fidelity/ports.ts';
import { MAX_RECEIVES, VISIBILITY_SECONDS } from '../../fidelity/queue-settings.ts';
import type { JsonObject, Subject } from '../../fidelity/script.ts';
import { send, type Service } from '../../fidelity/sdk.ts';
import type { Emulator } from '../support/emulators.ts';
import { streamRecords } from './streams.ts';

/** Timers of emulators are coarse, and the machine may be busy. */
const LATE_MS = 400;
const REGION = 'us-east-1';
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
/** Of container instances that moto is told of. */
const MACHINE_TYPE = 'm5.large';

let worlds = 0;

export function emulated(subject: Subject, { endpoint }: Emulator): Target {
  const target = { endpoint, region: REGION, credentials: CREDENTIALS, maxAttempts: 1 };
  switch (subject) {
    case 'dynamodb':
      return dynamoDbTarget(target);
    case 'sqs':
      return sqsTarget(target);
    case 'ecs':
      return ecsTarget(target);
    case 'ec2':
      return ec2Target(target);
    case 'store':
      return storeTarget(async () => {
        const client = dynamoDbClient(target);
        const table = `fidelity-${++worlds}`;
        await client.send(new CreateTableCommand(tableDefinition(table)));
        return { client, table };
      });
    case 'queue':
      return queueTarget(async () => {
        const client = sqsClient(target);
        return { client, urls: await newQueues(client), pass };
      });
  }
}

type AwsTarget = NonNullable<Parameters<typeof dynamoDbClient>[0]>;

const pass = (seconds: number) => sleep(seconds * 1000 + LATE_MS);

/** Emulators begin nothing that takes time. */
const settle = async (): Promise<void> => {};

function overSdk(
  service: Service,
  client: unknown,
  begin: Target['begin'],
  others: { readonly [call: string]: (input: JsonObject) => Promise<unknown> } = {},
): Target {
  return {
    begin,
    call: (operation, input) =>
      others[operation]?.(input) ?? send(service, client, [operation, input]),
    pass,
    settle,
  };
}

function dynamoDbTarget(target: AwsTarget): Target {
  const client = dynamoDbClient(target);
  let table = '';
  const begin = async () => {
    table = `fidelity-${++worlds}`;
    await client.send(new CreateTableCommand(tableDefinition(table)));
    return { table };
  };
  const stream = () => streamRecords(target.endpoint ?? '', table);
  return overSdk('dynamodb', client, begin, { Stream: stream });
}

function sqsTarget(target: AwsTarget): Target {
  const client = sqsClient(target);
  return overSdk('sqs', client, async () => ({
    ...(await newQueues(client)),
    nowhere: `${target.endpoint}/123456789012/nowhere-${++worlds}.fifo`,
  }));
}

/** As the installation has them: infra/queues.ts. */
async function newQueues(client: SQSClient) {
  const name = `fidelity-${++worlds}`;
  const fifo = {
    FifoQueue: 'true',
    ContentBasedDeduplication: 'true',
    DeduplicationScope: 'messageGroup',
    FifoThroughputLimit: 'perMessageGroupId',
  };
  const create = async (QueueName: string, Attributes: Record<string, string>) => {
    const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName, Attributes }));
    return QueueUrl;
  };
  const dead = await create(`${name}-dead.fifo`, fifo);
  const asked = { QueueUrl: dead, AttributeNames: ['QueueArn' as const] };
  const { Attributes: { QueueArn = '' } = {} } = await client.send(
    new GetQueueAttributesCommand(asked),
  );
  const VisibilityTimeout = String(VISIBILITY_SECONDS);
  const RedrivePolicy = JSON.stringify({
    deadLetterTargetArn: QueueArn,
    maxReceiveCount: MAX_RECEIVES,
  });
  const queue = await create(`${name}.fifo`, { ...fifo, VisibilityTimeout, RedrivePolicy });
  const timers = await create(`${name}-timers`, { VisibilityTimeout });
  return { queue, timers, dead };
}

function ecsTarget(target: AwsTarget): Target {
  const [ecs, ec2] = [ecsClient(target), ec2Client(target)];
  let cluster = '';
  const begin = async () => {
    cluster = `fidelity-${++worlds}`;
    await ecs.send(new CreateClusterCommand({ clusterName: cluster }));
    const { Subnets: [subnet] = [] } = await ec2.send(new DescribeSubnetsCommand({}));
    const { SecurityGroups: [group] = [] } = await ec2.send(new DescribeSecurityGroupsCommand({}));
    const net = { subnet: subnet?.SubnetId ?? '', securityGroup: group?.GroupId ?? '' };
    return { cluster, family: `family-${worlds}`, ...net };
  };
  /** A machine that has joined the cluster. */
  const machine = async () => {
    const { Images = [] } = await ec2.send(new DescribeImagesCommand({}));
    const ImageId = Images[0]?.ImageId ?? '';
    const run = { ImageId, InstanceType: MACHINE_TYPE, MinCount: 1, MaxCount: 1 } as const;
    const { Instances: [made] = [] } = await ec2.send(new RunInstancesCommand(run));
    const instanceId = made?.InstanceId ?? '';
    const document = JSON.stringify({ instanceId, region: REGION, accountId: '123456789012' });
    const { containerInstance } = await ecs.send(
      new RegisterContainerInstanceCommand({ cluster, instanceIdentityDocument: document }),
    );
    return containerInstance;
  };
  return overSdk('ecs', ecs, begin, { Machine: machine });
}

function ec2Target(target: AwsTarget): Target {
  const client = ec2Client(target);
  return overSdk('ec2', client, async () => {
    const name = `fidelity-${++worlds}`;
    const { Images = [] } = await client.send(new DescribeImagesCommand({}));
    const data = { ImageId: Images[0]?.ImageId ?? '', InstanceType: MACHINE_TYPE } as const;
    const { LaunchTemplate } = await client.send(
      new CreateLaunchTemplateCommand({ LaunchTemplateName: name, LaunchTemplateData: data }),
    );
    const { Subnets: subnets = [] } = await client.send(new DescribeSubnetsCommand({}));
    return {
      installation: name,
      template: LaunchTemplate?.LaunchTemplateId ?? '',
      subnet: subnets.find(({ AvailabilityZone: zone }) => zone === `${REGION}a`)?.SubnetId ?? '',
    };
  });
}
