/**
 * What EC2's errors mean to the pool's port: errors of calls, and the errors of overrides that a
 * fleet's answer lists although it is 200. Source: Amazon EC2 API reference, "Error codes".
 */
import {
  InstancesUnavailable,
  type LaunchFailure,
  LaunchRejected,
} from '../../../shared/ports/instances.ts';
import { isNotNow } from '../sdk-errors.ts';

/** Does the call; that it could not be made now comes as `InstancesUnavailable`. */
export async function calling<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    if (!(thrown instanceof Error) || !isUnavailable(thrown)) throw thrown;
    throw new InstancesUnavailable(textOf(thrown), { cause: thrown });
  }
}

/** A cluster that is not there is one that is not there yet: a stack is being deployed. */
function isUnavailable(error: Error): boolean {
  const codes = /^(Unavailable|InternalError|ServerException|ClusterNotFoundException)$/;
  return isNotNow(error) || codes.test(error.name);
}

function textOf({ name, message }: Error): string {
  return `${name}: ${message}`;
}

const QUOTA = new Set([
  'InstanceLimitExceeded',
  'MaxSpotFleetRequestCountExceeded',
  'MaxSpotInstanceCountExceeded',
  'PendingVerification',
  'ResourceLimitExceeded',
  'TargetCapacityLimitExceededException',
  'VcpuLimitExceeded',
]);

/** InsufficientInstanceCapacity, …FreeAddressesInSubnet, …HostCapacity and others; and the rest. */
const CAPACITY = /^(Insufficient|UnfulfillableCapacity|SpotMaxPriceTooLow|RequestLimitExceeded)/;

/** What is unknown is taken for a configuration that never works: it is shown, and not repeated. */
export function kindOf(code: string): LaunchFailure['kind'] {
  if (QUOTA.has(code)) return 'quota';
  return CAPACITY.test(code) ? 'capacity' : 'configuration';
}

/** Of a whole launch: a shortage or a quota may be over later, the rest never is. */
export function launchError(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || thrown instanceof InstancesUnavailable) return thrown;
  const isPassing = kindOf(thrown.name) !== 'configuration';
  const options = { cause: thrown };
  return isPassing
    ? new InstancesUnavailable(textOf(thrown), options)
    : new LaunchRejected(textOf(thrown), options);
}

/** The ids that EC2 says it does not know; empty when the error says something else. */
export function unknownIds(error: unknown): readonly string[] {
  if (!(error instanceof Error) || error.name !== 'InvalidInstanceID.NotFound') return [];
  return error.message.match(/i-[0-9a-f]{8,17}/g) ?? [];
}
