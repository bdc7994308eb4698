/**
 * Work to do, as keys. Messages of one group are handed out one batch at a time and in order of
 * sending; different groups are independent. Delivery is at least once; a message that is not
 * acknowledged comes again. A message equal to one that is still waiting in its group may be merged
 * into it, and then comes at the earlier time of the two. A delivery whose visibility has ended
 * belongs to whoever gets it next: `ack` and `release` of it do nothing. Every method may throw
 * `QueueUnavailable`.
 */
export interface Queue {
  /**
   * Takes the messages on. When it throws, any part of them may have been taken on. Throws
   * `MessageRefused`.
   */
  send(messages: readonly WorkMessage[]): Promise<void>;
  /** Up to `max` messages, waiting up to `waitMs` for the first. Empty when there was none. */
  receive(max: number, waitMs: number): Promise<readonly Delivery[]>;
  /** Done with: it does not come again. Acknowledging twice is harmless. */
  ack(delivery: Delivery): Promise<void>;
  /**
   * Not done: it comes again after `delayMs`; later ones of its group may wait with it. After
   * `MAX_RECEIVES` deliveries it goes to the dead letters.
   */
  release(delivery: Delivery, delayMs: number): Promise<void>;
  /** Messages that were given up on, oldest first. */
  deadLetters(max: number): Promise<readonly WorkMessage[]>;
}

export interface WorkMessage {
  readonly group: string;
  readonly body: string;
  /** Not before this long from now. Delayed messages do not hold back later ones of their group. */
  readonly delayMs?: number;
  /**
   * What it is sent for, such as the version of a change. A message that equals an earlier one in
   * group, body and cause may be dropped, worked on or not: whoever took the first up began after
   * the cause. Without a cause nothing is dropped.
   */
  readonly cause?: string;
}

export interface Delivery extends WorkMessage {
  readonly receipt: string;
  /** 1 at the first delivery. */
  readonly receives: number;
}

/**
 * As AWS advises for a queue that feeds a function: at least 5, so that throttling alone loses
 * nothing.
 */
export const MAX_RECEIVES = 8;

/** Not now: throttled, timed out or down. It may have taken effect. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

/** Never, as it is: longer than the queue takes, empty, or of characters that it can't carry. */
export class MessageRefused extends Error {
  override readonly name = 'MessageRefused';
}
