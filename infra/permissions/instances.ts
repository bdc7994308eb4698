/**
 * Launching and ending nodes. What is made must carry the installation's tag, and only what carries
 * it can be ended.
 */
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Cluster } from '../cluster.ts';
import { allow } from './statement.ts';

/** On everything that an installation launches. */
export const INSTALLATION_TAG = 'nullplane:installation';

const LAUNCHES = ['ec2:CreateFleet', 'ec2:RunInstances'] as const;

/** Made by a launch, under the installation's tag. */
const TAGGED = ['instance', 'network-interface', 'volume'];
/** Made by a launch, and nothing without an instance. */
const UNTAGGED = ['fleet', 'spot-instances-request'];

export function instancesStatements(cluster: Cluster): readonly PolicyStatement[] {
  return [
    ...launches(cluster),
    ...ends(cluster),
    ...findsInstances(cluster),
    serviceRoles(cluster),
  ];
}

function launches(cluster: Cluster): readonly PolicyStatement[] {
  const installation = cluster.clusterName;
  const { stack } = cluster;
  const every = (type: string) => stack.formatArn({ service: 'ec2', resource: `${type}/*` });
  const templateId = cluster.launchTemplate.launchTemplateId ?? '';
  const image = { service: 'ec2', account: '', resource: 'image/*' };
  return [
    allow({
      sid: 'LaunchTagged',
      actions: LAUNCHES,
      resources: TAGGED.map(every),
      conditions: { StringEquals: { [`aws:RequestTag/${INSTALLATION_TAG}`]: installation } },
    }),
    allow({
      sid: 'LaunchByTemplate',
      actions: LAUNCHES,
      resources: [stack.formatArn({ service: 'ec2', resource: `launch-template/${templateId}` })],
    }),
    allow({
      sid: 'LaunchFrom',
      actions: LAUNCHES,
      resources: [stack.formatArn(image), ...UNTAGGED.map(every), ...places(cluster)],
    }),
    allow({
      sid: 'TagLaunched',
      actions: ['ec2:CreateTags'],
      resources: TAGGED.map(every),
      conditions: {
        StringEquals: {
          'ec2:CreateAction': ['CreateFleet', 'RunInstances'],
          [`aws:RequestTag/${INSTALLATION_TAG}`]: installation,
        },
      },
    }),
    allow({
      sid: 'PassNodeRole',
      actions: ['iam:PassRole'],
      resources: [cluster.instanceRole.roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
    }),
    allow({
      sid: 'NodeImages', // who launches resolves the template's `resolve:ssm:`
      actions: ['ssm:GetParameters'],
      resources: [
        stack.formatArn({
          service: 'ssm',
          account: '',
          resource: 'parameter/aws/service/ecs/optimized-ami/*',
        }),
      ],
    }),
  ];
}

/** The tasks' own subnets and security group, and no others. */
function places({ network, stack }: Cluster): readonly string[] {
  const arnOf = (type: string, id: string) =>
    stack.formatArn({ service: 'ec2', resource: `${type}/${id}` });
  return [
    arnOf('security-group', network.tasks.securityGroupId),
    ...network.subnetIds.map((id) => arnOf('subnet', id)),
  ];
}

function ends(cluster: Cluster): readonly PolicyStatement[] {
  const { stack } = cluster;
  return [
    allow({
      sid: 'EndTagged',
      actions: ['ec2:TerminateInstances'],
      resources: [stack.formatArn({ service: 'ec2', resource: 'instance/*' })],
      conditions: {
        StringEquals: { [`aws:ResourceTag/${INSTALLATION_TAG}`]: cluster.clusterName },
      },
    }),
  ];
}

/** What there is: instances by EC2, and how they stand in the cluster by ECS. */
export function findsInstances(cluster: Cluster): readonly PolicyStatement[] {
  const { stack, clusterArn, clusterName } = cluster;
  const registered = { service: 'ecs', resource: `container-instance/${clusterName}/*` };
  return [
    allow({
      sid: 'DescribeInstances',
      actions: ['ec2:DescribeInstances', 'ec2:DescribeInstanceTypes', 'ec2:DescribeSubnets'],
      resources: ['*'], // EC2's descriptions know no resource
      conditions: { StringEquals: { 'aws:RequestedRegion': stack.region } },
    }),
    allow({
      sid: 'ListNodes',
      actions: ['ecs:ListContainerInstances'],
      resources: [clusterArn],
    }),
    allow({
      sid: 'DescribeNodes',
      actions: ['ecs:DescribeContainerInstances'],
      resources: [stack.formatArn(registered)],
      conditions: { ArnEquals: { 'ecs:cluster': clusterArn } },
    }),
  ];
}

/** Where machines could be launched, for who plans them. */
export function findsZones({ stack }: Cluster): readonly PolicyStatement[] {
  return [
    allow({
      sid: 'DescribeSubnets',
      actions: ['ec2:DescribeSubnets'],
      resources: ['*'], // EC2's descriptions know no resource
      conditions: { StringEquals: { 'aws:RequestedRegion': stack.region } },
    }),
  ];
}

/** In an empty account, the first Spot launch makes the role that Spot itself works under. */
function serviceRoles(cluster: Cluster): PolicyStatement {
  const service = 'spot.amazonaws.com';
  return allow({
    sid: 'SpotServiceRole',
    actions: ['iam:CreateServiceLinkedRole'],
    resources: [
      cluster.stack.formatArn({
        service: 'iam',
        region: '',
        resource: `role/aws-service-role/${service}/AWSServiceRoleForEC2Spot`,
      }),
    ],
    conditions: { StringEquals: { 'iam:AWSServiceName': service } },
  });
}
