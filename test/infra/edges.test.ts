/**
 * What the stack is made of, read from the template: queues, event sources, functions, storage and
 * network, each against the rule that it is there for.
 */
import { describe, expect, it } from 'vitest';
import { OPTIONS } from '../../infra/options.ts';
import { FUNCTION_NAMES } from '../../infra/settings.ts';
import { STREAM_FILTERS } from '../../infra/stream-filters.ts';
import { TASK_EVENTS } from '../../infra/task-events.ts';
import { configOf } from '../../lambdas/_kit/config.ts';
import { TABLE } from '../../shared/api/names.ts';
import { isSweepWork, SWEEP_GROUP } from '../../shared/control/sweep-work.ts';
import { MAX_RECEIVES } from '../../shared/ports/queue.ts';
import { type Properties, synthesize } from './support/synthesis.ts';

const { template } = synthesize();
const queues = template.all('AWS::SQS::Queue');
const functions = template.all('AWS::Lambda::Function');
const mappings = template.all('AWS::Lambda::EventSourceMapping').map(([, mapping]) => mapping);
const text = (value: unknown) => JSON.stringify(value);
const idOf = (arn: unknown) => (arn as { 'Fn::GetAtt'?: [string] })['Fn::GetAtt']?.[0] ?? '';
const isStream = (mapping: Properties) => mapping['StartingPosition'] !== undefined;

describe('queues', () => {
  const worked = queues.filter(([, queue]) => queue['RedrivePolicy']);

  it('are three, with dead letters of their kind after as many receives as the port says', () => {
    expect(worked).toHaveLength(3);
    for (const [, { QueueName, FifoQueue, RedrivePolicy }] of worked) {
      const { deadLetterTargetArn, maxReceiveCount } = RedrivePolicy as Properties;
      expect(maxReceiveCount).toBe(MAX_RECEIVES);
      const dead = template.resources[idOf(deadLetterTargetArn)]?.Properties ?? {};
      expect(dead['FifoQueue']).toBe(FifoQueue);
      expect(dead['MessageRetentionPeriod']).toBe(14 * 86_400);
      expect(String(QueueName).endsWith('.fifo')).toBe(FifoQueue === true);
    }
  });

  it('that keep order go as fast as their groups', () => {
    const fifo = queues.filter(([, queue]) => queue['FifoQueue'] === true);
    expect(fifo).toHaveLength(4);
    for (const [, queue] of fifo) {
      expect(queue).toMatchObject({
        ContentBasedDeduplication: true,
        DeduplicationScope: 'messageGroup',
        FifoThroughputLimit: 'perMessageGroupId',
      });
    }
  });

  it('are encrypted, and closed to who speaks without TLS', () => {
    const policies = template.all('AWS::SQS::QueuePolicy').map(([, policy]) => text(policy));
    for (const [id, queue] of queues) {
      expect(queue['SqsManagedSseEnabled']).toBe(true);
      const own = policies.filter((policy) => policy.includes(`"Queues":[{"Ref":"${id}"}]`));
      expect(own.join()).toContain('"aws:SecureTransport":"false"');
    }
  });

  it('hide messages for six times the timeout of the function that they feed', () => {
    const fed = mappings.filter((mapping) => !isStream(mapping));
    expect(fed).toHaveLength(3);
    for (const { EventSourceArn, FunctionName } of fed) {
      const queue = template.resources[idOf(EventSourceArn)]?.Properties ?? {};
      const [, fn] = functions.find(([id]) => text(FunctionName).includes(id)) ?? [];
      expect(Number(queue['VisibilityTimeout'])).toBeGreaterThanOrEqual(
        6 * Number(fn?.['Timeout']),
      );
    }
  });
});

