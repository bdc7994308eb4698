/**
 * Where the stack departs from cdk-nag's AwsSolutions rules, each with its reason: the one place to
 * argue with. What is not listed here stops the synthesis.
 *
 * Invariant: a wildcard is acknowledged for one role and one resource at a time, so that the next
 * one is a finding again.
 */
import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { Options } from './options.ts';

export interface Suppression {
  /** The construct, by its path in the stack. */
  readonly at: string;
  readonly rule: string;
  /** What follows the rule in brackets, for rules that find many things in one resource. */
  readonly finding?: string;
  readonly reason: string;
}

const STREAMS_OF_A_GROUP = 'a log group’s streams can only be named by a wildcard after the group';
const NO_RESOURCE = 'these actions know no resource in IAM';
const OF_THE_CLUSTER = 'ids are made by ECS; the condition ecs:cluster names this cluster';
const TAGGED = 'ids are made by EC2; what is launched must carry the installation’s tag';
const UNDER_PREFIX = 'one parameter a Secret, made by users; the prefix is the installation’s own';
const ALARMED_ONLY = 'it is where messages end; an alarm watches it and a person empties it';
const OWN_TOKENS =
  'kubectl sends a bearer token that the function verifies with STS; an authorizer would be a ' +
  'second function for the same check, and anonymous callers get 401 from the first line';

/** Those that hold for every choice of options, and those of some. */
export function suppressions(options: Options): readonly Suppression[] {
  return [
    ...roles(options),
    ...(options.api === 'http' ? httpGateway() : restGateway(options)),
    { at: 'Queues/FailuresDeadLetters', rule: 'SQS3', reason: ALARMED_ONLY },
    ...choices(options),
  ];
}

/** Acknowledges them in a stack that was built with these options. */
export function suppress(stack: IConstruct, options: Options): void {
  for (const { at, rule, finding, reason } of suppressions(options)) {
    const target = at.split('/').reduce((parent, id) => parent.node.findChild(id), stack);
    const id = `AwsSolutions::AwsSolutions-${rule}${finding === undefined ? '' : `[${finding}]`}`;
    Validations.of(target).acknowledge({ id, reason });
  }
}

function roles({ installation }: Options): readonly Suppression[] {
  const ofOurs = (type: string) => regional('ecs', `${type}/${installation}/*`);
  const taskLogs = regional('logs', `log-group:/nullplane/${installation}/tasks:*`);
  const secrets = regional('ssm', `parameter/nullplane/${installation}/*`);
  const launched = ['fleet', 'instance', 'network-interface', 'spot-instances-request', 'volume'];
  return [
    ...['api', 'router', 'reconciler', 'scheduler', 'health'].map((name) => {
      const group = regional('logs', `log-group:/aws/lambda/${installation}-${name}:*`);
      return wild(functionRole(name), group, STREAMS_OF_A_GROUP);
    }),
    wild(functionRole('api'), taskLogs, STREAMS_OF_A_GROUP),
    wild(functionRole('api'), secrets, UNDER_PREFIX),
    wild(functionRole('api'), '*', `${NO_RESOURCE}: ecs:ListTasks, limited by ecs:cluster`),
    wild(functionRole('api'), ofOurs('task'), OF_THE_CLUSTER),
    wild(functionRole('health'), '*', `${NO_RESOURCE}: ecs:ListTasks, Describe… of EC2`),
    wild(functionRole('health'), ofOurs('task'), OF_THE_CLUSTER),
    wild(functionRole('health'), ofOurs('container-instance'), OF_THE_CLUSTER),
    wild(functionRole('reconciler'), '*', `${NO_RESOURCE}: ListTasks, task definitions, Describe…`),
    wild(functionRole('reconciler'), secrets, UNDER_PREFIX),
    wild(functionRole('reconciler'), ofOurs('task'), OF_THE_CLUSTER),
    wild(functionRole('reconciler'), ofOurs('container-instance'), OF_THE_CLUSTER),
    wild(
      functionRole('reconciler'),
      regional('ecs', `task-definition/${installation}-*:*`),
      'one definition a shape, under the installation’s prefix',
    ),
    wild(
      functionRole('reconciler'),
      `arn:<AWS::Partition>:iam::<AWS::AccountId>:role/nullplane/${installation}/tasks/*`,
      'the path of roles made for tasks; iam:PassedToService names ECS',
    ),
    ...launched.map((type) =>
      wild(functionRole('reconciler'), regional('ec2', `${type}/*`), TAGGED),
    ),
    wild(
      functionRole('reconciler'),
      'arn:<AWS::Partition>:ec2:<AWS::Region>::image/*',
      'images are AWS’s own, new ones every week',
    ),
    wild(
      functionRole('reconciler'),
      'arn:<AWS::Partition>:ssm:<AWS::Region>::parameter/aws/service/ecs/optimized-ami/*',
      'public parameters of AWS, which name those images',
    ),
    wild(functionRole('scheduler'), '*', `${NO_RESOURCE}: ec2:DescribeSubnets`),
    wild('Cluster/ExecutionRole', '*', `${NO_RESOURCE}: ecr:GetAuthorizationToken`),
    wild(
      'Cluster/ExecutionRole',
      regional('ecr', 'repository/*'),
      'pods name their images; reading those of the account’s own registry is what a pull is',
    ),
    wild('Cluster/ExecutionRole', taskLogs, STREAMS_OF_A_GROUP),
    wild('Cluster/ExecutionRole', secrets, UNDER_PREFIX),
    wild('Cluster/InstanceRole', '*', `${NO_RESOURCE}: ecs:DiscoverPollEndpoint`),
    wild('Cluster/InstanceRole', ofOurs('container-instance'), OF_THE_CLUSTER),
  ];
}

