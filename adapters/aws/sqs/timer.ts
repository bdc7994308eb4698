/**
 * Delayed messages. A FIFO queue can't delay one, so that it waits in a standard queue, in an
 * envelope that says where it goes when it is due. On AWS that is the health queue.
 */
import { MessageRefused, type WorkMessage } from '../../../shared/ports/queue.ts';
import { type Entry, sendable } from './wire.ts';

/** The queues that timers lead to. */
export type QueueName = 'reconcile' | 'schedule';

/** SQS's longest delay: 15 minutes. */
const MAX_DELAY_SECONDS = 900;

export interface Timer {
  readonly queue: QueueName;
  readonly message: WorkMessage;
}

/**
 * The message for the timers queue; SQS counts whole seconds. Throws `MessageRefused` when the
 * delay is too long.
 */
export function timerEntry(
  queue: QueueName,
  { group, body, cause, delayMs = 0 }: WorkMessage,
): Entry {
  const seconds = Math.ceil(delayMs / 1000);
  if (seconds > MAX_DELAY_SECONDS) {
    throw new MessageRefused(`a delay of ${seconds} s; SQS takes ${MAX_DELAY_SECONDS} s`);
  }
  const text = JSON.stringify({ queue, group, body, cause });
  return sendable({ MessageBody: text, DelaySeconds: seconds });
}

/**
 * The message that is due; undefined when the text is none of ours. `id` is the timer's: forwarded
 * twice, the second is dropped, unless the message has a cause of its own to go by.
 */
export function timerOf(text: string, id: string): Timer | undefined {
  const value = parsed(text);
  const { queue, group, body, cause } = value ?? {};
  if (queue !== 'reconcile' && queue !== 'schedule') return undefined;
  if (typeof group !== 'string' || typeof body !== 'string') return undefined;
  const own = typeof cause === 'string' ? cause : `timer ${id}`;
  return { queue, message: { group, body, cause: own } };
}

function parsed(text: string): { readonly [name: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    return value as { readonly [name: string]: unknown };
  } catch {
    return undefined;
  }
}