describe('event sources', () => {
  it('of queues are bounded, and report what failed', () => {
    for (const mapping of mappings.filter((m) => !isStream(m))) {
      const { MaximumConcurrency } = mapping['ScalingConfig'] as Properties;
      expect(Number(MaximumConcurrency)).toBeGreaterThanOrEqual(2);
      expect(mapping['FunctionResponseTypes']).toEqual(['ReportBatchItemFailures']);
      expect(mapping['BatchSize']).toBeLessThanOrEqual(10);
    }
  });

  it('of the stream begins at the oldest record, and gives up in bounded time into a queue', () => {
    const [stream = {}, ...others] = mappings.filter(isStream);
    expect(others).toEqual([]);
    expect(stream).toMatchObject({
      StartingPosition: 'TRIM_HORIZON',
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumBatchingWindowInSeconds: 1,
    });
    expect(Number(stream['MaximumRetryAttempts'])).toBeGreaterThan(0);
    expect(Number(stream['MaximumRecordAgeInSeconds'])).toBeGreaterThan(0);
    const { OnFailure } = stream['DestinationConfig'] as Properties;
    const kept = template.resources[idOf((OnFailure as Properties)['Destination'])];
    expect(kept?.Properties['QueueName']).toBe('nullplane-failures');
  });

  it('of the stream wakes for objects, by the attribute that only they have', () => {
    const { name, type } = TABLE.objectAttribute;
    expect(text(STREAM_FILTERS)).toContain(`{"${name}":{"${type}":`);
    expect(text(STREAM_FILTERS)).not.toContain('REMOVE');
  });

  it('of EventBridge invoke for tasks and are queued for machines', () => {
    const rules = template.all('AWS::Events::Rule').map(([, rule]) => rule);
    const isDirect = (rule: Properties) => text(rule['Targets']).includes('FunctionsHealth');
    const direct = rules.filter(isDirect).map((rule) => text(rule['EventPattern']));
    expect(direct).toHaveLength(Object.keys(TASK_EVENTS).length);
    for (const pattern of direct) expect(pattern).toContain('ECS Task State Change');
    const health = template.one('AWS::Lambda::Function', (fn) =>
      String(fn['FunctionName']).endsWith('-health'),
    );
    const { TargetArn } = health['DeadLetterConfig'] as Properties;
    expect(idOf(TargetArn)).toContain('HealthDeadLetters');
    expect(template.one('AWS::Lambda::EventInvokeConfig')).toMatchObject({
      MaximumEventAgeInSeconds: 3600,
      MaximumRetryAttempts: 2,
    });
  });

  it('of EventBridge are those of our cluster, and give up into dead letters', () => {
    const rules = template.all('AWS::Events::Rule').map(([, rule]) => rule);
    expect(rules).toHaveLength(Object.keys(TASK_EVENTS).length + 2);
    for (const { Targets, ScheduleExpression } of rules) {
      expect(ScheduleExpression).toBeUndefined();
      const [target = {}] = Targets as Properties[];
      expect(idOf((target['DeadLetterConfig'] as Properties)['Arn'])).toContain(
        'HealthDeadLetters',
      );
      expect(target['RetryPolicy']).toMatchObject({ MaximumEventAgeInSeconds: 3600 });
    }
    const [[clusterId] = []] = template.all('AWS::ECS::Cluster');
    for (const ecs of rules.filter((rule) => text(rule).includes('aws.ecs'))) {
      const { detail } = ecs['EventPattern'] as Properties;
      const [clusterArn] = (detail as Properties)['clusterArn'] as unknown[];
      expect(idOf(clusterArn)).toBe(clusterId);
    }
  });

  it('nothing is periodic but the sweep, which is what the reconciler takes for one', () => {
    const sweep = template.one('AWS::Scheduler::Schedule');
    const { Input, SqsParameters, DeadLetterConfig } = sweep['Target'] as Properties;
    expect(sweep).toMatchObject({
      ScheduleExpression: 'rate(5 minutes)',
      State: 'ENABLED',
      FlexibleTimeWindow: { Mode: 'OFF' },
    });
    expect(Input).toBe('sweep <aws.scheduler.scheduled-time>');
    expect(isSweepWork(String(Input))).toBe(true);
    expect((SqsParameters as Properties)['MessageGroupId']).toBe(SWEEP_GROUP);
    expect(DeadLetterConfig).toBeDefined();
  });
});

describe('functions', () => {
  it('are small machines of the newest kind, with logs that end', () => {
    expect(functions).toHaveLength(FUNCTION_NAMES.length);
    for (const [, fn] of functions) {
      expect(fn).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
      expect((fn['LoggingConfig'] as Properties)['LogFormat']).toBe('JSON');
      expect(fn['ReservedConcurrentExecutions']).toBeUndefined();
      expect(fn['VpcConfig']).toBeUndefined();
    }
    for (const [, group] of template.all('AWS::Logs::LogGroup')) {
      expect(Number(group['RetentionInDays'])).toBeGreaterThan(0);
    }
    expect(template.all('AWS::Logs::LogGroup')).toHaveLength(FUNCTION_NAMES.length + 2);
  });

  it('are told what they need to know: their own reading of it finds no fault', () => {
    for (const [, fn] of functions) {
      const { Variables } = fn['Environment'] as Properties;
      const config = configOf({ ...resolved(Variables as Properties), AWS_REGION: 'us-east-1' });
      expect(config).toMatchObject({ installation: 'nullplane', streaming: true });
      expect(() => configOf({})).toThrow('NULLPLANE_');
    }
  });
});

/** What CloudFormation fills in, as any text that is a URL. */
function resolved(variables: Properties): { [name: string]: string } {
  const entries = Object.entries(variables).map(([name, value]) => {
    return [name, typeof value === 'string' ? value : 'https://filled.in'] as const;
  });
  return Object.fromEntries(entries);
}

