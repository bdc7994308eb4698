/**
 * Partial batches, done right. A FIFO batch may hold several groups: after a failure, the later
 * messages of the same group are reported as failed too and not worked on, or their order would be
 * lost. Other groups go on.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Outcome } from '../../shared/control/controller.ts';
import { delayedAgain } from '../../shared/control/work.ts';
import type { Queue } from '../../shared/ports/queue.ts';

/**
 * Works on the records of a batch: groups side by side, a group in order. `work` says whether it
 * succeeded.
 */
export async function eachMessage(
  event: SQSEvent,
  work: (body: string, record: SQSRecord) => Promise<boolean>,
): Promise<SQSBatchResponse> {
  const groups = Map.groupBy(event.Records, (record) => groupOf(record));
  const failed = await Promise.all([...groups.values()].map((records) => inOrder(records, work)));
  return { batchItemFailures: failed.flat().map((itemIdentifier) => ({ itemIdentifier })) };
}

/** Messages of a standard queue have no group: each is its own. */
function groupOf(record: SQSRecord): string {
  return record.attributes.MessageGroupId ?? record.messageId;
}

/** The ids that are to come again: the first failure and all that is behind it. */
async function inOrder(
  records: readonly SQSRecord[],
  work: (body: string, record: SQSRecord) => Promise<boolean>,
): Promise<string[]> {
  for (const [index, record] of records.entries()) {
    if (!(await succeeds(record, work))) return records.slice(index).map((r) => r.messageId);
  }
  return [];
}

async function succeeds(
  record: SQSRecord,
  work: (body: string, record: SQSRecord) => Promise<boolean>,
): Promise<boolean> {
  try {
    return await work(record.body, record);
  } catch {
    return false;
  }
}

/** An outcome in SQS's terms: whether the message is done with. What is due later is sent anew. */
export async function concluded(
  outcome: Outcome,
  record: SQSRecord,
  queue: Queue,
): Promise<boolean> {
  if (outcome.type === 'after') {
    const { body, attributes } = record;
    const group = attributes.MessageGroupId ?? body;
    await queue.send([delayedAgain({ group, body }, outcome.ms)]);
  }
  return outcome.type !== 'retry';
}
