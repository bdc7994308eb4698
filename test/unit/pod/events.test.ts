import { describe, expect, it } from 'vitest';
import type { ContainerState, Pod, PodControl } from '../../../shared/api/kinds/pod.ts';
import { observationEvents } from '../../../shared/core/pod/events.ts';
import { makePod } from './pod-life.ts';

interface Seen {
  readonly state: ContainerState;
  readonly ready?: boolean;
  readonly unready?: PodControl['unready'];
}

function podWith({ state, ready = false, unready }: Seen): Pod {
  const status = { name: 'app', image: 'a:1', imageID: '', restartCount: 0, started: true };
  const pod = makePod();
  return {
    ...pod,
    control: { attempt: 1, ...(unready ? { unready } : {}) },
    status: { ...pod.status, containerStatuses: [{ ...status, state, ready }] },
  };
}

const told = (before: Seen, after: Seen) =>
  observationEvents(podWith(before), podWith(after)).map(
    ({ reason, message }) => `${reason}: ${message}`,
  );

const CREATING: Seen = { state: { waiting: { reason: 'ContainerCreating' } } };
const RUNNING: Seen = { state: { running: { startedAt: '2030-01-01T00:00:00Z' } } };
const ended = (reason: string, message?: string): Seen => ({
  state: {
    terminated: {
      exitCode: 1,
      reason,
      startedAt: '2030-01-01T00:00:00Z',
      ...(message === undefined ? {} : { message }),
    },
  },
});
const waiting = (reason: string, message: string): Seen => ({
  state: { waiting: { reason, message } },
});

describe('what people are told of containers', () => {
  it.each<[string, Seen, Seen, string[]]>([
    ['a start: the state tells it', CREATING, RUNNING, []],
    ['a start that was over at once', CREATING, ended('Error'), []],
    ['an end', RUNNING, ended('Error'), []],
    [
      'a program that is not there',
      CREATING,
      ended('ContainerCannotRun', 'exec: "/nope": no such file'),
      ['Failed: Error: failed to start container "app": exec: "/nope": no such file'],
    ],
    [
      'a liveness probe, with why it failed',
      RUNNING,
      ended('LivenessProbeFailed', 'HTTP probe failed with statuscode: 404\n'),
      [
        'Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 404',
        'Killing: Container app failed liveness probe, will be restarted',
      ],
    ],
    [
      'a startup probe',
      RUNNING,
      ended('StartupProbeFailed'),
      [
        'Unhealthy: Startup probe failed',
        'Killing: Container app failed startup probe, will be restarted',
      ],
    ],
    [
      'an image that is not there',
      CREATING,
      waiting('ErrImagePull', 'no such host'),
      ['Failed: Failed to pull image "a:1": no such host'],
    ],
    [
      'a readiness probe that has never passed',
      RUNNING,
      { ...RUNNING, unready: { app: 'connection refused' } },
      ['Unhealthy: Readiness probe failed: connection refused'],
    ],
    [
      'the loss of readiness, without a reason',
      { ...RUNNING, ready: true },
      RUNNING,
      ['Unhealthy: Readiness probe failed'],
    ],
    [
      'the loss of readiness once, with its reason',
      { ...RUNNING, ready: true },
      { ...RUNNING, unready: { app: 'timeout' } },
      ['Unhealthy: Readiness probe failed: timeout'],
    ],
    [
      'the same reason no second time',
      { ...RUNNING, unready: { app: 'timeout' } },
      { ...RUNNING, unready: { app: 'timeout' } },
      [],
    ],
  ])('%s', (_what, before, after, events) => {
    expect(told(before, after)).toEqual(events);
  });
});
