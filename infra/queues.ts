/**
 * The queues and their dead letters. Owns names, order, retries and who may not read them: nobody
 * without TLS.
 *
 * Invariant: each queue has dead letters; FIFO names are given, since emulators make a standard
 * queue of an unnamed one.
 */
import { Duration } from 'aws-cdk-lib';
import {
  DeduplicationScope,
  FifoThroughputLimit,
  Queue,
  QueueEncryption,
  type QueueProps,
} from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import {
  DEAD_LETTER_DAYS,
  type FunctionName,
  FUNCTIONS,
  MAX_RECEIVES,
  MESSAGE_DAYS,
  VISIBILITY_TIMEOUTS,
} from './settings.ts';

export type QueueName = 'reconcile' | 'schedule' | 'health';

interface QueueKind {
  readonly fifo: boolean;
  readonly feeds: FunctionName;
}

/**
 * Health is standard because nothing of it has an order, and because a FIFO queue can't delay one
 * message: what is due later waits here as well. Each queue is waited at all day long, and costs as
 * much as an idle installation's other parts together.
 */
const KINDS: { readonly [name in QueueName]: QueueKind } = {
  reconcile: { fifo: true, feeds: 'reconciler' },
  schedule: { fifo: true, feeds: 'scheduler' },
  health: { fifo: false, feeds: 'health' },
};

export const QUEUE_NAMES = Object.keys(KINDS) as readonly QueueName[];

/**
 * A group is a key and goes as fast as it can by itself. Deduplication by content serves senders
 * that can't name a message, which EventBridge Scheduler is; ours name theirs.
 */
const FIFO: QueueProps = {
  fifo: true,
  contentBasedDeduplication: true,
  deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
  fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
};

const ALL: QueueProps = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };

export class Queues extends Construct {
  readonly work: { readonly [name in QueueName]: Queue };
  readonly deadLetters: { readonly [name in QueueName]: Queue };
  /** Notices that can't be sent again: stream records given up on, sweeps not delivered. */
  readonly failures: Queue;

  constructor(scope: Construct, id: string, installation: string) {
    super(scope, id);
    const each = (make: (name: QueueName) => Queue) =>
      Object.fromEntries(QUEUE_NAMES.map((name) => [name, make(name)])) as {
        [name in QueueName]: Queue;
      };
    this.deadLetters = each((name) => this.#keeper(`${installation}-${name}-dlq`, name));
    this.work = each((name) => this.#worked(`${installation}-${name}`, name));
    this.failures = this.#keeper(`${installation}-failures`, 'failures');
  }

  #worked(fullName: string, name: QueueName): Queue {
    const { fifo, feeds } = KINDS[name];
    return new Queue(this, capital(name), {
      ...ALL,
      ...(fifo ? FIFO : {}),
      queueName: fifo ? `${fullName}.fifo` : fullName,
      visibilityTimeout: Duration.seconds(FUNCTIONS[feeds].timeoutSeconds * VISIBILITY_TIMEOUTS),
      retentionPeriod: Duration.days(MESSAGE_DAYS),
      deadLetterQueue: { queue: this.deadLetters[name], maxReceiveCount: MAX_RECEIVES },
    });
  }

  #keeper(fullName: string, name: QueueName | 'failures'): Queue {
    const fifo = name !== 'failures' && KINDS[name].fifo;
    return new Queue(this, `${capital(name)}DeadLetters`, {
      ...ALL,
      ...(fifo ? FIFO : {}),
      queueName: fifo ? `${fullName}.fifo` : fullName,
      retentionPeriod: Duration.days(DEAD_LETTER_DAYS),
    });
  }
}

export function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
