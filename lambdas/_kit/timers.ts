/**
 * Timers that are due, on the way to their queues. A FIFO queue can't delay a message, so that it
 * waits in a standard queue (adapters/aws/sqs/timer.ts), the one of health messages.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type QueueName, type Timer, timerOf } from '../../adapters/aws/sqs/timer.ts';
import type { Queue } from '../../shared/ports/queue.ts';
import type { Recorder } from '../../shared/ports/recorder.ts';
import { type BatchOptions, comeAgain, type Visibility, waitMs } from './sqs.ts';

interface Due extends Timer {
  readonly record: SQSRecord;
}

export type WorkQueues = { readonly [name in QueueName]: Queue };

/**
 * Sends each due timer's message to its queue; equal ones once. What could not be sent is reported,
 * and comes again. What is no timer is dropped with a log line: it can never succeed. Never throws.
 */
export async function forwardTimers(
  event: SQSEvent,
  queues: WorkQueues,
  recorder: Recorder,
  visibility?: Visibility,
): Promise<SQSBatchResponse> {
  const due = event.Records.flatMap((record): Due[] => {
    const timer = timerOf(record.body, record.messageId);
    if (timer) return [{ ...timer, record }];
    const fields = { messageId: record.messageId };
    recorder.log({ level: 'warn', message: 'unknown timer dropped', fields });
    return [];
  });
  const options = { recorder, ...(visibility ? { visibility } : {}) };
  const byQueue = [...Map.groupBy(due, ({ queue }) => queue)];
  const failed = await Promise.all(
    byQueue.map(([name, timers]) => unsent(timers, queues[name], options)),
  );
  return { batchItemFailures: failed.flat().map((id) => ({ itemIdentifier: id })) };
}

/** The ids of those that could not be sent: all, since any part of them may have been. */
async function unsent(
  timers: readonly Due[],
  queue: Queue,
  options: BatchOptions & { readonly recorder: Recorder },
): Promise<readonly string[]> {
  try {
    await queue.send(distinct(timers).map(({ message }) => message));
    return [];
  } catch (error) {
    const fields = { queue: timers[0]?.queue, count: timers.length, error: String(error) };
    options.recorder.log({ level: 'warn', message: 'timers not forwarded', fields });
    const records = timers.map(({ record }) => record);
    await comeAgain(records, waitMs(records), options);
    return records.map(({ messageId }) => messageId);
  }
}

function distinct(timers: readonly Due[]): Due[] {
  const byText = new Map<string, Due>();
  for (const timer of timers) {
    const { group, body } = timer.message;
    const text = JSON.stringify([group, body]);
    if (!byText.has(text)) byText.set(text, timer);
  }
  return [...byText.values()];
}
