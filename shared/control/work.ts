/** What becomes of a message once its work has an outcome. */
import type { Delivery, Queue, WorkMessage } from '../ports/queue.ts';
import type { Outcome } from './controller.ts';
import { retryDelayMs } from './outcome.ts';

/** No delay is longer than SQS can hold one (15 min); a longer wait looks again and waits on. */
export const MAX_DELAY_MS = 900_000;

/** The same work, later. */
export function delayedAgain({ group, body }: WorkMessage, ms: number): WorkMessage {
  return { group, body, delayMs: Math.min(ms, MAX_DELAY_MS) };
}

/**
 * Acknowledges, re-sends with a delay, or releases the message. Terminal work ends here; it has
 * been reported.
 */
export async function settle(queue: Queue, delivery: Delivery, outcome: Outcome): Promise<void> {
  switch (outcome.type) {
    case 'done':
    case 'terminal':
      return queue.ack(delivery);
    case 'after': {
      // Sent before it is acknowledged: a crash in between wakes twice rather than never.
      await queue.send([delayedAgain(delivery, outcome.ms)]);
      return queue.ack(delivery);
    }
    case 'retry':
      return queue.release(delivery, retryDelayMs(delivery.receives));
  }
}
