import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { eachMessage } from '../../../lambdas/_kit/sqs.ts';

function record(messageId: string, group: string | undefined, body = messageId): SQSRecord {
  const attributes = { ...(group === undefined ? {} : { MessageGroupId: group }) };
  return { messageId, body, attributes } as SQSRecord;
}

async function failures(
  records: readonly SQSRecord[],
  work: (body: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const event: SQSEvent = { Records: [...records] };
  const { batchItemFailures } = await eachMessage(event, work);
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

describe('a batch of messages', () => {
  it('reports nothing when all succeed', async () => {
    const records = [record('1', 'a'), record('2', 'b')];
    expect(await failures(records, async () => true)).toEqual([]);
  });

  it('stops a group at its first failure and leaves the others alone', async () => {
    const worked: string[] = [];
    const records = [record('1', 'a'), record('2', 'a'), record('3', 'b'), record('4', 'a')];
    const failed = await failures(records, async (body) => {
      worked.push(body);
      return body !== '2';
    });
    expect(failed).toEqual(['2', '4']);
    expect(worked.sort()).toEqual(['1', '2', '3']);
  });

  it('takes a thrown error for a failure', async () => {
    const failed = await failures([record('1', 'a')], () => Promise.reject(new Error('boom')));
    expect(failed).toEqual(['1']);
  });

  it('treats the messages of a standard queue one by one', async () => {
    const records = [record('1', undefined), record('2', undefined)];
    expect(await failures(records, async (body) => body !== '1')).toEqual(['1']);
  });
});
