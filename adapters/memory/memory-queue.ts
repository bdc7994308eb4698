/**
 * The queue in memory: FIFO groups as SQS has them. Nothing runs by itself: what became due is
 * looked at when somebody calls, and the clock is asked for a wake-up only while somebody waits in
 * `receive`.
 *
 * Invariants:
 *  Q1 A group has messages of at most one batch in flight; it is in `#ready` exactly when
 *     it has none in flight and has waiting ones.
 *  Q2 At most one waiting and one delayed message have the same group and body.
 *  Q3 While a receiver waits, an alarm is set no later than the next thing that becomes due.
 */
import type { Clock } from '../../shared/ports/clock.ts';
import {
  type Delivery,
  MAX_RECEIVES,
  type Queue,
  type WorkMessage,
} from '../../shared/ports/queue.ts';
import { Fifo } from './fifo.ts';
import { type Timed, TimerHeap } from './timer-heap.ts';

export interface MemoryQueueOptions {
  readonly clock: Clock;
  /** How long a receiver may work on a delivery before somebody else gets it. */
  readonly visibilityMs?: number;
}

/** Longer than any handler takes, and short enough that a crash is made up for within minutes. */
const VISIBILITY_MS = 60_000;

/**
 * Dead letters are for people to look at: more than these nobody reads, and the oldest give way.
 */
const DEAD_LETTERS_KEPT = 10_000;

/**
 * A reason given: without one each abort makes an error with a stack, which costs more than all
 * else.
 */
const WOKEN = 'woken';

interface Message {
  readonly group: string;
  readonly body: string;
  /** Its place in the order of sending. */
  readonly order: number;
  receives: number;
}

interface Delayed extends Timed {
  readonly message: Message;
}

interface Flight {
  readonly message: Message;
  readonly expiresAtMs: number;
}

interface Group {
  readonly name: string;
  /** Handed out before and not done, in order of sending. They go before the waiting ones. */
  readonly returned: Message[];
  readonly waiting: Fifo<Message>;
  inFlight: number;
  isReady: boolean;
}

export class MemoryQueue implements Queue {
  readonly #clock: Clock;
  readonly #visibilityMs: number;
  /** Those with messages that wait or are in flight. */
  readonly #groups = new Map<string, Group>();
  readonly #ready = new Fifo<Group>();
  /** Every message in `returned` and `waiting` of a group, by `identity`. */
  readonly #waiting = new Map<string, Message>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #timers = new TimerHeap<Delayed>();
  /** By receipt; the oldest first, and so in order of expiry. */
  readonly #flights = new Map<string, Flight>();
  readonly #dead = new Fifo<WorkMessage>();
  /** Those who wait in `receive`; aborting wakes them. */
  readonly #receivers = new Set<AbortController>();
  #alarm: { readonly atMs: number; readonly stop: AbortController } | undefined;
  #sent = 0;
  #delivered = 0;
  #isClosed = false;

  constructor(options: MemoryQueueOptions) {
    this.#clock = options.clock;
    this.#visibilityMs = options.visibilityMs ?? VISIBILITY_MS;
  }

  async send(messages: readonly WorkMessage[]): Promise<void> {
    this.#collectDue();
    for (const { group, body, delayMs = 0 } of messages) {
      this.#enqueue({ group, body, order: this.#sent++, receives: 0 }, delayMs);
    }
  }

  async receive(max: number, waitMs: number): Promise<readonly Delivery[]> {
    const deadlineMs = this.#clock.nowMs() + waitMs;
    for (;;) {
      this.#collectDue();
      const batch = this.#take(max);
      const leftMs = deadlineMs - this.#clock.nowMs();
      if (batch.length > 0 || leftMs <= 0 || this.#isClosed) return batch;
      await this.#wait(leftMs);
    }
  }

  async ack(delivery: Delivery): Promise<void> {
    this.#collectDue();
    this.#land(delivery.receipt);
  }

  async release(delivery: Delivery, delayMs: number): Promise<void> {
    this.#collectDue();
    this.#giveBack(delivery.receipt, delayMs);
  }

  async deadLetters(max: number): Promise<readonly WorkMessage[]> {
    this.#collectDue();
    return [...this.#dead].slice(0, max);
  }

  /** How many messages wait, delayed ones with them. */
  size(): number {
    this.#collectDue();
    return this.#waiting.size + this.#timers.size;
  }

  /** How many messages are handed out and not done. */
  inFlight(): number {
    this.#collectDue();
    return this.#flights.size;
  }

  /** Those who wait in `receive`, and who will, get what there is at once. No timer is left. */
  close(): void {
    this.#isClosed = true;
    for (const receiver of this.#receivers) receiver.abort(WOKEN);
    this.#receivers.clear();
    this.#setAlarm();
  }

  #enqueue(message: Message, delayMs: number): void {
    if (delayMs > 0) this.#delay(message, this.#clock.nowMs() + delayMs);
    else this.#makeWait(message);
  }

  /** An equal one that is delayed as well is merged; the earlier time holds (Q2). */
  #delay(message: Message, atMs: number): void {
    const same = this.#delayed.get(identity(message));
    if (same) this.#timers.delete(same);
    const receives = Math.max(message.receives, same?.message.receives ?? 0);
    const delayed = {
      atMs: Math.min(atMs, same?.atMs ?? atMs),
      message: { ...message, receives },
    };
    this.#delayed.set(identity(message), delayed);
    this.#timers.add(delayed);
    this.#setAlarm();
  }

  /**
   * An equal one that waits takes it in, with its count of deliveries, so that a poison is still
   * found out (Q2).
   */
  #makeWait(message: Message): void {
    const same = this.#waiting.get(identity(message));
    if (same) {
      same.receives = Math.max(same.receives, message.receives);
      return;
    }
    this.#waiting.set(identity(message), message);
    const group = this.#group(message.group);
    if (message.receives > 0) insertInOrder(group.returned, message);
    else group.waiting.push(message);
    this.#offer(group);
  }

