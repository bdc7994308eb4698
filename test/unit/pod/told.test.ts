import { describe, expect, it } from 'vitest';
import type { ContainerState, ContainerStatus, Pod } from '../../../shared/api/kinds/pod.ts';
import { toldBy } from '../../../shared/core/pod/told.ts';
import { makePod } from './pod-life.ts';

const AT = (seconds: number) => `2030-01-01T00:00:${String(seconds).padStart(2, '0')}Z`;
const MS = (seconds: number) => Date.parse(AT(seconds));

interface Given {
  readonly isScheduled?: boolean;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
  readonly restartCount?: number;
  readonly deletedAt?: string;
}

function podWith({ isScheduled = false, state, lastState, ...given }: Given): Pod {
  const pod = makePod();
  const { restartCount = 0, deletedAt } = given;
  const status: ContainerStatus = {
    ...{ name: 'app', image: 'a:1', imageID: '', ready: false, restartCount },
    ...(state ? { state } : {}),
    ...(lastState ? { lastState } : {}),
  };
  const condition = { type: 'PodScheduled', status: 'True' as const, lastTransitionTime: AT(1) };
  const deletion = { deletionTimestamp: deletedAt, deletionGracePeriodSeconds: 30 };
  return {
    ...pod,
    metadata: { ...pod.metadata, ...(deletedAt === undefined ? {} : deletion) },
    status: {
      ...pod.status,
      startTime: AT(2),
      containerStatuses: [status],
      ...(isScheduled ? { conditions: [condition] } : {}),
    },
  };
}

const waiting: ContainerState = { waiting: { reason: 'CrashLoopBackOff' } };
const running = (from: number): ContainerState => ({ running: { startedAt: AT(from) } });
const ended = (from: number, to: number, reason = 'Error'): ContainerState => ({
  terminated: { exitCode: 1, reason, startedAt: AT(from), finishedAt: AT(to) },
});

const short = (pod: Pod) =>
  toldBy(pod).map(
    ({ message, count, firstMs, lastMs }) =>
      `${message} ×${count} ${(firstMs - MS(0)) / 1000}-${(lastMs - MS(0)) / 1000}`,
  );

describe('what a pod tells by its state', () => {
  it.each<[string, Given, string[]]>([
    ['nothing yet', {}, []],
    [
      'that it has a node',
      { isScheduled: true },
      ['Successfully assigned default/web-1 to node-1 ×1 1-1'],
    ],
    ['nothing of what only waits', { state: { waiting: { reason: 'ContainerCreating' } } }, []],
    ['a start', { state: running(5) }, ['Started container app ×1 5-5']],
    ['a start that was over at once', { state: ended(5, 5) }, ['Started container app ×1 5-5']],
    ['nothing of what could not begin', { state: ended(5, 5, 'ContainerCannotRun') }, []],
    [
      'the last start, while the next one waits',
      { state: waiting, lastState: ended(5, 6) },
      ['Started container app ×1 5-5'],
    ],
    [
      'starts again, from the first on',
      { state: running(20), lastState: ended(5, 6), restartCount: 3 },
      ['Started container app ×4 2-20'],
    ],
    [
      'that it is to stop',
      { state: running(5), deletedAt: AT(50) },
      ['Started container app ×1 5-5', 'Stopping container app ×1 20-20'],
    ],
    [
      'that it was to stop, when it has',
      { state: ended(5, 25), deletedAt: AT(50) },
      ['Started container app ×1 5-5', 'Stopping container app ×1 20-20'],
    ],
    [
      'no stop of what had ended before',
      { state: ended(5, 7), deletedAt: AT(50) },
      ['Started container app ×1 5-5'],
    ],
  ])('%s', (_, given, expected) => {
    expect(short(podWith(given))).toEqual(expected);
  });
});
