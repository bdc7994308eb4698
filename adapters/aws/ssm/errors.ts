/**
 * What SSM's errors mean to the vault's port. Nothing of the SDK's error goes on but its name and
 * status: a validation error may quote the value that it refuses, and the error object holds the
 * response. Only what a denial says is kept: it names a role and a resource, and its reader needs
 * both.
 */
import { VaultUnavailable } from '../../../shared/ports/vault.ts';
import { isNotNow } from '../sdk-errors.ts';

const THROTTLED = /Throttl|TooManyRequests|TooManyUpdates|RequestLimitExceeded/;
const DENIED = /^(AccessDenied|UnrecognizedClient|ExpiredToken)/;
/** More parameters than the account may have: others have to go first. */
const FULL = /^ParameterLimitExceeded/;

export function isThrottled(thrown: unknown): boolean {
  return thrown instanceof Error && THROTTLED.test(thrown.name);
}

/** The port's error for what a call threw; it holds no values and no cause. */
export function vaultError(operation: string, thrown: unknown): Error {
  const error: Error & { readonly $metadata?: { readonly httpStatusCode?: number } } =
    thrown instanceof Error ? thrown : new Error('unknown');
  const status = error.$metadata?.httpStatusCode;
  const text = `ssm:${operation}: ${error.name}${status === undefined ? '' : ` (HTTP ${status})`}`;
  if (isThrottled(error) || FULL.test(error.name) || isNotNow(error)) {
    return new VaultUnavailable(text);
  }
  return new Error(DENIED.test(error.name) ? `${text}: ${error.message}` : text);
}
