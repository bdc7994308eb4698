/**
 * Dead letters: shown, and sent back. By receiving, sending and deleting rather than by SQS's own
 * move task: that one moves all there is, later, and does not say what it moved.
 *
 * Invariant L1: a letter is deleted after it was sent. A crash in between sends it twice under one
 * deduplication id, and SQS drops the second.
 */
import {
  DeleteMessageCommand,
  type Message,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { sendAll } from './batches.ts';
import { calling, unlessEnded } from './errors.ts';
import { SqsVisibility } from './visibility.ts';
import { deliveryOf, type Entry, MAX_ENTRIES, sha256 } from './wire.ts';

export interface DeadLetter {
  readonly id: string;
  /** Of a standard queue's message: the body. */
  readonly group: string;
  readonly body: string;
}

/** Waiting asks all of SQS's servers; not waiting asks some, and may find nothing. */
const WAIT_SECONDS = 1;

/** Longer than a listing of thousands takes, and soon enough over when it is broken off. */
const LOOKED_AT_SECONDS = 60;

export class DeadLetters {
  readonly #client: SQSClient;
  readonly #url: string;
  readonly #visibility: SqsVisibility;

  constructor({ client, url }: { readonly client: SQSClient; readonly url: string }) {
    this.#client = client;
    this.#url = url;
    this.#visibility = new SqsVisibility({ client, url });
  }

  /**
   * Up to `max`, oldest first; they stay. Of a FIFO group only what comes in one receive is shown:
   * SQS hands out no more of it until that is dealt with. Whoever looks at the same time sees what
   * is left. Throws `QueueUnavailable`.
   */
  async list(max: number): Promise<readonly DeadLetter[]> {
    const letters: Message[] = [];
    try {
      while (letters.length < max) {
        const more = await this.#take(max - letters.length);
        if (more.length === 0) break;
        letters.push(...more);
      }
    } finally {
      await this.#visibility.comeAgain(letters.map(receiptOf), 0);
    }
    return letters.toSorted((a, b) => sentAtMs(a) - sentAtMs(b)).map(letterOf);
  }

  /**
   * Sends up to `max` back to the queue at `url`, a group's in order, and tells of each that was
   * moved. Throws `QueueUnavailable`; what was told of is moved.
   */
  async move(url: string, max: number, told: (letter: DeadLetter) => void): Promise<number> {
    let moved = 0;
    while (moved < max) {
      const letters = await this.#take(max - moved);
      if (letters.length === 0) break;
      for (const letter of letters) {
        await sendAll(this.#client, url, [entryFor(url, letter)]);
        await this.#remove(letter);
        told(letterOf(letter));
        moved++;
      }
    }
    return moved;
  }

  async #take(max: number): Promise<Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: this.#url,
      MaxNumberOfMessages: Math.min(max, MAX_ENTRIES),
      WaitTimeSeconds: WAIT_SECONDS,
      VisibilityTimeout: LOOKED_AT_SECONDS,
      MessageSystemAttributeNames: ['MessageGroupId', 'SentTimestamp'],
      MessageAttributeNames: ['All'],
    });
    const { Messages: messages = [] } = await calling(() => this.#client.send(command));
    return messages;
  }

  async #remove(letter: Message): Promise<void> {
    const command = new DeleteMessageCommand({
      QueueUrl: this.#url,
      ReceiptHandle: receiptOf(letter),
    });
    await unlessEnded(() => this.#client.send(command));
  }
}

/** The letter as it was; its own id stands for it, so that it is not sent twice (L1). */
function entryFor(url: string, letter: Message): Entry {
  const { Body: body = '', MessageAttributes: attributes, Attributes: system } = letter;
  const groupId = system?.MessageGroupId;
  return {
    MessageBody: body,
    ...(attributes === undefined ? {} : { MessageAttributes: sent(attributes) }),
    ...(groupId === undefined ? {} : { MessageGroupId: groupId }),
    ...(url.endsWith('.fifo') ? { MessageDeduplicationId: sha256(letter.MessageId ?? '') } : {}),
  };
}

/** What is received has empty lists that SQS does not take. */
function sent(attributes: Readonly<Record<string, MessageAttributeValue>>) {
  const values = Object.entries(attributes).map(([name, value]) => {
    const { DataType, StringValue, BinaryValue } = value;
    return [name, BinaryValue ? { DataType, BinaryValue } : { DataType, StringValue }] as const;
  });
  return Object.fromEntries(values);
}

function letterOf(message: Message): DeadLetter {
  const { group, body } = deliveryOf(message);
  return { id: message.MessageId ?? '', group, body };
}

function receiptOf(message: Message): string {
  return message.ReceiptHandle ?? '';
}

function sentAtMs(message: Message): number {
  return Number(message.Attributes?.SentTimestamp ?? 0);
}
