/** Queues on an emulator as the installation has them: FIFO, timers, dead letters. */
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { SqsQueue } from '../../../adapters/aws/sqs/sqs-queue.ts';
import { RandomIds } from '../../../adapters/node/random-ids.ts';
import { MAX_RECEIVES } from '../../../shared/ports/queue.ts';

export interface QueueUrls {
  readonly url: string;
  readonly timersUrl: string;
  readonly deadLettersUrl: string;
}

export const ids = new RandomIds();

/** New ones, of names that no other case has. */
export async function newQueues(client: SQSClient, visibilityMs = 30_000): Promise<QueueUrls> {
  const name = `nullplane-${ids.suffix(12)}`;
  const fifo = { FifoQueue: 'true', ContentBasedDeduplication: 'true' };
  const deadLettersUrl = await create(client, `${name}-dead.fifo`, fifo);
  const url = await create(client, `${name}.fifo`, {
    ...fifo,
    VisibilityTimeout: String(visibilityMs / 1000),
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: await arnOf(client, deadLettersUrl),
      maxReceiveCount: MAX_RECEIVES,
    }),
  });
  return { url, timersUrl: await create(client, `${name}-timers`, {}), deadLettersUrl };
}

export async function newQueue(client: SQSClient, visibilityMs?: number): Promise<SqsQueue> {
  const urls = await newQueues(client, visibilityMs);
  return new SqsQueue({ client, name: 'reconcile', ids, ...urls });
}

async function create(
  client: SQSClient,
  name: string,
  attributes: Record<string, string>,
): Promise<string> {
  const command = new CreateQueueCommand({ QueueName: name, Attributes: attributes });
  const { QueueUrl: url } = await client.send(command);
  if (url === undefined) throw new Error(`no URL for ${name}`);
  return url;
}

async function arnOf(client: SQSClient, url: string): Promise<string> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] });
  const { Attributes: attributes } = await client.send(command);
  return attributes?.QueueArn ?? '';
}
