/**
 * What Lambda does between a source and a function: takes batches, bounds how many are worked on at
 * a time, deletes what is done. Each wait of a poller, empty or not, is a request; those of an idle
 * queue are counted in bill.ts.
 */
import type { DynamoDBBatchResponse, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { QUEUE_BATCH, STREAM_BATCH, STREAM_WINDOW_SECONDS } from '../../infra/settings.ts';
import { STREAM_FILTERS } from '../../infra/stream-filters.ts';
import type { StreamEntry } from './dynamodb.ts';
import type { Meter } from './meter.ts';
import type { Network } from './network.ts';
import type { FakeQueue } from './sqs.ts';

/** From a message's arrival to the function that has it. */
const HAND_OVER_MS = 20;
/** Lambda looks at each shard of a stream four times a second. */
const STREAM_POLL_MS = 250;

export type Invoke<Event, Answer> = (event: Event) => Promise<Answer>;

/** A queue's event source mapping. */
export class QueueSource {
  readonly #queue: FakeQueue;
  readonly #options: QueueSourceOptions;
  #atWork = 0;
  #lookAtMs = Infinity;

  constructor(queue: FakeQueue, options: QueueSourceOptions) {
    this.#queue = queue;
    this.#options = options;
  }

  /** There may be something to take. */
  look(afterMs = HAND_OVER_MS): void {
    const { agenda } = this.#options.network;
    const atMs = agenda.nowMs + afterMs;
    if (atMs >= this.#lookAtMs) return;
    this.#lookAtMs = atMs;
    agenda.in(afterMs, () => {
      if (this.#lookAtMs !== atMs) return;
      this.#lookAtMs = Infinity;
      this.#take();
    });
  }

  #take(): void {
    const { maxConcurrency, network } = this.#options;
    while (this.#atWork < maxConcurrency) {
      const Records = this.#queue.receive(QUEUE_BATCH);
      if (Records.length === 0) break;
      this.#count('receive', 1);
      this.#atWork++;
      void this.#work({ Records });
    }
    const nextAtMs = this.#queue.nextAtMs();
    if (nextAtMs !== undefined) this.look(nextAtMs - network.agenda.nowMs + HAND_OVER_MS);
  }

  async #work(event: SQSEvent): Promise<void> {
    const { batchItemFailures } = await this.#options.invoke(event);
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    const done = event.Records.filter(({ messageId }) => !failed.has(messageId));
    if (done.length > 0) this.#count('delete', 1);
    for (const { receiptHandle } of done) this.#queue.delete(receiptHandle);
    this.#atWork--;
    this.look();
  }

  #count(what: string, requests: number): void {
    this.#options.meter.add('queueRequests', `${kindOf(this.#queue)} ${what}`, requests);
  }
}

interface QueueSourceOptions {
  readonly network: Network;
  readonly meter: Meter;
  readonly maxConcurrency: number;
  readonly invoke: Invoke<SQSEvent, SQSBatchResponse>;
}

export function kindOf(queue: FakeQueue): 'fifo' | 'standard' {
  return queue.isFifo ? 'fifo' : 'standard';
}

interface StreamSourceOptions {
  readonly network: Network;
  readonly invoke: Invoke<{ Records: never[] }, DynamoDBBatchResponse>;
}

/** The table's stream: a shard's batches one after the other. */
export class StreamSource {
  readonly #options: StreamSourceOptions;
  readonly #shards = new Map<number, StreamEntry[]>();
  readonly #busy = new Set<number>();

  constructor(options: StreamSourceOptions) {
    this.#options = options;
  }

  take(entry: StreamEntry): void {
    if (!passesFilters(entry)) return;
    const waiting = this.#shards.get(entry.shard) ?? [];
    this.#shards.set(entry.shard, waiting);
    waiting.push(entry);
    this.#poll(entry.shard);
  }

  #poll(shard: number): void {
    if (this.#busy.has(shard)) return;
    this.#busy.add(shard);
    const { agenda } = this.#options.network;
    const pollMs = STREAM_POLL_MS - (agenda.nowMs % STREAM_POLL_MS);
    this.#wait(shard, pollMs + STREAM_WINDOW_SECONDS * 1000);
  }

  /** For the window, or for as many records as are handed over at most. */
  #wait(shard: number, leftMs: number): void {
    const waiting = this.#shards.get(shard) ?? [];
    if (leftMs <= 0 || waiting.length >= STREAM_BATCH) return void this.#work(shard);
    const waitMs = Math.min(leftMs, STREAM_POLL_MS);
    this.#options.network.agenda.in(waitMs, () => this.#wait(shard, leftMs - waitMs));
  }

  async #work(shard: number): Promise<void> {
    const waiting = this.#shards.get(shard) ?? [];
    const entries = waiting.splice(0, STREAM_BATCH);
    const Records = entries.map(recordOf) as never[];
    const { batchItemFailures } = await this.#options.invoke({ Records });
    if (batchItemFailures.length > 0) throw new Error('the router failed on the stream');
    this.#busy.delete(shard);
    if (waiting.length > 0) this.#poll(shard);
  }
}

/** The one filter there is: an object's record. Another kind would have to be learnt here. */
function passesFilters({ after }: StreamEntry): boolean {
  const [filter] = STREAM_FILTERS;
  const { NewImage = {} } = (filter?.['dynamodb'] ?? {}) as { NewImage?: object };
  return after !== undefined && Object.keys(NewImage).every((name) => after[name] !== undefined);
}

function recordOf({ before, after, sequence }: StreamEntry): object {
  const SequenceNumber = String(sequence);
  const images = { ...(before && { OldImage: before }), ...(after && { NewImage: after }) };
  return { eventSource: 'aws:dynamodb', dynamodb: { SequenceNumber, ...images } };
}
