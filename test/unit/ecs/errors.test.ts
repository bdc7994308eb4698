import { describe, expect, it } from 'vitest';
import {
  calling,
  conflictingTasks,
  failureError,
  isMissingDefinition,
  refusal,
} from '../../../adapters/aws/ecs/errors.ts';
import { NoCapacity, RuntimeUnavailable, TaskRejected } from '../../../shared/ports/runtime.ts';

function sdkError(name: string, message = '', status = 400): Error {
  const error = new Error(message);
  return Object.assign(error, { name, $metadata: { httpStatusCode: status } });
}

describe('failures in an answer', () => {
  it.each([
    ['RESOURCE:CPU', NoCapacity, 'i-1 has not enough CPU left'],
    ['RESOURCE:MEMORY', NoCapacity, 'i-1 has not enough memory left'],
    ['RESOURCE:PORTS', NoCapacity, 'i-1 has not enough free ports left'],
    ['RESOURCE:ENI', NoCapacity, 'i-1 has not enough network interfaces left'],
    ['RESOURCE:GPU', NoCapacity, 'i-1 has not enough GPUs left'],
    ['RESOURCE:NEW', NoCapacity, 'i-1 has not enough NEW left'],
    ['AGENT', NoCapacity, 'the ECS agent of i-1 is not connected'],
    ['Capacity is unavailable at this time. Please try again', NoCapacity, 'i-1 has no capacity'],
    ['MISSING', NoCapacity, 'i-1 is not an active container instance'],
    ['INACTIVE', NoCapacity, 'i-1 is not an active container instance'],
    ['MemberOf placement constraint unsatisfied.', NoCapacity, 'i-1 is not an active container'],
    ['ATTRIBUTE', TaskRejected, 'i-1 lacks what the task requires'],
    ['SOMETHING_NEW', NoCapacity, 'SOMETHING_NEW'],
  ])('%s', (reason, type, message) => {
    const error = failureError([{ reason }], 'i-1');
    expect(error).toBeInstanceOf(type);
    expect(error.message).toContain(message);
  });

  it('that are none at all are said, too', () => {
    expect(failureError([], 'fargate').message).toBe('no reason given');
  });
});

describe('errors of calls', () => {
  it.each([
    [sdkError('ThrottlingException')],
    [sdkError('ServerException', '', 500)],
    [sdkError('ServerException')],
    [sdkError('ClusterNotFoundException')],
    [sdkError('SomethingNew', '', 503)],
    [Object.assign(new Error('timeout'), { name: 'TimeoutError' })],
    [Object.assign(new Error('reset'), { code: 'ECONNRESET' })],
  ])('%s: not now', async (error) => {
    await expect(calling(() => Promise.reject(error))).rejects.toThrow(RuntimeUnavailable);
  });

  it('that are refusals are passed on', async () => {
    const quota = "You've reached the limit on the number of vCPUs you can run concurrently";
    for (const error of [sdkError('ClientException'), sdkError('ThrottlingException', quota)]) {
      await expect(calling(() => Promise.reject(error))).rejects.toBe(error);
    }
  });

  it.each([
    ['InvalidParameterException', 'No Container Instances were found in your cluster.', NoCapacity],
    ['ClientException', "You've reached the limit on the number of tasks", NoCapacity],
    ['ClientException', 'Tasks provisioning capacity limit exceeded.', NoCapacity],
    ['ThrottlingException', "You've reached the limit on the number of vCPUs", NoCapacity],
    ['LimitExceededException', '', NoCapacity],
    ['BlockedException', 'Your account is blocked', NoCapacity],
    ['ClientException', 'Container name is invalid', TaskRejected],
    ['InvalidParameterException', 'Override is too long', TaskRejected],
    ['AccessDeniedException', 'not authorized to perform: iam:PassRole', TaskRejected],
    ['PlatformUnknownException', '', TaskRejected],
  ])('%s %s', (name, message, type) => {
    expect(refusal(sdkError(name, message))).toBeInstanceOf(type);
  });

  it('that nobody knows stay what they are', () => {
    const error = sdkError('SomethingNew');
    expect(refusal(error)).toBe(error);
  });

  it.each([
    ['ClientException', 'TaskDefinition not found.', true],
    ['ClientException', 'TaskDefinition is inactive', true],
    ['InvalidParameterException', 'TaskDefinition is inactive', true],
    ['ClientException', 'something else', false],
    ['ServerException', 'TaskDefinition not found.', false],
  ])('%s %s: is a definition missing? %s', (name, message, expected) => {
    expect(isMissingDefinition(sdkError(name, message))).toBe(expected);
  });

  it('name the tasks that a token stands for', () => {
    const conflict = Object.assign(sdkError('ConflictException'), { resourceIds: ['arn'] });
    expect(conflictingTasks(conflict)).toEqual(['arn']);
    expect(conflictingTasks(sdkError('ClientException'))).toBeUndefined();
  });
});
