/**
 * What wakes the functions: the table's stream, the queues, events of ECS and EC2, and the sweep.
 * Events of tasks, two of each pod, invoke the function themselves: a queue between would be three
 * requests an event, and its batches hardly ever more than one event.
 *
 * Invariants:
 *  E1 Every asynchronous edge ends in a queue that keeps what was given up on.
 *  E2 Nothing is periodic but the sweep: an idle installation is asked nothing else.
 */
import { Duration, Stack } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  type CfnFunction,
  FilterCriteria,
  type Function,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Functions } from './functions.ts';
import type { Options } from './options.ts';
import type { Resources } from './permissions/functions.ts';
import { allow, documentOf } from './permissions/statement.ts';
import { capital, type QueueName } from './queues.ts';
import {
  EVENT_MAX_AGE_HOURS,
  EVENT_RETRIES,
  FEW_AT_A_TIME,
  INVOCATION_RETRIES,
  QUEUE_BATCH,
  STREAM_BATCH,
  STREAM_RECORD_MAX_AGE_SECONDS,
  STREAM_RETRIES,
  STREAM_WINDOW_SECONDS,
  SWEEP_MAX_AGE_SECONDS,
  SWEEP_RETRIES,
} from './settings.ts';
import { STREAM_FILTERS } from './stream-filters.ts';
import { TASK_EVENTS } from './task-events.ts';

export interface EventsProps {
  readonly options: Options;
  readonly functions: Functions;
  readonly resources: Resources;
}

/** What is told of tasks and of container instances; both name the cluster. */
const TASK_EVENT = 'ECS Task State Change';
const NODE_EVENT = 'ECS Container Instance State Change';

/** These name an instance and nothing else: the health function knows which are ours. */
const EC2_EVENTS = [
  'EC2 Spot Instance Interruption Warning',
  'EC2 Instance Rebalance Recommendation',
  'EC2 Instance State-change Notification',
];

/** One group, so that one sweep begins at a time: `SWEEP_GROUP` of shared/control. */
const SWEEP_GROUP = 'sweep';
/** What the reconciler takes for a sweep; EventBridge Scheduler fills in when it was due. */
const SWEEP_BODY = 'sweep <aws.scheduler.scheduled-time>';

export class Events extends Construct {
  constructor(scope: Construct, id: string, props: EventsProps) {
    super(scope, id);
    const { of } = props.functions;
    const { reconcilers } = props.options;
    stream(of.router, props);
    drain(of.reconciler, 'reconcile', reconcilers, props);
    drain(of.scheduler, 'schedule', FEW_AT_A_TIME, props);
    drain(of.health, 'health', FEW_AT_A_TIME, props);
    this.#listen(props);
    this.#sweep(props);
  }

