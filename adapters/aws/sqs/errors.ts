/**
 * What SQS's errors mean to the queue's port: not now, never, or a mistake of ours that is shown as
 * it is (a queue that is not there, a right that is missing).
 */
import { MessageRefused, QueueUnavailable } from '../../../shared/ports/queue.ts';
import { isNotNow } from '../sdk-errors.ts';

/** Beside what throttles at other services: SQS's own limits of a queue. */
const THROTTLED = /Throttl|TooManyRequests|RequestLimitExceeded|LimitExceeded|SlowDown|OverLimit/;
const REFUSED = /^(InvalidMessageContents|BatchRequestTooLong)/;
/** Of a receipt: used up, expired, or its message is visible to others again. */
const ENDED = /^(ReceiptHandleIsInvalid|MessageNotInflight|InvalidParameterValue)/;

/** Does the call; its errors come as the port's. */
export async function calling<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw asPortError(thrown);
  }
}

/** Does a call about a delivery: one that has ended is nothing to complain about. */
export async function unlessEnded(call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (thrown) {
    if (thrown instanceof Error && hasEnded(thrown.name)) return;
    throw asPortError(thrown);
  }
}

export function isThrottling(code: string): boolean {
  return THROTTLED.test(code);
}

export function hasEnded(code: string): boolean {
  return ENDED.test(code);
}

function asPortError(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const text = `${thrown.name}: ${thrown.message}`;
  if (isThrottling(thrown.name) || isNotNow(thrown)) {
    return new QueueUnavailable(text, { cause: thrown });
  }
  if (REFUSED.test(thrown.name)) return new MessageRefused(text, { cause: thrown });
  return thrown;
}
