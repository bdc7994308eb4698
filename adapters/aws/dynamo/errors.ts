/** What DynamoDB's errors mean to the store: not now, not as expected, or a mistake of ours. */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import type { Item } from './item.ts';

/** The parts of the SDK's errors that we read; errors of the network have a `code`, no status. */
interface SdkError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: object;
}

const THROTTLED = /Throttl|ThroughputExceeded|RequestLimitExceeded|LimitExceeded|SlowDown/;
const TIMED_OUT = /^(AbortError|TimeoutError|RequestTimeout)/;
/** ECONNRESET and the like; Node's own complaints begin with ERR_. */
const SYSTEM_ERROR = /^E(?!RR_)/;

/** Throttled, timed out or down: it may or may not have happened, and can be asked for again. */
export function isNotNow(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { name, code = '', $metadata, $retryable } = thrown as SdkError;
  if (THROTTLED.test(name) || TIMED_OUT.test(name)) return true;
  if (($metadata?.httpStatusCode ?? 0) >= 500) return true;
  return $retryable !== undefined || SYSTEM_ERROR.test(code);
}

/** Whether the condition of a write did not hold. */
export function isRefused(thrown: unknown): thrown is ConditionalCheckFailedException {
  return thrown instanceof ConditionalCheckFailedException;
}

/** The item that the condition did not hold for; undefined when there is none. */
export function refusedBy(thrown: ConditionalCheckFailedException): Item | undefined {
  return thrown.Item && Object.keys(thrown.Item).length > 0 ? thrown.Item : undefined;
}
