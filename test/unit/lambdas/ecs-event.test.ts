import { describe, expect, it } from 'vitest';
import { VERSION_STEP } from '../../../adapters/aws/ecs/task-state.ts';
import { taskMessage } from '../../../lambdas/health/ecs-event.ts';
import type { TaskState } from '../../../shared/api/task.ts';

const POD_UID = '0f8fad5b-d9cb-469f-a165-70867728950e';

function envelope(detail: object, type = 'ECS Task State Change') {
  return {
    'detail-type': type,
    detail: {
      version: 3,
      lastStatus: 'RUNNING',
      startedBy: `${POD_UID}-2`,
      group: 'pod:default/web-1@fargate',
      startedAt: '2026-01-01T00:00:00Z',
      containers: [{ name: 'app', image: 'app:1', lastStatus: 'RUNNING' }],
      ...detail,
    },
  };
}

function taskOf(detail: object): TaskState {
  const message = taskMessage(envelope(detail));
  if (message?.type !== 'task') throw new Error('no task message');
  return message.task;
}

describe('ECS task events', () => {
  it('name the pod, its attempt and the version of the news', () => {
    expect(taskOf({})).toMatchObject({
      id: `${POD_UID}-2`,
      podUid: POD_UID,
      attempt: 2,
      namespace: 'default',
      podName: 'web-1',
      nodeName: 'fargate',
      version: 3 * VERSION_STEP,
      phase: 'running',
    });
  });

  it.each([
    ['PROVISIONING', 'pending'],
    ['PENDING', 'pending'],
    ['ACTIVATING', 'pending'],
    ['RUNNING', 'running'],
    ['DEACTIVATING', 'stopping'],
    ['STOPPING', 'stopping'],
    ['DEPROVISIONING', 'stopping'],
    ['STOPPED', 'stopped'],
    ['SOMETHING_NEW', 'pending'],
  ])('%s is %s', (lastStatus, phase) => {
    expect(taskOf({ lastStatus }).phase).toBe(phase);
  });

  it('tells an image that could not be pulled from a container that failed', () => {
    const reason = 'CannotPullContainerError: no such image';
    const containers = [
      { name: 'a', lastStatus: 'STOPPED', reason },
      { name: 'b', lastStatus: 'STOPPED', exitCode: 137, reason: 'OutOfMemoryError: killed' },
      { name: 'c', lastStatus: 'STOPPED', exitCode: 0 },
    ];
    const [a, b, c] = taskOf({ lastStatus: 'STOPPED', containers }).containers;
    expect(a?.state).toEqual({ type: 'waiting', reason: 'ErrImagePull', message: reason });
    expect(b?.state).toMatchObject({ type: 'terminated', exitCode: 137, reason: 'OOMKilled' });
    expect(c?.state).toMatchObject({ type: 'terminated', exitCode: 0, reason: 'Completed' });
  });

  it.each([
    ['another kind of event', envelope({}, 'ECS Deployment State Change')],
    ['a task that somebody else started', envelope({ startedBy: 'ecs-svc/123' })],
    ['a task without our group', envelope({ group: 'service:web' })],
    ['an event without a version', envelope({ version: undefined })],
    ['an empty envelope', {}],
  ])('%s is none of ours', (_name, event) => {
    expect(taskMessage(event)).toBeUndefined();
  });
});
