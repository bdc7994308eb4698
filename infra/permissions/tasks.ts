/** What the roles of tasks and of nodes may do. */
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Cluster } from '../cluster.ts';
import { allow } from './statement.ts';

/**
 * The execution role: what ECS does to start a task. Secrets by name, under the installation's
 * prefix only; the containers themselves never hold this role.
 */
export function executionStatements(cluster: Cluster): readonly PolicyStatement[] {
  return [
    allow({
      sid: 'ImageToken',
      actions: ['ecr:GetAuthorizationToken'],
      resources: ['*'], // it has no resource
    }),
    allow({
      sid: 'Images',
      actions: [
        'ecr:BatchCheckLayerAvailability',
        'ecr:BatchGetImage',
        'ecr:GetDownloadUrlForLayer',
      ],
      resources: [cluster.stack.formatArn({ service: 'ecr', resource: 'repository/*' })],
    }),
    allow({
      sid: 'Output',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [`${cluster.logGroupArn}:*`],
    }),
    allow({
      sid: 'Secrets',
      actions: ['ssm:GetParameters'],
      resources: [vaultArn(cluster)],
    }),
  ];
}

/** For `aws ecs execute-command`: a pod's agent opens channels to SSM, which know no resource. */
export function execStatements(): readonly PolicyStatement[] {
  return [
    allow({
      sid: 'Exec',
      actions: [
        'ssmmessages:CreateControlChannel',
        'ssmmessages:CreateDataChannel',
        'ssmmessages:OpenControlChannel',
        'ssmmessages:OpenDataChannel',
      ],
      resources: ['*'],
    }),
  ];
}

/** Every parameter under the installation's prefix. */
export function vaultArn(cluster: Cluster): string {
  return cluster.stack.formatArn({
    service: 'ssm',
    resource: `parameter${cluster.vaultPrefix}/*`,
  });
}

/**
 * The node's role: what the ECS agent needs to join this cluster and serve it. Image pulls and logs
 * go by the execution role, so that a node may read nothing.
 */
export function instanceStatements(cluster: Cluster): readonly PolicyStatement[] {
  const { clusterArn } = cluster;
  const ofOurs = { ArnEquals: { 'ecs:cluster': clusterArn } };
  const instances = cluster.stack.formatArn({
    service: 'ecs',
    resource: `container-instance/${cluster.clusterName}/*`,
  });
  return [
    allow({
      sid: 'FindEndpoint',
      actions: ['ecs:DiscoverPollEndpoint'],
      resources: ['*'], // it has no resource
    }),
    allow({
      sid: 'Join',
      actions: ['ecs:RegisterContainerInstance', 'ecs:DeregisterContainerInstance'],
      resources: [clusterArn],
    }),
    allow({
      sid: 'Serve',
      actions: ['ecs:Poll', 'ecs:StartTelemetrySession', 'ecs:UpdateContainerInstancesState'],
      resources: [instances],
      conditions: ofOurs,
    }),
    allow({
      sid: 'Report',
      actions: [
        'ecs:SubmitAttachmentStateChanges',
        'ecs:SubmitContainerStateChange',
        'ecs:SubmitTaskStateChange',
      ],
      resources: [clusterArn],
    }),
  ];
}
