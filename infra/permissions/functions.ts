/**
 * What each function may do: one list a function, made of what it does. Actions are named,
 * resources are this installation's; where AWS knows no resource, a condition or the reason stands
 * beside it (`suppressions.ts` has them for cdk-nag).
 *
 * Invariants:
 *  P1 Who writes secret values (api) runs no tasks; who runs tasks (reconciler) reads no secret
 *     values: a task is told where they are.
 *  P2 Only the roles in the tasks' path can be passed to a task, and only the node's to a node.
 */
import type { Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { type Cluster, tasksPath } from '../cluster.ts';
import type { Queues } from '../queues.ts';
import type { FunctionName } from '../settings.ts';
import type { Storage } from '../storage.ts';
import { findsInstances, findsZones, instancesStatements } from './instances.ts';
import { allow } from './statement.ts';
import { vaultArn } from './tasks.ts';

export interface Resources {
  readonly storage: Storage;
  readonly queues: Queues;
  readonly cluster: Cluster;
}

type Statements = readonly PolicyStatement[];

const OF: { readonly [name in FunctionName]: (resources: Resources) => Statements } = {
  api: (r) => [
    ...table(r),
    sends(wakes(r)),
    ...findsTasks(r.cluster),
    readsTaskLogs(r.cluster),
    keepsSecrets(r.cluster),
  ],
  router: (r) => [
    ...table(r),
    readsStream(r),
    sends(wakes(r)),
    sends([r.queues.failures], 'GivenUp'),
  ],
  reconciler: (r) => [
    ...table(r),
    receives(r.queues.work.reconcile),
    sends(wakes(r)),
    ...runsTasks(r.cluster),
    ...stopsTasks(r.cluster),
    ...forgetsSecrets(r.cluster),
    ...instancesStatements(r.cluster),
  ],
  scheduler: (r) => [
    ...table(r),
    receives(r.queues.work.schedule),
    sends(wakes(r)),
    ...findsZones(r.cluster),
  ],
  health: (r) => [
    ...table(r),
    receives(r.queues.work.health),
    sends(wakes(r)),
    sends([r.queues.deadLetters.health], 'GivenUp'),
    ...stopsTasks(r.cluster),
    ...findsInstances(r.cluster),
  ],
};

export function functionStatements(name: FunctionName, resources: Resources): Statements {
  return OF[name](resources);
}

/** Objects are found by key or by index, and never by a scan. */
function table({ storage: { tableArn, indexArns } }: Resources): Statements {
  const items = allow({
    sid: 'Objects',
    actions: [
      'dynamodb:BatchGetItem',
      'dynamodb:DeleteItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
    ],
    resources: [tableArn],
  });
  const indexes = allow({
    sid: 'Indexes',
    actions: ['dynamodb:Query'],
    resources: indexArns,
  });
  return [items, indexes];
}

function readsStream({ storage: { streamArn } }: Resources): PolicyStatement {
  return allow({
    sid: 'Stream',
    actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
    resources: [streamArn],
  });
}

/** Whoever writes wakes; what is due later waits in the health queue. */
function wakes({ queues: { work } }: Resources): readonly IQueue[] {
  return [work.reconcile, work.schedule, work.health];
}

function sends(queues: readonly IQueue[], sid = 'Wake'): PolicyStatement {
  return allow({
    sid,
    actions: ['sqs:SendMessage'],
    resources: queues.map(({ queueArn }) => queueArn),
  });
}

function receives(queue: IQueue): PolicyStatement {
  return allow({
    sid: 'Work',
    actions: [
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
    ],
    resources: [queue.queueArn],
  });
}

/**
 * A definition is registered by who runs it: apart, a launch would wait for another function, and
 * nothing would be safer, since a definition is worth what its roles are (P2).
 */
function runsTasks(cluster: Cluster): Statements {
  const { stack, clusterName } = cluster;
  const definitions = stack.formatArn({
    service: 'ecs',
    resource: `task-definition/${clusterName}-*:*`,
  });
  return [
    allow({
      sid: 'RunTasks',
      actions: ['ecs:RunTask'],
      resources: [definitions],
      conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } },
    }),
    allow({
      sid: 'TagWhatIsMade',
      actions: ['ecs:TagResource'],
      resources: [
        definitions,
        stack.formatArn({ service: 'ecs', resource: `task/${clusterName}/*` }),
      ],
      conditions: { StringEquals: { 'ecs:CreateAction': ['RegisterTaskDefinition', 'RunTask'] } },
    }),
    allow({
      sid: 'Definitions',
      actions: ['ecs:DescribeTaskDefinition', 'ecs:RegisterTaskDefinition'],
      resources: ['*'], // they have no resource
    }),
    allow({
      sid: 'PassTaskRoles',
      actions: ['iam:PassRole'],
      resources: [roleArn(stack, tasksPath(clusterName))],
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    }),
  ];
}

function findsTasks(cluster: Cluster): Statements {
  return [
    onTasks(cluster, 'DescribeTasks', 'ecs:DescribeTasks'),
    allow({
      sid: 'ListTasks',
      actions: ['ecs:ListTasks'],
      resources: ['*'], // its resource is an instance, which a task on Fargate has none of
      conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } },
    }),
  ];
}

/** What is stopped was looked up first. */
function stopsTasks(cluster: Cluster): Statements {
  return [...findsTasks(cluster), onTasks(cluster, 'StopTasks', 'ecs:StopTask')];
}

function onTasks(cluster: Cluster, sid: string, action: string): PolicyStatement {
  const resource = `task/${cluster.clusterName}/*`;
  return allow({
    sid,
    actions: [action],
    resources: [cluster.stack.formatArn({ service: 'ecs', resource })],
    conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } },
  });
}

/** `kubectl logs`. */
function readsTaskLogs(cluster: Cluster): PolicyStatement {
  return allow({
    sid: 'TaskLogs',
    actions: ['logs:GetLogEvents'],
    resources: [`${cluster.logGroupArn}:*`],
  });
}

/** Values of Secrets live here and nowhere else. */
function keepsSecrets(cluster: Cluster): PolicyStatement {
  return allow({
    sid: 'Secrets',
    actions: ['ssm:DeleteParameters', 'ssm:GetParameters', 'ssm:PutParameter'],
    resources: [vaultArn(cluster)],
  });
}

/** The sweep removes what no Secret refers to any more: it needs names, and never a value (P1). */
function forgetsSecrets(cluster: Cluster): Statements {
  return [
    allow({
      sid: 'SecretNames',
      actions: ['ssm:DescribeParameters'],
      resources: ['*'], // it lists names of all; ours are found by their prefix
    }),
    allow({
      sid: 'ForgetSecrets',
      actions: ['ssm:DeleteParameters'],
      resources: [vaultArn(cluster)],
    }),
  ];
}

function roleArn(stack: Stack, path: string): string {
  return stack.formatArn({ service: 'iam', region: '', resource: `role${path}*` });
}