  #group(name: string): Group {
    const known = this.#groups.get(name);
    if (known) return known;
    const group = { name, returned: [], waiting: new Fifo<Message>(), inFlight: 0, isReady: false };
    this.#groups.set(name, group);
    return group;
  }

  /** Makes the group ready if it now is, or forgets it if it is empty (Q1). */
  #offer(group: Group): void {
    if (group.inFlight > 0 || group.isReady) return;
    if (group.returned.length + group.waiting.size === 0) {
      this.#groups.delete(group.name);
      return;
    }
    group.isReady = true;
    this.#ready.push(group);
    const [receiver] = this.#receivers;
    if (!receiver) return;
    this.#receivers.delete(receiver);
    receiver.abort(WOKEN);
  }

  #take(max: number): Delivery[] {
    const batch: Delivery[] = [];
    while (batch.length < max) {
      const group = this.#ready.shift();
      if (!group) break;
      group.isReady = false;
      while (batch.length < max) {
        const message = group.returned.shift() ?? group.waiting.shift();
        if (!message) break;
        batch.push(this.#deliver(group, message));
      }
    }
    if (batch.length > 0) this.#setAlarm();
    return batch;
  }

  #deliver(group: Group, message: Message): Delivery {
    this.#waiting.delete(identity(message));
    group.inFlight++;
    message.receives++;
    const receipt = String(++this.#delivered);
    this.#flights.set(receipt, {
      message,
      expiresAtMs: this.#clock.nowMs() + this.#visibilityMs,
    });
    return { group: group.name, body: message.body, receipt, receives: message.receives };
  }

  /** Ends a flight; undefined when it has ended before. */
  #land(receipt: string): Message | undefined {
    const flight = this.#flights.get(receipt);
    if (!flight) return undefined;
    this.#flights.delete(receipt);
    const group = this.#group(flight.message.group);
    group.inFlight--;
    this.#offer(group);
    return flight.message;
  }

  #giveBack(receipt: string, delayMs: number): void {
    const message = this.#land(receipt);
    if (!message) return;
    if (message.receives < MAX_RECEIVES) {
      this.#enqueue(message, delayMs);
      return;
    }
    this.#dead.push({ group: message.group, body: message.body });
    if (this.#dead.size > DEAD_LETTERS_KEPT) this.#dead.shift();
  }

  /** Takes in what became due: delayed messages, and flights that nobody ended. */
  #collectDue(): void {
    const nowMs = this.#clock.nowMs();
    for (;;) {
      const delayed = this.#timers.takeDue(nowMs);
      if (!delayed) break;
      this.#delayed.delete(identity(delayed.message));
      this.#makeWait(delayed.message);
    }
    for (const [receipt, flight] of this.#flights) {
      if (flight.expiresAtMs > nowMs) break;
      this.#giveBack(receipt, 0);
    }
  }

  /** Until there may be something to receive, or the time is over. */
  async #wait(ms: number): Promise<void> {
    const receiver = new AbortController();
    this.#receivers.add(receiver);
    this.#setAlarm();
    await this.#clock.delay(ms, receiver.signal);
    this.#receivers.delete(receiver);
    this.#setAlarm();
  }

  /** Keeps Q3. An alarm that is too early is left to ring: it sets the next one. */
  #setAlarm(): void {
    const atMs = this.#receivers.size === 0 ? Infinity : this.#nextDueMs();
    if (this.#alarm && this.#alarm.atMs <= atMs && atMs < Infinity) return;
    this.#alarm?.stop.abort(WOKEN);
    this.#alarm = undefined;
    if (atMs === Infinity) return;
    const alarm = { atMs, stop: new AbortController() };
    this.#alarm = alarm;
    void this.#clock.delay(atMs - this.#clock.nowMs(), alarm.stop.signal).then(() => {
      if (this.#alarm !== alarm) return;
      this.#alarm = undefined;
      this.#collectDue();
      this.#setAlarm();
    });
  }

  #nextDueMs(): number {
    const [oldest] = this.#flights.values();
    return Math.min(this.#timers.first?.atMs ?? Infinity, oldest?.expiresAtMs ?? Infinity);
  }
}

/** Different pairs never share a text: the length says where the group's name ends. */
function identity({ group, body }: Message): string {
  return `${group.length}:${group}${body}`;
}

function insertInOrder(messages: Message[], message: Message): void {
  const place = messages.findLastIndex((other) => other.order < message.order) + 1;
  messages.splice(place, 0, message);
}
