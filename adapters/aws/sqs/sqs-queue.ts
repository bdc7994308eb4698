/**
 * The queue on SQS: a FIFO queue, its dead letters, and the timers queue that it shares. On AWS
 * functions are handed the messages (lambdas/_kit/sqs.ts) and the router forwards timers; `receive`
 * serves tests and experiments, and forwards what is due itself. It is not for use beside a router.
 *
 * Invariants: M1 and M2 (wire.ts), N1 and N2 (batches.ts), and
 *  Q1 A timer is deleted after its message was taken on: a crash in between forwards it twice, and
 *     SQS drops the second.
 */
import {
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Ids } from '../../../shared/ports/ids.ts';
import type { Delivery, Queue, WorkMessage } from '../../../shared/ports/queue.ts';
import { DeadLetters } from './dead-letters.ts';
import { calling, unlessEnded } from './errors.ts';
import { type Gathering, Outbox } from './outbox.ts';
import { type QueueName, timerEntry, timerOf } from './timer.ts';
import { SqsVisibility } from './visibility.ts';
import { deliveryOf, fifoEntry, MAX_ENTRIES, RECEIVED } from './wire.ts';

export interface SqsQueueOptions {
  readonly client: SQSClient;
  /** What timers call it. */
  readonly name: QueueName;
  readonly url: string;
  readonly timersUrl: string;
  readonly deadLettersUrl: string;
  readonly ids: Ids;
  /** What is sent waits for what else is sent, to go with it; not at all if absent. */
  readonly gathering?: Gathering;
}

/** A good time to gather: some answers that were asked for together come so long apart. */
export const GATHER_MS = 5;

/** While a receiver waits, timers are looked at this often; SQS delays by whole seconds. */
const LOOK_SECONDS = 1;

/** Longer than forwarding a batch of timers takes. */
const FORWARDING_SECONDS = 30;

export class SqsQueue implements Queue {
  readonly #client: SQSClient;
  readonly #name: QueueName;
  readonly #url: string;
  readonly #timersUrl: string;
  readonly #ids: Ids;
  readonly #outbox: Outbox;
  readonly #timersOutbox: Outbox;
  readonly #visibility: SqsVisibility;
  readonly #timersVisibility: SqsVisibility;
  readonly #dead: DeadLetters;

  constructor(options: SqsQueueOptions) {
    const { client, name, url, timersUrl, deadLettersUrl, ids, gathering } = options;
    this.#client = client;
    this.#name = name;
    this.#url = url;
    this.#timersUrl = timersUrl;
    this.#ids = ids;
    this.#outbox = new Outbox(client, url, gathering);
    this.#timersOutbox = new Outbox(client, timersUrl, gathering);
    this.#visibility = new SqsVisibility({ client, url });
    this.#timersVisibility = new SqsVisibility({ client, url: timersUrl });
    this.#dead = new DeadLetters({ client, url: deadLettersUrl });
  }

  async send(messages: readonly WorkMessage[]): Promise<void> {
    // All are made before any is sent: what SQS would refuse keeps nothing half sent.
    const entries = messages.map((message) => ({
      isDelayed: (message.delayMs ?? 0) > 0,
      entry: fifoEntry(message, this.#ids),
      message,
    }));
    const timers = entries.filter(({ isDelayed }) => isDelayed);
    const timerEntries = timers.map(({ message }) => timerEntry(this.#name, message));
    const now = entries.filter(({ isDelayed }) => !isDelayed).map(({ entry }) => entry);
    await this.#outbox.send(now);
    await this.#timersOutbox.send(timerEntries);
  }

  /** At most 10 at a time. The wait is counted in whole seconds. */
  async receive(max: number, waitMs: number): Promise<readonly Delivery[]> {
    let leftSeconds = Math.ceil(waitMs / 1000);
    for (;;) {
      await this.#forwardDue();
      const seconds = Math.min(leftSeconds, LOOK_SECONDS);
      const messages = await this.#take(this.#url, { max, waitSeconds: seconds });
      leftSeconds -= seconds;
      if (messages.length > 0 || leftSeconds <= 0) return messages.map(deliveryOf);
    }
  }

  async ack({ receipt }: Delivery): Promise<void> {
    const command = new DeleteMessageCommand({ QueueUrl: this.#url, ReceiptHandle: receipt });
    await unlessEnded(() => this.#client.send(command));
  }

  async release({ receipt }: Delivery, delayMs: number): Promise<void> {
    await this.#visibility.comeAgain([receipt], delayMs);
  }

  async deadLetters(max: number): Promise<readonly WorkMessage[]> {
    const letters = await this.#dead.list(max);
    return letters.map(({ group, body }) => ({ group, body }));
  }

  /** Timers of this queue that are due become its messages; those of others are put back. */
  async #forwardDue(): Promise<void> {
    const due = await this.#take(this.#timersUrl, { max: MAX_ENTRIES, waitSeconds: 0 });
    const timers = due.map((message) => ({
      receipt: message.ReceiptHandle ?? '',
      timer: timerOf(message.Body ?? '', message.MessageId ?? ''),
    }));
    const own = timers.flatMap(({ receipt, timer }) =>
      timer?.queue === this.#name ? [{ receipt, message: timer.message }] : [],
    );
    const others = timers.filter(({ timer }) => timer && timer.queue !== this.#name);
    await this.#timersVisibility.comeAgain(
      others.map(({ receipt }) => receipt),
      0,
    );
    if (own.length === 0) return;
    await this.send(own.map(({ message }) => message));
    await this.#deleteTimers(own.map(({ receipt }) => receipt));
  }

  /** What is not deleted is forwarded again: Q1. */
  async #deleteTimers(receipts: readonly string[]): Promise<void> {
    const entries = receipts.map((receipt, i) => ({ Id: String(i), ReceiptHandle: receipt }));
    const command = new DeleteMessageBatchCommand({
      QueueUrl: this.#timersUrl,
      Entries: entries,
    });
    await calling(() => this.#client.send(command));
  }

  async #take(
    url: string,
    { max, waitSeconds }: { readonly max: number; readonly waitSeconds: number },
  ): Promise<Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: Math.min(max, MAX_ENTRIES),
      WaitTimeSeconds: waitSeconds,
      ...(url === this.#timersUrl ? { VisibilityTimeout: FORWARDING_SECONDS } : {}),
      ...RECEIVED,
    });
    const { Messages: messages = [] } = await calling(() => this.#client.send(command));
    return messages;
  }
}
