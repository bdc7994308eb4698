/**
 * Queues in memory that answer the SDK's requests: FIFO ones keep the order of a group, hold it up
 * while a message of it is in flight, and drop what came before under the same deduplication id.
 * Who takes messages out is a function's event source mapping (installation.ts).
 */
import { createHash } from 'node:crypto';
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

/** A message that was handed out, under the receipt of this time. */
interface Flight {
  readonly message: Message;
  expiresAtMs: number;
}

export interface QueueSettings {
  /** How long a message stays with whoever received it; for ever if absent. */
  readonly visibilityMs?: number;
  /** What was received so often goes there, when it would be received once more. */
  readonly redrive?: { readonly maxReceives: number; readonly to: FakeQueue };
}

export class FakeQueue {
  readonly name: string;
  readonly #now: () => number;
  readonly #settings: QueueSettings;
  /** In order of sending. */
  #messages: Message[] = [];
  readonly #inFlight = new Map<string, Flight>();
  readonly #seen = new Map<string, { readonly id: string; readonly atMs: number }>();
  #sequence = 0;

  constructor(name: string, now: () => number, settings: QueueSettings = {}) {
    this.name = name;
    this.#now = now;
    this.#settings = settings;
  }

  get isFifo(): boolean {
    return this.name.endsWith('.fifo');
  }

  /** The message's id: of an equal one that came before, if there is one. */
  send(entry: SentEntry): string {
    const nowMs = this.#now();
    const id = `${this.name}-${++this.#sequence}`;
    const group = entry.MessageGroupId ?? id;
    const earlier = this.#earlier(entry, group, id);
    if (earlier !== undefined) return earlier;
    this.#messages.push({
      record: recordOf(entry, id, nowMs),
      group,
      sequence: this.#sequence,
      visibleAtMs: nowMs + (entry.DelaySeconds ?? 0) * 1000,
      receives: 0,
    });
    return id;
  }

  /** In a FIFO queue of ours what names no id goes by its content. */
  #earlier(entry: SentEntry, group: string, id: string): string | undefined {
    if (!this.isFifo) return undefined;
    const nowMs = this.#now();
    const text = `${group} ${entry.MessageDeduplicationId ?? sha256(entry.MessageBody)}`;
    const seen = this.#seen.get(text);
    if (seen && nowMs - seen.atMs < DEDUPLICATION_MS) return seen.id;
    this.#seen.set(text, { id, atMs: nowMs });
    return undefined;
  }

  /** When the next message may be taken that can't be now; undefined when there is none. */
  nextAtMs(): number | undefined {
    const times = [
      ...this.#messages.map(({ visibleAtMs }) => visibleAtMs),
      ...[...this.#inFlight.values()].map(({ expiresAtMs }) => expiresAtMs),
    ];
    const later = times.filter((atMs) => atMs > this.#now() && atMs < Infinity);
    return later.length > 0 ? Math.min(...later) : undefined;
  }

  receive(max: number, visibilityMs = this.#settings.visibilityMs ?? Infinity): SQSRecord[] {
    this.#takeBack();
    const busy = new Set([...this.#inFlight.values()].map(({ message }) => message.group));
    const taken: Message[] = [];
    for (const message of [...this.#messages]) {
      if (taken.length === max) break;
      if (busy.has(message.group)) continue;
      // A group's later messages wait for an earlier one that is not visible yet.
      if (message.visibleAtMs > this.#now()) {
        if (this.isFifo) busy.add(message.group);
        continue;
      }
      if (!this.#isBuried(message)) taken.push(message);
    }
    return taken.map((message) => this.#take(message, this.#now() + visibilityMs));
  }

  #isBuried(message: Message): boolean {
    const { redrive } = this.#settings;
    if (!redrive || message.receives < redrive.maxReceives) return false;
    this.#remove(message);
    const { receives } = message;
    redrive.to.#messages.push({ ...message, sequence: ++redrive.to.#sequence, receives });
    return true;
  }

  #take(message: Message, expiresAtMs: number): SQSRecord {
    const { record } = message;
    this.#remove(message);
    message.receives++;
    const receiptHandle = `${record.messageId}/${message.receives}`;
    this.#inFlight.set(receiptHandle, { message, expiresAtMs });
    const ApproximateReceiveCount = String(message.receives);
    const attributes = { ...record.attributes, ApproximateReceiveCount };
    return { ...record, receiptHandle, attributes };
  }

  /**
   * False when the message is there, and the receipt no longer its own: a FIFO queue refuses that,
   * where a standard one ignores it. Deleting twice is no mistake.
   */
  delete(receipt: string): boolean {
    this.#takeBack();
    if (this.#inFlight.delete(receipt) || !this.isFifo) return true;
    const id = receipt.split('/')[0] ?? '';
    const flights = [...this.#inFlight.values()].map(({ message }) => message);
    return ![...this.#messages, ...flights].some(({ record }) => record.messageId === id);
  }

  /** Comes again then; its place in its group is kept. False when the receipt has ended. */
  changeVisibility(receipt: string, seconds: number): boolean {
    this.#takeBack();
    const flight = this.#inFlight.get(receipt);
    if (!flight) return false;
    flight.expiresAtMs = this.#now() + seconds * 1000;
    this.#takeBack();
    return true;
  }

  /** What nobody ended in time. */
  #takeBack(): void {
    const nowMs = this.#now();
    const over = [...this.#inFlight].filter(([, { expiresAtMs }]) => expiresAtMs <= nowMs);
    if (over.length === 0) return;
    for (const [receipt, { message, expiresAtMs }] of over) {
      this.#inFlight.delete(receipt);
      message.visibleAtMs = expiresAtMs;
      this.#messages.push(message);
    }
    this.#messages.sort((a, b) => a.sequence - b.sequence);
  }

  #remove(message: Message): void {
    this.#messages.splice(this.#messages.indexOf(message), 1);
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
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
