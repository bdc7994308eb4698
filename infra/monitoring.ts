/**
 * Alarms and a dashboard. Few alarms, each for what needs a person: what was given up on, what
 * waits too long, and requests that fail. Nine metrics; ten cost nothing.
 */
import { Duration } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Functions } from './functions.ts';
import type { Gateway } from './gateway.ts';
import type { Options } from './options.ts';
import { QUEUE_NAMES, type Queues } from './queues.ts';
import { FUNCTION_NAMES } from './settings.ts';

export interface MonitoringProps {
  readonly options: Options;
  readonly queues: Queues;
  readonly functions: Functions;
  readonly gateway: Gateway;
}

const PERIOD = Duration.minutes(5);
/** Two sweeps: by then what was lost is repaired, and what still waits is stuck. */
const OLD_SECONDS = 600;
/** What is due later waits among the health messages, for a quarter of an hour at most. */
const LONGEST_DELAY_SECONDS = 900;
/** A single failure is retried by its client; some in five minutes are an outage. */
const SERVER_ERRORS = 5;

interface Watched {
  readonly name: string;
  readonly metric: IMetric;
  /** The alarm rings above it. */
  readonly above: number;
  readonly says: string;
}

export class Monitoring extends Construct {
  readonly #props: MonitoringProps;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    this.#props = props;
    const alarms = this.#watched().map((watched) => this.#alarm(watched));
    const { alarmEmail } = props.options;
    if (alarmEmail !== '') this.#tell(alarmEmail, alarms);
    this.#dashboard();
  }

  #watched(): readonly Watched[] {
    const { queues, functions, gateway } = this.#props;
    const waiting = QUEUE_NAMES.map((name) => {
      const above = OLD_SECONDS + (name === 'health' ? LONGEST_DELAY_SECONDS : 0);
      return {
        name: `${name}-waits`,
        metric: ageOf(queues.work[name]),
        above,
        says: `work of the ${name} queue waits for over ${above / 60} minutes`,
      };
    });
    const routed = functions.of.router.metric('IteratorAge', {
      statistic: Stats.MAXIMUM,
      period: PERIOD,
    });
    return [
      ...keepers(queues).map(givenUp),
      ...waiting,
      {
        name: 'stream-waits',
        metric: routed,
        above: OLD_SECONDS * 1000,
        says: `changes wait for the router for over ${OLD_SECONDS / 60} minutes`,
      },
      {
        name: 'api-errors',
        metric: gateway.serverErrors.with({ period: PERIOD }),
        above: SERVER_ERRORS,
        says: 'requests to the API end in 5xx',
      },
    ];
  }

  #alarm({ name, metric, above, says }: Watched): Alarm {
    return new Alarm(this, name, {
      alarmName: `${this.#props.options.installation}-${name}`,
      alarmDescription: says,
      metric,
      threshold: above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING, // an idle installation has no metrics
    });
  }

  #tell(email: string, alarms: readonly Alarm[]): void {
    const topic = new Topic(this, 'Topic', {
      topicName: `${this.#props.options.installation}-alarms`,
      enforceSSL: true,
    });
    topic.grantPublish(new ServicePrincipal('cloudwatch.amazonaws.com'));
    topic.addSubscription(new EmailSubscription(email));
    for (const alarm of alarms) alarm.addAlarmAction(new SnsAction(topic));
  }

  #dashboard(): void {
    const { options, queues, functions, gateway } = this.#props;
    const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 12 });
    const ofEach = (make: (name: (typeof FUNCTION_NAMES)[number]) => Metric) =>
      FUNCTION_NAMES.map((name) => make(name).with({ label: name }));
    const of = functions.of;
    new Dashboard(this, 'Dashboard', {
      dashboardName: options.installation,
      widgets: [
        [
          graph('Requests', [gateway.requests, gateway.serverErrors]),
          graph(
            'Oldest work (s)',
            QUEUE_NAMES.map((name) => ageOf(queues.work[name])),
          ),
        ],
        [
          graph(
            'Invocations',
            ofEach((name) => of[name].metricInvocations()),
          ),
          graph(
            'Errors',
            ofEach((name) => of[name].metricErrors()),
          ),
        ],
        [
          graph(
            'Throttles',
            ofEach((name) => of[name].metricThrottles()),
          ),
          graph(
            'Duration p99 (ms)',
            ofEach((name) => of[name].metricDuration({ statistic: 'p99' })),
          ),
        ],
        [graph('Given up', keepers(queues).map(depthOf))],
      ],
    });
  }
}

function keepers({ deadLetters, failures }: Queues): readonly Queue[] {
  return [...Object.values(deadLetters), failures];
}

/** One each: its name says whose work it is. */
function givenUp(queue: Queue): Watched {
  const name = queue.node.id.replace('DeadLetters', '').toLowerCase();
  return {
    name: `${name}-given-up`,
    metric: depthOf(queue),
    above: 0,
    says: `given up on, from ${name}: see docs/operations.md, "Redrive"`,
  };
}

function depthOf(queue: Queue): Metric {
  return queue.metricApproximateNumberOfMessagesVisible({
    statistic: Stats.MAXIMUM,
    period: PERIOD,
  });
}

function ageOf(queue: Queue): Metric {
  return queue.metricApproximateAgeOfOldestMessage({ statistic: Stats.MAXIMUM, period: PERIOD });
}
