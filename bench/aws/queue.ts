/**
 * A queue of SQS and the functions that it feeds, in model time: batches of ten across groups, a
 * group held up while a message of it is in flight, equal messages of one cause dropped, failed
 * ones again after their own time. Owns whose turn it is; the handlers are the product's.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Queue, WorkMessage } from '../../shared/ports/queue.ts';
import type { Visibility } from '../../lambdas/_kit/sqs.ts';
import type { Agenda } from '../../test/world/agenda.ts';
import { virtualClock } from '../../test/world/agenda.ts';
import { HAND_OVER_MS, INVOKE_MS, QUEUE_MS, SEND_MS } from './latency.ts';
import type { Counts } from './counts.ts';

/** SQS remembers a deduplication id for so long. */
const DEDUPLICATION_MS = 300_000;
/** What SQS takes in a call, and Lambda gives a function. */
const BATCH = 10;

export type Handle = (event: SQSEvent) => Promise<SQSBatchResponse>;

interface Message {
  readonly group: string;
  readonly record: SQSRecord;
  receives: number;
  /** When a delivery that failed comes again. */
  againAtMs: number;
}

interface Group {
  readonly name: string;
  readonly waiting: Message[];
  inFlight: number;
  isReady: boolean;
}

export interface ModelQueueOptions {
  readonly name: string;
  readonly agenda: Agenda;
  readonly counts: Counts;
  /** One handler for each function that may work at a time. */
  readonly handlers: readonly Handle[];
  readonly visibilityMs: number;
}

export class ModelQueue {
  readonly #options: ModelQueueOptions;
  readonly #groups = new Map<string, Group>();
  readonly #ready: Group[] = [];
  readonly #idle: Handle[];
  readonly #seenAtMs = new Map<string, number>();
  readonly #inFlight = new Map<string, Message>();
  #sent = 0;
  #isLooking = false;

  constructor(options: ModelQueueOptions) {
    this.#options = options;
    this.#idle = [...options.handlers];
  }

  /** Whether nothing waits or is under way. */
  get isIdle(): boolean {
    return this.#groups.size === 0;
  }

  /** As a process reaches it: a call for each ten messages. */
  port(): Queue {
    const { agenda, counts, name } = this.#options;
    const clock = virtualClock(agenda);
    const never = () => Promise.reject(new Error('functions are handed their messages'));
    return {
      send: async (messages) => {
        for (let from = 0; from < messages.length; from += BATCH) {
          counts.add('queue', `${name} send`);
          await clock.delay(from === 0 ? SEND_MS : QUEUE_MS);
          for (const message of messages.slice(from, from + BATCH)) this.#take(message);
        }
      },
      receive: never,
      ack: never,
      release: never,
      deadLetters: async () => [],
    };
  }

  visibility(): Visibility {
    const { agenda, counts, name } = this.#options;
    return {
      comeAgain: async (receipts, delayMs) => {
        counts.add('queue', `${name} visibility`);
        await virtualClock(agenda).delay(QUEUE_MS);
        const againAtMs = agenda.nowMs + Math.ceil(delayMs / 1000) * 1000;
        for (const receipt of receipts) {
          const message = this.#inFlight.get(receipt);
          if (message) message.againAtMs = againAtMs;
        }
      },
    };
  }

  /** A delayed message waits in the health queue, and is forwarded by its function when due. */
  #take(message: WorkMessage): void {
    const { delayMs = 0 } = message;
    if (delayMs <= 0) return this.put(message);
    const { agenda, counts } = this.#options;
    counts.add('invocation', 'health (timers)', 1 / BATCH);
    const waitMs = Math.ceil(delayMs / 1000) * 1000 + HAND_OVER_MS + INVOKE_MS + QUEUE_MS;
    agenda.in(waitMs, () => this.put(message));
  }

  put({ group, body, cause }: WorkMessage): void {
    const { agenda } = this.#options;
    if (cause !== undefined && this.#isSeen(`${group.length} ${group} ${body} ${cause}`)) return;
    const messageId = String(++this.#sent);
    const record = {
      messageId,
      receiptHandle: messageId,
      body,
      attributes: { MessageGroupId: group, SentTimestamp: String(agenda.nowMs) },
    } as unknown as SQSRecord;
    this.#enqueue({ group, record, receives: 0, againAtMs: 0 });
  }

  #isSeen(id: string): boolean {
    const { nowMs } = this.#options.agenda;
    const atMs = this.#seenAtMs.get(id);
    if (atMs !== undefined && nowMs - atMs < DEDUPLICATION_MS) return true;
    this.#seenAtMs.set(id, nowMs);
    return false;
  }

  #enqueue(message: Message): void {
    const known = this.#groups.get(message.group);
    const group = known ?? { name: message.group, waiting: [], inFlight: 0, isReady: false };
    if (!known) this.#groups.set(message.group, group);
    if (message.receives > 0) group.waiting.unshift(message);
    else group.waiting.push(message);
    this.#offer(group);
  }

  #offer(group: Group): void {
    if (group.inFlight > 0 || group.isReady) return;
    if (group.waiting.length === 0) {
      this.#groups.delete(group.name);
      return;
    }
    group.isReady = true;
    this.#ready.push(group);
    this.#look();
  }

  #look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#options.agenda.in(HAND_OVER_MS, () => {
      this.#isLooking = false;
      while (this.#idle.length > 0 && this.#ready.length > 0) this.#hand();
    });
  }

  #hand(): void {
    const batch: Message[] = [];
    while (batch.length < BATCH) {
      const group = this.#ready.shift();
      if (!group) break;
      group.isReady = false;
      const taken = group.waiting.splice(0, BATCH - batch.length);
      group.inFlight = taken.length;
      batch.push(...taken);
    }
    const handle = this.#idle.shift();
    if (batch.length > 0 && handle) void this.#invoke(handle, batch);
  }

  async #invoke(handle: Handle, batch: readonly Message[]): Promise<void> {
    const { agenda, counts, name, visibilityMs } = this.#options;
    counts.add('invocation', name);
    for (const message of batch) {
      message.receives++;
      message.againAtMs = agenda.nowMs + visibilityMs;
      this.#inFlight.set(message.record.receiptHandle, message);
      message.record.attributes.ApproximateReceiveCount = String(message.receives);
    }
    await virtualClock(agenda).delay(INVOKE_MS);
    const { batchItemFailures } = await handle({ Records: batch.map(({ record }) => record) });
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    this.#idle.push(handle);
    for (const message of batch) {
      const waitMs = failed.has(message.record.messageId)
        ? Math.max(0, message.againAtMs - agenda.nowMs)
        : undefined;
      if (waitMs === undefined) this.#landed(message);
      else agenda.in(waitMs, () => this.#landed(message, true));
    }
    this.#look();
  }

  #landed(message: Message, comesAgain = false): void {
    this.#inFlight.delete(message.record.receiptHandle);
    const group = this.#groups.get(message.group);
    if (!group) return;
    group.inFlight--;
    if (comesAgain && message.receives < MAX_RECEIVES) group.waiting.unshift(message);
    else if (comesAgain) this.#options.counts.add('queue', `${this.#options.name} dead letters`);
    this.#offer(group);
  }
}

const MAX_RECEIVES = 8;
