/**
 * Streams, queues and events as they are: late, twice, out of order, and some of them not at all.
 * Notes what was ever sent, so that it can come again.
 */
import type { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import type { JsonObject } from '../../../shared/api/json.ts';
import type { WorkMessage } from '../../../shared/ports/queue.ts';
import type { Agenda } from '../../world/agenda.ts';
import type { Channel, Post } from '../../world/post.ts';
import { type Faults, shortly } from './faults.ts';

const DUPLICATE_MS = 20_000;
const LATE_MS = 60_000;

/** More than a run sends; a bound all the same. */
const MAX_NOTED = 20_000;

type QueueChannel = Exclude<Channel, 'stream'>;

export interface Sent {
  readonly channel: QueueChannel;
  readonly message: WorkMessage;
}

export class FaultyPost implements Post {
  readonly #faults: Faults;
  readonly #agenda: Agenda;
  readonly #sent = new Map<string, Sent>();
  /** No change is told before. */
  stalledUntilMs = 0;

  constructor(faults: Faults, agenda: Agenda) {
    this.#faults = faults;
    this.#agenda = agenda;
  }

  /** Every message that ever was, each once. */
  get sent(): readonly Sent[] {
    return [...this.#sent.values()];
  }

  arrivals(channel: Channel): readonly number[] {
    switch (channel) {
      case 'stream':
        return this.#afterStall(
          this.#drawn('streamLoss', 'streamDelay', 'streamDuplicate', LATE_MS, DUPLICATE_MS),
        );
      case 'health':
        return this.#drawn('healthLoss', 'healthDelay', 'healthDuplicate', LATE_MS, LATE_MS);
      case 'schedule':
        return this.#faults.hits('scheduleTwin') ? [0, 0] : [0];
      case 'reconcile':
        if (this.#faults.hits('queueTwin')) return [0, 0];
        return this.#drawn(undefined, 'queueDelay', 'queueDuplicate', DUPLICATE_MS, DUPLICATE_MS);
    }
  }

  sending(channel: QueueChannel, messages: readonly WorkMessage[]): readonly WorkMessage[] {
    const kept = messages.filter(({ delayMs = 0 }) => {
      const isTimer = delayMs > 0 && channel !== 'health';
      return !(isTimer && this.#faults.hits('timerLoss', channel));
    });
    const all = channel === 'health' ? kept.flatMap((message) => this.#garbled(message)) : kept;
    for (const message of all) this.#note(channel, message);
    return all;
  }

  #note(channel: QueueChannel, { group, body }: WorkMessage): void {
    if (this.#sent.size >= MAX_NOTED) return;
    this.#sent.set(`${channel} ${body}`, { channel, message: { group, body } });
  }

  /** The message, and a wrong one beside it. */
  #garbled(message: WorkMessage): readonly WorkMessage[] {
    const random = this.#faults.hits('healthGarbled');
    if (!random) return [message];
    const wrong = { group: `${message.group}~`, body: spoilt(message.body, random) };
    return [message, wrong];
  }

  #drawn(
    loss: 'streamLoss' | 'healthLoss' | undefined,
    delay: 'streamDelay' | 'healthDelay' | 'queueDelay',
    duplicate: 'streamDuplicate' | 'healthDuplicate' | 'queueDuplicate',
    lateMs: number,
    againMs: number,
  ): readonly number[] {
    if (loss && this.#faults.hits(loss)) return [];
    const late = this.#faults.hits(delay);
    const again = this.#faults.hits(duplicate);
    return [late ? shortly(late, lateMs) : 0, ...(again ? [shortly(again, againMs)] : [])];
  }

  #afterStall(delaysMs: readonly number[]): readonly number[] {
    const leftMs = Math.max(0, this.stalledUntilMs - this.#agenda.nowMs);
    return delaysMs.map((ms) => ms + leftMs);
  }
}

/** One field of the message is gone, or of another type. */
function spoilt(body: string, random: SeededRandom): string {
  const message = JSON.parse(body) as JsonObject;
  const inner = (message['task'] ?? message['detail'] ?? message) as Record<string, unknown>;
  const field = random.pick(Object.keys(inner));
  if (random.chance(0.5)) Reflect.deleteProperty(inner, field);
  else inner[field] = random.pick([-1, '', null, [], {}, 1e300]);
  return JSON.stringify(message);
}
