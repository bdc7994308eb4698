/**
 * What a process sends to a queue at about the same time goes together: a request is paid for,
 * whether it carries one message or ten. A function that works on ten keys side by side sends as
 * many wakes within some milliseconds.
 *
 * Invariants:
 *  O1 Who sends hears of its own messages: of one that is refused, nobody else does.
 *  O2 Equal messages of a bundle are one, as the port allows; under the last one's cause.
 */
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Clock } from '../../../shared/ports/clock.ts';
import { failIfAny, type Refusals, sendEach } from './batches.ts';
import type { Entry } from './wire.ts';

export interface Gathering {
  readonly clock: Clock;
  /** How long a message waits for others. */
  readonly ms: number;
}

interface Bundle {
  /** By what makes them equal. */
  readonly entries: Map<string, Entry>;
  readonly sent: Promise<Refusals>;
}

export class Outbox {
  readonly #client: SQSClient;
  readonly #url: string;
  readonly #gathering: Gathering | undefined;
  #open: Bundle | undefined;

  constructor(client: SQSClient, url: string, gathering: Gathering | undefined) {
    this.#client = client;
    this.#url = url;
    this.#gathering = gathering;
  }

  /** Throws `QueueUnavailable` or `MessageRefused`, with any part of the entries sent. */
  async send(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    const bundle = (this.#open ??= this.#begun());
    const keys = entries.map(keyOf);
    entries.forEach((entry, i) => bundle.entries.set(keys[i] ?? '', entry));
    const refusals = await bundle.sent;
    failIfAny(
      keys.flatMap((key) => bundle.entries.get(key) ?? []),
      refusals,
    );
  }

  #begun(): Bundle {
    const entries = new Map<string, Entry>();
    return { entries, sent: this.#later(entries) };
  }

  async #later(entries: ReadonlyMap<string, Entry>): Promise<Refusals> {
    await this.#gathering?.clock.delay(this.#gathering.ms);
    this.#open = undefined;
    return sendEach(this.#client, this.#url, [...entries.values()]);
  }
}

function keyOf({ MessageGroupId, MessageBody, MessageAttributes, DelaySeconds }: Entry): string {
  return JSON.stringify([MessageGroupId, MessageBody, MessageAttributes, DelaySeconds]);
}