  #listen({ options, functions, resources }: EventsProps): void {
    const { cluster } = resources;
    const prefix = options.eventSourcePrefix;
    const ecs = (name: string, description: string, detailType: string, detail: object): Rule =>
      new Rule(this, `Ecs${capital(name)}Events`, {
        ruleName: `${options.installation}-ecs-${name}`,
        description,
        eventPattern: {
          source: [`${prefix}.ecs`],
          detailType: [detailType],
          detail: { clusterArn: [cluster.clusterArn], ...detail },
        },
      });
    const tasks = Object.entries(TASK_EVENTS).map(([name, detail]) =>
      ecs(`tasks-${name}`, `tasks of the cluster: ${name}`, TASK_EVENT, detail),
    );
    const nodes = ecs('nodes', 'container instances of the cluster', NODE_EVENT, {});
    const instances = new Rule(this, 'Ec2Events', {
      ruleName: `${options.installation}-ec2`,
      description: 'instances that are taken away or change state',
      eventPattern: { source: [`${prefix}.ec2`], detailType: EC2_EVENTS },
    });
    const { work, deadLetters } = resources.queues;
    const delivery = {
      deadLetterQueue: deadLetters.health,
      retryAttempts: EVENT_RETRIES,
      maxEventAge: Duration.hours(EVENT_MAX_AGE_HOURS),
    };
    const { health } = functions.of;
    const queued = () => new SqsQueue(work.health, delivery);
    // While nothing is worked on, events wait in the queue like all else.
    const told = () => (options.paused ? queued() : new LambdaFunction(health, delivery));
    for (const rule of tasks) rule.addTarget(told());
    for (const rule of [nodes, instances]) rule.addTarget(queued());
    givesUpInto(deadLetters.health, health);
  }

  #sweep({ options, resources }: EventsProps): void {
    const { work, failures } = resources.queues;
    const group = new CfnScheduleGroup(this, 'Schedules', { name: options.installation });
    const role = this.#sender(options, [work.reconcile.queueArn, failures.queueArn]);
    new CfnSchedule(this, 'Sweep', {
      name: `${options.installation}-sweep`,
      description: 'looks for what events missed',
      groupName: group.ref,
      state: options.sweep && !options.paused ? 'ENABLED' : 'DISABLED',
      scheduleExpression: `rate(${options.sweepMinutes} minutes)`,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: work.reconcile.queueArn,
        roleArn: role.roleArn,
        input: SWEEP_BODY,
        sqsParameters: { messageGroupId: SWEEP_GROUP },
        retryPolicy: {
          maximumRetryAttempts: SWEEP_RETRIES,
          maximumEventAgeInSeconds: SWEEP_MAX_AGE_SECONDS,
        },
        deadLetterConfig: { arn: failures.queueArn },
      },
    });
  }

  /** Taken up by the scheduler for schedules of this group, and for no other account's. */
  #sender({ installation }: Options, queueArns: readonly string[]): Role {
    const stack = Stack.of(this);
    const schedules = stack.formatArn({
      service: 'scheduler',
      resource: `schedule-group/${installation}`,
    });
    const sends = allow({ sid: 'Sweep', actions: ['sqs:SendMessage'], resources: queueArns });
    return new Role(this, 'SweepRole', {
      roleName: `${installation}-sweep`,
      path: `/nullplane/${installation}/functions/`,
      description: 'sends sweeps into the reconcile queue',
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': stack.account, 'aws:SourceArn': schedules },
        },
      }),
      inlinePolicies: { sends: documentOf([sends]) },
    });
  }
}

/**
 * Events that a function died of go to the dead letters as they came, so that they can be sent to
 * the queue again. A destination would wrap them. The permission stands with the others.
 */
function givesUpInto(queue: Queue, fn: Function): void {
  const { queueArn: targetArn } = queue;
  (fn.node.defaultChild as CfnFunction).deadLetterConfig = { targetArn };
  fn.configureAsyncInvoke({
    maxEventAge: Duration.hours(EVENT_MAX_AGE_HOURS),
    retryAttempts: INVOCATION_RETRIES,
  });
}

/**
 * From the oldest record there is: to start at the newest loses what is written while the mapping
 * is made. Retries are bounded, or one bad record would hold its shard for a day.
 */
function stream(router: Function, { options, resources }: EventsProps): void {
  router.addEventSourceMapping('Stream', {
    eventSourceArn: resources.storage.streamArn,
    enabled: !options.paused,
    startingPosition: StartingPosition.TRIM_HORIZON,
    batchSize: STREAM_BATCH,
    maxBatchingWindow: Duration.seconds(STREAM_WINDOW_SECONDS),
    bisectBatchOnError: true,
    retryAttempts: STREAM_RETRIES,
    maxRecordAge: Duration.seconds(STREAM_RECORD_MAX_AGE_SECONDS),
    reportBatchItemFailures: true,
    filters: STREAM_FILTERS.map((filter) => FilterCriteria.filter(filter)),
    // The permission stands with the function's others.
    onFailure: { bind: () => ({ destination: resources.queues.failures.queueArn }) },
  });
}

/**
 * Bounded by `maxConcurrency`, since reserved concurrency throttles pollers and so uses up the
 * receives of good messages.
 */
function drain(
  fn: Function,
  name: QueueName,
  maxConcurrency: number,
  { options, resources }: EventsProps,
): void {
  fn.addEventSourceMapping(`From-${name}`, {
    eventSourceArn: resources.queues.work[name].queueArn,
    enabled: !options.paused,
    batchSize: QUEUE_BATCH,
    maxConcurrency,
    reportBatchItemFailures: true,
  });
}