function restGateway({ gatewayLogRole }: Options): readonly Suppression[] {
  const methods = ['Gateway/Rest/Default/ANY', 'Gateway/Rest/Default/{proxy+}/ANY'];
  const pushes =
    'Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/' +
    'AmazonAPIGatewayPushToCloudWatchLogs';
  return [
    ...methods.flatMap((at) => [
      { at, rule: 'APIG4', reason: OWN_TOKENS },
      { at, rule: 'COG4', reason: OWN_TOKENS },
    ]),
    {
      at: 'Gateway/Rest',
      rule: 'APIG2',
      reason: 'bodies are checked against their kind’s schema by the function; size comes first',
    },
    {
      at: 'Gateway/Rest',
      rule: 'APIG3',
      reason:
        'a web ACL costs $5 a month; the stage throttles, and callers without a token get 401',
    },
    ...(gatewayLogRole
      ? [
          {
            at: 'Gateway/Rest/CloudWatchRole',
            rule: 'IAM4',
            finding: pushes,
            reason: 'the role of API Gateway itself, with the policy that AWS keeps for it',
          },
        ]
      : []),
  ];
}

function httpGateway(): readonly Suppression[] {
  return [{ at: 'Gateway/All', rule: 'APIG4', reason: OWN_TOKENS }];
}

function choices({ containerInsights, vpcId, tracing, exec }: Options): readonly Suppression[] {
  const paid = 'paid by metric; an option turns it on';
  const flowLogs = 'paid by byte; who needs them adds them to the VPC, or gives a VPC with them';
  const traces = `${NO_RESOURCE}: xray:PutTraceSegments, xray:PutTelemetryRecords`;
  return [
    ...(containerInsights ? [] : [{ at: 'Cluster/Cluster', rule: 'ECS4', reason: paid }]),
    ...(vpcId === '' ? [{ at: 'Network/Vpc', rule: 'VPC7', reason: flowLogs }] : []),
    ...(exec ? [wild('Cluster/TaskRole', '*', `${NO_RESOURCE}: channels of SSM`)] : []),
    // Those of the others are argued already, for what they describe.
    ...(tracing ? [wild(functionRole('router'), '*', traces)] : []),
  ];
}

function functionRole(name: string): string {
  return `Functions/${name.charAt(0).toUpperCase()}${name.slice(1)}Role`;
}

function wild(at: string, resource: string, reason: string): Suppression {
  return { at, rule: 'IAM5', finding: `Resource::${resource}`, reason };
}

/** As cdk-nag prints an ARN of the stack's own region and account. */
function regional(service: string, resource: string): string {
  return `arn:<AWS::Partition>:${service}:<AWS::Region>:<AWS::AccountId>:${resource}`;
}
