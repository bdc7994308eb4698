/** Errors of the SDK's clients, whichever service they come from. */

/** The parts that we read; errors of the network have a `code` and no status. */
interface SdkError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: object;
}

const THROTTLED = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/;
/** ECONNRESET and the like; Node's own complaints begin with ERR_. */
const SYSTEM_ERROR = /^E(?!RR_)/;

/** The caller asked too often; nothing happened. */
export function isThrottling({ name }: Error): boolean {
  return THROTTLED.test(name);
}

/** The service did not answer, was throttled, or is unwell: another time may do better. */
export function isNotNow(error: SdkError): boolean {
  const status = error.$metadata?.httpStatusCode;
  if (isThrottling(error) || error.$retryable !== undefined) return true;
  if (status !== undefined && status >= 400) return status === 429 || status >= 500;
  return error.name === 'TimeoutError' || SYSTEM_ERROR.test(error.code ?? '');
}
