/**
 * What ECS's refusals mean to the runtime's port: errors of calls, and the `failures` of an answer
 * that is 200 all the same.
 */
import type { Failure } from '@aws-sdk/client-ecs';
import { NoCapacity, RuntimeUnavailable, TaskRejected } from '../../../shared/ports/runtime.ts';
import { isNotNow, isThrottling } from '../sdk-errors.ts';

/** Does the call; that it could not be made now comes as `RuntimeUnavailable`. */
export async function calling<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw thrown instanceof Error && isUnavailable(thrown) ? unavailable(thrown) : thrown;
  }
}

/**
 * Quotas come as throttling too, and wait for other tasks to end, not for a second to pass. A
 * cluster that is not there is one that is not there yet: a stack is being deployed.
 */
function isUnavailable(error: Error): boolean {
  if (isQuota(error)) return false;
  return isNotNow(error) || /^(ServerException|ClusterNotFoundException)$/.test(error.name);
}

/** What `calling` made of a throttled call. */
export function wasThrottled(error: unknown): boolean {
  const cause = error instanceof RuntimeUnavailable ? error.cause : undefined;
  return cause instanceof Error && isThrottling(cause);
}

function unavailable(error: Error): RuntimeUnavailable {
  return new RuntimeUnavailable(textOf(error), { cause: error });
}

function textOf({ name, message }: Error): string {
  return `${name}: ${message}`;
}

function isQuota({ message }: Error): boolean {
  return /reached the limit on the number of/i.test(message);
}

/** Of messages, since ECS has one code for all of them: quotas, and hosts that are not there. */
const NO_CAPACITY = /concurrent(ly)? |capacity limit|No Container Instances|quota|unavailable/i;

/** What a refused RunTask or RegisterTaskDefinition means. What is unknown stays what it is. */
export function refusal(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown;
  if (isQuota(thrown)) return new NoCapacity(thrown.message, { cause: thrown });
  switch (thrown.name) {
    case 'LimitExceededException':
    case 'BlockedException':
      return new NoCapacity(textOf(thrown), { cause: thrown });
    case 'ClientException':
    case 'InvalidParameterException':
      if (NO_CAPACITY.test(thrown.message)) return new NoCapacity(thrown.message);
      return new TaskRejected('RefusedByEcs', thrown.message);
    case 'AccessDeniedException':
    case 'UnsupportedFeatureException':
    case 'PlatformUnknownException':
    case 'PlatformTaskDefinitionIncompatibilityException':
      return new TaskRejected('RefusedByEcs', textOf(thrown));
    default:
      return thrown;
  }
}

/** RunTask names a definition that is not there any more: somebody deregistered it. */
export function isMissingDefinition(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(ClientException|InvalidParameterException)$/.test(error.name) &&
    /task ?definition (is inactive|not found|does not exist)|unable to find task ?def/i.test(
      error.message,
    )
  );
}

/** The tasks that this client token already stands for, when it does for other parameters. */
export function conflictingTasks(error: unknown): readonly string[] | undefined {
  if (!(error instanceof Error) || error.name !== 'ConflictException') return undefined;
  return (error as Error & { readonly resourceIds?: readonly string[] }).resourceIds ?? [];
}

interface Meaning {
  readonly form: RegExp;
  readonly error: (nodeName: string, failure: string) => NoCapacity | TaskRejected;
}

const RESOURCES: { readonly [resource: string]: string } = {
  CPU: 'CPU',
  MEMORY: 'memory',
  PORTS: 'free ports',
  ENI: 'network interfaces',
  GPU: 'GPUs',
};

/** Amazon ECS developer guide, "API failure reasons". The first match counts. */
const FAILURES: readonly Meaning[] = [
  {
    form: /^RESOURCE/,
    error: (node, failure) => {
      const resource = failure.split(':')[1] ?? '';
      return new NoCapacity(`${node} has not enough ${RESOURCES[resource] ?? resource} left`);
    },
  },
  {
    form: /^AGENT/,
    error: (node) => new NoCapacity(`the ECS agent of ${node} is not connected`),
  },
  {
    form: /capacity is unavailable/i,
    error: (node) => new NoCapacity(`${node} has no capacity now`),
  },
  {
    form: /^(MISSING|INACTIVE)|placement constraint/i,
    error: (node) => new NoCapacity(`${node} is not an active container instance of the cluster`),
  },
  {
    form: /^ATTRIBUTE/,
    error: (node, failure) =>
      new TaskRejected('NodeUnsuitable', `${node} lacks what the task requires (${failure})`),
  },
];

/** Why no task was made. What is unknown is taken for a shortage: another attempt may do better. */
export function failureError(
  failures: readonly Failure[],
  nodeName: string,
): NoCapacity | TaskRejected {
  const { reason = 'no reason given', detail } = failures[0] ?? {};
  const meaning = FAILURES.find(({ form }) => form.test(reason));
  if (meaning) return meaning.error(nodeName, reason);
  return new NoCapacity(detail === undefined ? reason : `${reason}: ${detail}`);
}
