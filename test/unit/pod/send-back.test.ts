/** Which pods go back to the scheduler when Fargate has no room for them, and when. */
import { describe, expect, it } from 'vitest';
import type { Pod, PodControl } from '../../../shared/api/kinds/pod.ts';
import { type TaskState, taskIdOf } from '../../../shared/api/task.ts';
import { observeTask } from '../../../shared/core/pod/observe.ts';
import { planPod } from '../../../shared/core/pod/plan.ts';
import { hasBegun, maySendBack, sentBack } from '../../../shared/core/pod/send-back.ts';
import { NOW_MS, pod, running } from '../scheduling/fixtures.ts';

const SHORT = { attempt: 1, intentAtMs: NOW_MS, taskStopped: true, noCapacity: true };

const bound = (control: PodControl, status: Partial<Pod['status']> = {}): Pod => ({
  ...running('fargate', pod('p')),
  status: { phase: 'Pending', ...status },
  control,
});

const main = { name: 'main', ready: false, restartCount: 0, image: '', imageID: '' };
const crashed = { containerStatuses: [{ ...main, restartCount: 1, state: { waiting: {} } }] };

/** `back`: it is sent back; else what it waits for. */
function decided(given: Pod, isVirtual: boolean, nowMs = NOW_MS): string {
  const plan = planPod({ pod: given, node: 'ready', isVirtual }, nowMs);
  const [action] = plan.stages.flat();
  const next = action?.kind === 'update' ? (action.object as unknown as Pod) : undefined;
  if (next && next.spec.nodeName === undefined) return 'back';
  if (next?.control?.backOffUntilMs !== undefined) return 'backs off';
  return `${plan.blocked[0]}, ${plan.againAfterMs}`;
}

const ASKED = 'its launch was refused, and may be asked for elsewhere';

describe('a pod for which there was no capacity', () => {
  it.each<[string, Pod, boolean, string]>([
    ['goes back when its task has ended before it began', bound(SHORT), true, 'back'],
    [
      'waits until nobody can be asking for it',
      bound({ ...SHORT, refusedAtMs: NOW_MS - 50_000 }),
      true,
      `${ASKED}, 70000`,
    ],
    ['goes back then', bound({ ...SHORT, refusedAtMs: NOW_MS - 120_000 }), true, 'back'],
    ['is tried again on a machine, where it has its room', bound(SHORT), false, 'backs off'],
    ['is tried again where it has run', bound(SHORT, crashed), true, 'backs off'],
    [
      'is tried again for other failures',
      bound({ ...SHORT, noCapacity: false }),
      true,
      'backs off',
    ],
  ])('%s', (_what, given, isVirtual, expected) => {
    expect(decided(given, isVirtual)).toBe(expected);
  });
});

describe('a pod that goes back', () => {
  it('keeps who it is and how often it was tried, and nothing of where it was', () => {
    const at = { startTime: '2030-01-01T00:00:00Z', podIP: '10.0.0.1', containerStatuses: [main] };
    const before = bound({ ...SHORT, backOffUntilMs: NOW_MS, failures: 2 }, at);
    const back = sentBack(before, 'no room', NOW_MS);
    expect(back.metadata).toEqual(before.metadata);
    expect(back.spec.nodeName).toBeUndefined();
    expect(back.status).toMatchObject({ phase: 'Pending', conditions: [{ message: 'no room' }] });
    expect(Object.keys(back.status).sort()).toEqual(['conditions', 'phase']);
    expect(back.control).toEqual({ ...SHORT, failures: 2 });
    expect(maySendBack(back, NOW_MS)).toBe(false);
  });

  it('is not one that has begun', () => {
    expect(hasBegun(bound(SHORT))).toBe(false);
    expect(hasBegun(bound(SHORT, crashed))).toBe(true);
  });
});

describe('a task that ended for want of capacity', () => {
  const task = (reason: string): TaskState => ({
    ...{ id: taskIdOf('uid-default-p', 1), podUid: 'uid-default-p', attempt: 1, version: 2 },
    ...{ namespace: 'default', podName: 'p', nodeName: 'fargate', phase: 'stopped', reason },
    initContainers: [],
    containers: [],
  });
  it.each([
    ['NoCapacity', true],
    ['TaskFailedToStart', undefined],
  ])('by %s', (reason, noCapacity) => {
    const next = observeTask(bound({ attempt: 1, intentAtMs: NOW_MS }), task(reason), NOW_MS);
    expect(next?.control?.noCapacity).toBe(noCapacity);
    expect(next?.control?.taskStopped).toBe(true);
  });
});
