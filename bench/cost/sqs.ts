/**
 * Queues in memory that answer the SDK's requests: FIFO ones keep the order of a group, hold it up
 * while a message of it is in flight, and drop what came before under the same deduplication id.
 * Who takes messages out is a function's event source mapping (installation.ts).
 */
import type { SQSRecord } from 'aws-lambda';

/** SQS remembers a deduplication id for so long. */
const DEDUPLICATION_MS = 300_000;

export interface SentEntry {
  readonly Id?: string;
  readonly MessageBody: string;
  readonly MessageGroupId?: string;
  readonly MessageDeduplicationId?: string;
  readonly DelaySeconds?: number;
  readonly MessageAttributes?: Record<string, { readonly StringValue?: string }>;
}

interface Message {
  readonly record: SQSRecord;
  readonly group: string;
  readonly sequence: number;
  visibleAtMs: number;
  receives: number;
}

export class FakeQueue {
  readonly name: string;
  readonly #now: () => number;
  readonly #messages = new Map<string, Message>();
  readonly #inFlight = new Map<string, Message>();
  readonly #seen = new Map<string, number>();
  #sequence = 0;

  constructor(name: string, now: () => number) {
    this.name = name;
    this.#now = now;
  }

  get isFifo(): boolean {
    return this.name.endsWith('.fifo');
  }

  send(entry: SentEntry): string {
    const nowMs = this.#now();
    const id = `${this.name}-${++this.#sequence}`;
    const group = entry.MessageGroupId ?? id;
    if (this.#isRepeat(entry, group, nowMs)) return id;
    this.#messages.set(id, {
      record: recordOf(entry, id, nowMs),
      group,
      sequence: this.#sequence,
      visibleAtMs: nowMs + (entry.DelaySeconds ?? 0) * 1000,
      receives: 0,
    });
    return id;
  }

  #isRepeat({ MessageDeduplicationId: id }: SentEntry, group: string, nowMs: number): boolean {
    if (id === undefined) return false;
    const text = `${group} ${id}`;
    const seenMs = this.#seen.get(text) ?? -Infinity;
    if (nowMs - seenMs < DEDUPLICATION_MS) return true;
    this.#seen.set(text, nowMs);
    return false;
  }

  /** When the next message may be taken that can't be now; undefined when there is none. */
  nextAtMs(): number | undefined {
    const times = [...this.#messages.values()].map(({ visibleAtMs }) => visibleAtMs);
    const later = times.filter((atMs) => atMs > this.#now());
    return later.length > 0 ? Math.min(...later) : undefined;
  }

  receive(max: number): SQSRecord[] {
    const busy = new Set([...this.#inFlight.values()].map(({ group }) => group));
    const taken: Message[] = [];
    for (const message of this.#messages.values()) {
      if (taken.length === max) break;
      if (busy.has(message.group)) continue;
      // A group's later messages wait for an earlier one that is not visible yet.
      if (message.visibleAtMs > this.#now()) {
        if (this.isFifo) busy.add(message.group);
        continue;
      }
      taken.push(message);
    }
    return taken.map((message) => this.#take(message));
  }

  #take(message: Message): SQSRecord {
    const { record } = message;
    this.#messages.delete(record.messageId);
    this.#inFlight.set(record.receiptHandle, message);
    message.receives++;
    const ApproximateReceiveCount = String(message.receives);
    return { ...record, attributes: { ...record.attributes, ApproximateReceiveCount } };
  }

  delete(receipt: string): void {
    this.#inFlight.delete(receipt);
  }

  /** Comes again then; its place in its group is kept. */
  changeVisibility(receipt: string, seconds: number): void {
    const message = this.#inFlight.get(receipt);
    if (!message) return;
    this.#inFlight.delete(receipt);
    message.visibleAtMs = this.#now() + seconds * 1000;
    const rest = [...this.#messages.values(), message].sort((a, b) => a.sequence - b.sequence);
    this.#messages.clear();
    for (const one of rest) this.#messages.set(one.record.messageId, one);
  }
}

function recordOf(entry: SentEntry, id: string, nowMs: number): SQSRecord {
  const attributes = Object.entries(entry.MessageAttributes ?? {}).map(([name, value]) => {
    return [name, { stringValue: value.StringValue, dataType: 'String' }] as const;
  });
  return {
    messageId: id,
    receiptHandle: id,
    body: entry.MessageBody,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(nowMs),
      ...(entry.MessageGroupId !== undefined && { MessageGroupId: entry.MessageGroupId }),
    } as SQSRecord['attributes'],
    messageAttributes: Object.fromEntries(attributes),
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: '',
    awsRegion: '',
  };
}
