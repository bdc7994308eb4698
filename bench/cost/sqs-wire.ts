/**
 * Queues in memory as the SDK's requests have them. Owns the shapes of requests and answers, and
 * the codes of errors; what a queue does is sqs.ts.
 */
import { createHash } from 'node:crypto';
import type { SQSRecord } from 'aws-lambda';
import type { FakeQueue, SentEntry } from './sqs.ts';

export interface SqsRequest {
  readonly Entries?: readonly BatchEntry[];
  readonly ReceiptHandle?: string;
  readonly MaxNumberOfMessages?: number;
  readonly VisibilityTimeout?: number;
}

/** Of a receipt that stands for nothing any more. */
const ENDED = 'ReceiptHandleIsInvalid';

interface BatchEntry extends SentEntry {
  readonly ReceiptHandle?: string;
  readonly VisibilityTimeout?: number;
}

export interface SqsAnswer {
  readonly status: number;
  readonly body: object;
}

/** `queue` is the one of the request's URL, if there is one. */
export function answerOf(
  command: string,
  queue: FakeQueue | undefined,
  request: SqsRequest,
): SqsAnswer {
  if (!queue) return failed('QueueDoesNotExist');
  const { Entries: entries = [], ReceiptHandle: receipt = '' } = request;
  switch (command) {
    case 'SendMessageBatch':
      return batch(entries, (entry) => sentAnswer(entry, queue.send(entry)));
    case 'ChangeMessageVisibilityBatch':
      return batch(entries, ({ Id, ReceiptHandle = '', VisibilityTimeout = 0 }) =>
        queue.changeVisibility(ReceiptHandle, VisibilityTimeout) ? { Id } : undefined,
      );
    case 'DeleteMessageBatch':
      return batch(entries, ({ Id, ReceiptHandle = '' }) =>
        queue.delete(ReceiptHandle) ? { Id } : undefined,
      );
    case 'DeleteMessage':
      return queue.delete(receipt) ? { status: 200, body: {} } : failed(ENDED);
    case 'ReceiveMessage':
      return received(queue, request);
    default:
      throw new Error(`the queues do not know ${command}`);
  }
}

function batch(
  entries: readonly BatchEntry[],
  work: (entry: BatchEntry) => object | undefined,
): SqsAnswer {
  const done = entries.map((entry) => [entry.Id, work(entry)] as const);
  const Successful = done.flatMap(([, answer]) => answer ?? []);
  const Failed = done.flatMap(([Id, answer]) =>
    answer ? [] : [{ Id, Code: ENDED, SenderFault: true, Message: 'ended' }],
  );
  return { status: 200, body: { Successful, Failed } };
}

function received(queue: FakeQueue, request: SqsRequest): SqsAnswer {
  const { MaxNumberOfMessages: max = 1, VisibilityTimeout: seconds } = request;
  const visibilityMs = seconds === undefined ? undefined : seconds * 1000;
  return { status: 200, body: { Messages: queue.receive(max, visibilityMs).map(messageOf) } };
}

/** A record as a receiver that is no function is handed it. */
function messageOf(record: SQSRecord): object {
  const { messageId, receiptHandle, body, attributes, messageAttributes } = record;
  const told = Object.entries(messageAttributes).map(([name, { stringValue, dataType }]) => {
    return [name, { StringValue: stringValue, DataType: dataType }] as const;
  });
  return {
    MessageId: messageId,
    ReceiptHandle: receiptHandle,
    Body: body,
    MD5OfBody: md5(body),
    Attributes: attributes,
    MessageAttributes: Object.fromEntries(told),
  };
}

/** The SDK holds what was taken on against what it sent. */
function sentAnswer({ Id, MessageBody: body }: SentEntry, MessageId: string): object {
  return { Id, MessageId, MD5OfMessageBody: md5(body) };
}

function failed(code: string): SqsAnswer {
  return { status: 400, body: { __type: `com.amazonaws.sqs#${code}`, message: code } };
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex');