describe('the gateway', () => {
  it('streams, is throttled, and logs who asked for what', () => {
    const methods = template.all('AWS::ApiGateway::Method').map(([, method]) => method);
    expect(methods.map((method) => method['HttpMethod'] as string)).toEqual(['ANY', 'ANY']);
    const [method = {}] = methods;
    expect(method['Integration']).toMatchObject({ ResponseTransferMode: 'STREAM' });
    expect(text(method['Integration'])).toContain('response-streaming-invocations');
    const stage = template.one('AWS::ApiGateway::Stage');
    const [settings = {}] = stage['MethodSettings'] as Properties[];
    expect(settings).toMatchObject({ DataTraceEnabled: false, ThrottlingRateLimit: 100 });
    expect(text(stage['AccessLogSetting'])).toContain('$context.status');
    expect(text(stage['AccessLogSetting'])).not.toMatch(/authorization|querystring/i);
  });
});

describe('storage and network', () => {
  it('the table outlives mistakes, and can go back to any second', () => {
    const table = template.one('AWS::DynamoDB::Table');
    expect(table).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      StreamSpecification: { StreamViewType: TABLE.streamView },
      TimeToLiveSpecification: { AttributeName: TABLE.timeToLiveAttribute },
    });
    const [kept] = Object.values(template.resources).filter((r) => r.Type.endsWith(':Table'));
    expect(kept?.DeletionPolicy).toBe('Retain');
  });

  it('costs nothing by the hour', () => {
    const paid = ['AWS::EC2::NatGateway', 'AWS::EC2::EIP', 'AWS::KMS::Key', 'AWS::EC2::FlowLog'];
    expect(paid.flatMap((type) => template.all(type))).toEqual([]);
    for (const [, endpoint] of template.all('AWS::EC2::VPCEndpoint')) {
      expect(endpoint['VpcEndpointType']).toBe('Gateway');
    }
  });

  it('lets nobody in from outside: the VPC, or in a given one the group itself', () => {
    const own = template.one('AWS::EC2::SecurityGroup')['SecurityGroupIngress'] as Properties[];
    expect(own.map((rule) => rule['CidrIp'] as string)).toEqual(['10.0.0.0/16']);
    expect(template.one('AWS::EC2::VPC')['CidrBlock']).toBe('10.0.0.0/16');
    const { template: inside } = synthesize({
      vpcId: 'vpc-0123456789abcdef0',
      subnetIds: 'subnet-0123456789abcdef0',
    });
    const rule = inside.one('AWS::EC2::SecurityGroupIngress');
    expect(rule['SourceSecurityGroupId']).toEqual(rule['GroupId']);
    expect(rule['CidrIp']).toBeUndefined();
  });

  it('the gateway leaves bodies in protobuf as they are', () => {
    const types: unknown = template.one('AWS::ApiGateway::RestApi')['BinaryMediaTypes'];
    expect(types).toEqual(['application/vnd.kubernetes.protobuf']);
  });

  it('the alarms watch nine metrics, of ten that are free', () => {
    const alarms = template.all('AWS::CloudWatch::Alarm').map(([, alarm]) => alarm);
    expect(alarms.filter((alarm) => alarm['Metrics'] !== undefined)).toEqual([]);
    expect(alarms).toHaveLength(9);
    const dead = alarms.filter((alarm) => String(alarm['AlarmName']).endsWith('-given-up'));
    expect(dead.map((alarm) => alarm['Threshold'] as number)).toEqual([0, 0, 0, 0]);
  });
});

describe('switches', () => {
  const { template: other } = synthesize({
    paused: true,
    reservedConcurrency: true,
    customerManagedKey: true,
    network: 'private',
    api: 'http',
    deletionProtection: false,
  });

  it('paused, nothing decides and nothing sweeps', () => {
    const enabled = other
      .all('AWS::Lambda::EventSourceMapping')
      .map(([, m]) => m['Enabled'] as unknown);
    expect(enabled).toEqual([false, false, false, false]);
    expect(other.one('AWS::Scheduler::Schedule')['State']).toBe('DISABLED');
    const targets = other.all('AWS::Events::Rule').map(([, rule]) => text(rule['Targets']));
    expect(targets.filter((target) => target.includes('QueuesHealth'))).toHaveLength(
      targets.length,
    );
  });

  it('what was asked for is there', () => {
    expect(other.one('AWS::KMS::Key')['EnableKeyRotation']).toBe(true);
    expect(other.all('AWS::EC2::NatGateway')).toHaveLength(1);
    expect(other.all('AWS::ApiGateway::RestApi')).toEqual([]);
    const reconciler = other.one('AWS::Lambda::Function', (fn) =>
      String(fn['FunctionName']).endsWith('-reconciler'),
    );
    expect(reconciler['ReservedConcurrentExecutions']).toBe(OPTIONS.reconcilers.fallback);
    expect(other.one('AWS::DynamoDB::Table')['DeletionProtectionEnabled']).toBe(false);
  });
});
