/**
 * How a message travels on SQS. Owns group and deduplication ids, and what SQS takes.
 *
 * Invariants:
 *  M1 Equal groups have equal ids, and different groups different ones.
 *  M2 Messages with a cause have equal deduplication ids exactly when group, body and cause are
 *     equal; without one an id is never used twice.
 */
import { createHash } from 'node:crypto';
import type { Message, SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs';
import type { Ids } from '../../../shared/ports/ids.ts';
import { type Delivery, MessageRefused, type WorkMessage } from '../../../shared/ports/queue.ts';

/** SQS's limit for a message, and for all messages of a batch together. */
export const MAX_BYTES = 1_048_576;

/** SQS's limit for a batch. */
export const MAX_ENTRIES = 10;

/** What a group's id may be: letters, digits and punctuation of ASCII. */
const GROUP_ID = /^[!-~]{1,128}$/;

/** What SQS's messages may not hold: what XML 1.0 can't. */
const UNSENDABLE = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

/** Holds the group as JSON, where neither the id nor the body tells it. */
const GROUP = 'group';

/** What a receiver asks for, so that `deliveryOf` knows all it needs. */
export const RECEIVED = {
  MessageSystemAttributeNames: ['MessageGroupId' as const, 'ApproximateReceiveCount' as const],
  MessageAttributeNames: [GROUP],
};

/** An entry of a batch, but for its place in it. */
export type Entry = Omit<SendMessageBatchRequestEntry, 'Id'> & { readonly MessageBody: string };

/** The message for a FIFO queue. Throws `MessageRefused`. */
export function fifoEntry({ group, body, cause }: WorkMessage, ids: Ids): Entry {
  const id = groupIdOf(group);
  const isTold = id === group || body === group;
  const attribute = { DataType: 'String', StringValue: JSON.stringify(group) };
  return sendable({
    MessageBody: body,
    MessageGroupId: id,
    MessageDeduplicationId:
      cause === undefined ? ids.uid() : sha256(JSON.stringify([group, body, cause])),
    ...(isTold ? {} : { MessageAttributes: { [GROUP]: attribute } }),
  });
}

/** The message, as JSON, for a standard queue. Throws `MessageRefused`. */
export function standardEntry(body: object): Entry {
  return sendable({ MessageBody: JSON.stringify(body) });
}

/** The entry itself. Throws `MessageRefused` when SQS would not take it. */
export function sendable(entry: Entry): Entry {
  const { MessageBody: body } = entry;
  const bytes = bytesOf(entry);
  if (bytes > MAX_BYTES) {
    throw new MessageRefused(`a message of ${bytes} bytes; SQS takes ${MAX_BYTES}`);
  }
  if (body === '') throw new MessageRefused('an empty message');
  const found = UNSENDABLE.exec(body);
  if (found) {
    const code = found[0].charCodeAt(0).toString(16);
    throw new MessageRefused(`a message with the character U+${code.padStart(4, '0')}`);
  }
  return entry;
}

/** As SQS counts: the body, and names, types and values of attributes. */
export function bytesOf({ MessageBody: body, MessageAttributes: attributes = {} }: Entry): number {
  const texts = Object.entries(attributes).flatMap(([name, value]) => [
    name,
    value.DataType ?? '',
    value.StringValue ?? '',
  ]);
  return [body, ...texts].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

export function deliveryOf(message: Message): Delivery {
  const body = message.Body ?? '';
  const { MessageGroupId: groupId, ApproximateReceiveCount: receives } = message.Attributes ?? {};
  const told = message.MessageAttributes?.[GROUP]?.StringValue;
  return {
    group: groupOf({ body, groupId, told }),
    body,
    receipt: message.ReceiptHandle ?? '',
    receives: Number(receives ?? 1),
  };
}

/** What of a record in a function's event tells its group. */
export interface GroupedRecord {
  readonly body: string;
  readonly attributes: { readonly MessageGroupId?: string | undefined };
  readonly messageAttributes?: {
    readonly [name: string]: { readonly stringValue?: string | undefined };
  };
}

/** The group of a record that a function was handed. */
export function groupOfRecord({ body, attributes, messageAttributes }: GroupedRecord): string {
  const told = messageAttributes?.[GROUP]?.stringValue;
  return groupOf({ body, groupId: attributes.MessageGroupId, told });
}

interface Told {
  readonly body: string;
  readonly groupId: string | undefined;
  readonly told: string | undefined;
}

function groupOf({ body, groupId, told }: Told): string {
  const group = told === undefined ? undefined : parsed(told);
  if (group !== undefined) return group;
  return groupId === undefined || groupIdOf(body) === groupId ? body : groupId;
}

/** Others may send into our queues, with attributes of their own. */
function parsed(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function groupIdOf(group: string): string {
  return GROUP_ID.test(group) ? group : sha256(group);
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
