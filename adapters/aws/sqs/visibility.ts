/** When deliveries that are not done come again. */
import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { QueueUnavailable } from '../../../shared/ports/queue.ts';
import { calling, hasEnded } from './errors.ts';
import { MAX_ENTRIES } from './wire.ts';

/** SQS's longest visibility timeout: 12 hours. */
const MAX_SECONDS = 43_200;

export class SqsVisibility {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(options: { readonly client: SQSClient; readonly url: string }) {
    this.#client = options.client;
    this.#url = options.url;
  }

  /**
   * Has the deliveries of these receipts come again after `delayMs`, to the next whole second. A
   * delivery that has ended is left alone. Throws `QueueUnavailable`.
   */
  async comeAgain(receipts: readonly string[], delayMs: number): Promise<void> {
    const seconds = Math.min(MAX_SECONDS, Math.ceil(delayMs / 1000));
    for (let at = 0; at < receipts.length; at += MAX_ENTRIES) {
      await this.#change(receipts.slice(at, at + MAX_ENTRIES), seconds);
    }
  }

  async #change(receipts: readonly string[], seconds: number): Promise<void> {
    const entries = receipts.map((receipt, index) => ({
      Id: String(index),
      ReceiptHandle: receipt,
      VisibilityTimeout: seconds,
    }));
    const command = new ChangeMessageVisibilityBatchCommand({
      QueueUrl: this.#url,
      Entries: entries,
    });
    const { Failed: failed = [] } = await calling(() => this.#client.send(command));
    const unexpected = failed.find(({ Code }: BatchResultErrorEntry) => !hasEnded(Code ?? ''));
    if (unexpected) throw new QueueUnavailable(`${unexpected.Code}: ${unexpected.Message}`);
  }
}
