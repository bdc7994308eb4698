import { describe, expect, it } from 'vitest';
import { isTrue } from '../../../shared/api/conditions.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { taskIdOf } from '../../../shared/api/task.ts';
import { observeLaunchFailure, observeTask } from '../../../shared/core/pod/observe.ts';
import { INTENT_MAX_AGE_MS } from '../../../shared/core/pod/plan.ts';
import { container, makePod, PodLife } from './pod-life.ts';

const seconds = (life: PodLife) => life.launchTimesMs.map((ms) => ms / 1000);

describe('a pod that runs', () => {
  it('is Running and Ready after two writes: its intent, and the answer to it', async () => {
    const life = new PodLife(makePod());
    const pod = await life.after(0);
    expect(pod.status).toMatchObject({ phase: 'Running', qosClass: 'BestEffort' });
    for (const type of ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready']) {
      expect(isTrue(pod.status.conditions, type), type).toBe(true);
    }
    expect(pod.status.podIP).toBe(pod.status.podIPs?.[0]?.ip);
    expect(life.writes).toBe(2);
  });

  it('rests: nothing is written, and no timer waits', async () => {
    const life = new PodLife(makePod());
    await life.pass(0);
    const { writes } = life;
    await life.pass(86_400);
    expect(life.writes).toBe(writes);
    expect(life.clock.nextTimerMs()).toBeUndefined();
  });

  it('shows its init containers, then its containers', async () => {
    const initContainers = [container('setup')];
    const rules = { containers: { setup: { exitCode: 0, exitAfterMs: 5000 } } };
    const life = new PodLife(makePod({ initContainers }, rules));
    const early = await life.after(1);
    expect(early.status.phase).toBe('Pending');
    expect(life.shown()).toBe('PodInitializing');
    expect(early.status.conditions).toContainEqual(
      expect.objectContaining({
        type: 'Initialized',
        status: 'False',
        message: 'containers with incomplete status: [setup]',
      }),
    );
    const late = await life.after(10);
    expect(late.status.phase).toBe('Running');
    expect(isTrue(late.status.conditions, 'Initialized')).toBe(true);
  });

  it('is not ready before its readiness gates hold', async () => {
    const life = new PodLife(makePod({ readinessGates: [{ conditionType: 'lb' }] }));
    const pod = await life.after(0);
    expect(pod.status.conditions).toContainEqual(
      expect.objectContaining({
        type: 'Ready',
        status: 'False',
        reason: 'ReadinessGatesNotReady',
        message: 'corresponding condition of pod readiness gate "lb" does not exist.',
      }),
    );
  });
});

describe('a pod that crashes', () => {
  it('starts again at once, then after 10 s, 20 s, 40 s … and 5 min at the most', async () => {
    const life = new PodLife(makePod({}, { exitCode: 1 }));
    await life.pass(1500);
    expect(seconds(life)).toEqual([0, 0, 10, 30, 70, 150, 310, 610, 910, 1210]);
  });

  it('says CrashLoopBackOff, in the words that users know, and counts restarts', async () => {
    const life = new PodLife(makePod({}, { exitCode: 1 }));
    const pod = await life.after(15);
    const { name, uid } = pod.metadata;
    expect(pod.status.phase).toBe('Running');
    expect(pod.status.containerStatuses?.[0]).toMatchObject({
      restartCount: 2,
      ready: false,
      state: {
        waiting: {
          reason: 'CrashLoopBackOff',
          message: `back-off 20s restarting failed container=app pod=${name}_default(${uid})`,
        },
      },
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
    });
  });

  it('is Running with one restart after a single crash', async () => {
    const life = new PodLife(makePod({}, { exitCode: 3, exitAfterMs: 4000, untilAttempt: 1 }));
    await life.pass(10);
    expect(life.shown()).toBe('Running');
    expect(life.restarts()).toEqual([1]);
    expect(life.current.status.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(3);
  });

  it('begins its back-off anew after a run of ten minutes', async () => {
    const life = new PodLife(makePod({}, { exitCode: 1, exitAfterMs: 601_000 }));
    await life.pass(2000);
    expect(seconds(life)).toEqual([0, 601, 1202, 1803]);
  });

  it('says OOMKilled when it ran out of memory', async () => {
    const life = new PodLife(makePod({ restartPolicy: 'Never' }, { oomAfterMs: 1000 }));
    const pod = await life.after(2);
    expect(life.shown()).toBe('OOMKilled');
    expect(pod.status.phase).toBe('Failed');
  });
});

describe('a pod that is to end', () => {
  it.each([
    ['Never', 0, 'Succeeded', 1],
    ['Never', 1, 'Failed', 1],
    ['OnFailure', 0, 'Succeeded', 1],
  ] as const)(
    'with %s and exit code %i is %s after %i launch',
    async (policy, exitCode, phase, n) => {
      const life = new PodLife(makePod({ restartPolicy: policy }, { exitCode }));
      const pod = await life.after(3600);
      expect(pod.status.phase).toBe(phase);
      expect(life.launchTimesMs).toHaveLength(n);
      expect(isTrue(pod.status.conditions, 'Ready')).toBe(false);
    },
  );

  it('runs only what has not succeeded again, under OnFailure', async () => {
    const rules = { containers: { done: { exitCode: 0 }, flaky: { exitCode: 1 } } };
    const containers = [container('done'), container('flaky')];
    const life = new PodLife(makePod({ restartPolicy: 'OnFailure', containers }, rules));
    await life.pass(15);
    expect(life.restarts()).toEqual([0, 2]);
    expect([life.shown(0), life.shown(1)]).toEqual(['Completed', 'CrashLoopBackOff']);
  });

  it('fails at its deadline, and its task is stopped', async () => {
    const life = new PodLife(makePod({ activeDeadlineSeconds: 60 }));
    const pod = await life.after(61);
    expect(pod.status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
    expect(await life.runtime.list()).toEqual([]);
  });

  it('fails when an init container does, under Never', async () => {
    const spec = { restartPolicy: 'Never' as const, initContainers: [container('setup')] };
    const life = new PodLife(makePod(spec, { containers: { setup: { exitCode: 2 } } }));
    const pod = await life.after(60);
    expect(pod.status.phase).toBe('Failed');
    expect(life.launchTimesMs).toHaveLength(1);
  });
});

describe('a pod that cannot start', () => {
  it('goes back and forth between ErrImagePull and ImagePullBackOff', async () => {
    const containers = [container('app', { image: 'registry.test/app:missing' })];
    const life = new PodLife(makePod({ containers, restartPolicy: 'Never' }));
    const pod = await life.after(75);
    expect(pod.status.phase).toBe('Pending');
    expect(life.shown()).toBe('ImagePullBackOff');
    expect(life.restarts()).toEqual([0]);
    expect(seconds(life)).toEqual([0, 10, 30, 70]);
    const backOff = 'BackOff: Back-off pulling image "registry.test/app:missing"';
    expect(life.events).toContain(backOff);
  });

  it.each([
    [{ noCapacity: true }, 'ContainerCreating', [0, 120, 240]],
    [{ reject: 'no such device' }, 'CreateContainerError', [0, 10, 30]],
  ])('is tried again when the runtime refuses it: %j', async (rules, shown, times) => {
    const life = new PodLife(makePod({ restartPolicy: 'Never' }, { ...rules, untilAttempt: 2 }));
    const pod = await life.after(1);
    expect(pod.status.phase).toBe('Pending');
    expect(life.shown()).toBe(shown);
    expect((await life.after(300)).status.phase).toBe('Running');
    expect(seconds(life)).toEqual(times);
  });

  it('stays for as long as a launch that was refused may be asked for by others', async () => {
    const life = new PodLife(makePod({}, { noCapacity: true }));
    await life.after(1);
    life.delete();
    expect((await life.after(100)).metadata.deletionTimestamp).toBeDefined();
    await life.pass(30);
    expect(life.pod).toBeUndefined();
    expect(seconds(life)).toEqual([0]);
  });

  it('lives when another process was not refused', async () => {
    const life = new PodLife(makePod());
    const { metadata, status, ...rest } = await life.after(0);
    const asked = { ...rest, metadata, status: { phase: 'Pending' }, control: { attempt: 1 } };
    const refusal = { kind: 'noCapacity', reason: 'NoCapacity', message: 'full' } as const;
    const refused = observeLaunchFailure(asked as Pod, 1, refusal, 7);
    expect(refused?.control).toMatchObject({ taskStopped: true, refusedAtMs: 7 });
    const [task] = await life.runtime.describe([taskIdOf(metadata.uid, 1)]);
    const lives = refused && task && observeTask(refused, task, 8);
    expect(lives?.status.phase).toBe(status.phase);
    expect(lives?.control?.taskStopped).toBeUndefined();
    expect(lives?.control?.refusedAtMs).toBeUndefined();
  });

  it('says which Secret is missing, without a launch, and starts once it is there', async () => {
    const life = new PodLife(makePod());
    const missing = 'secret "hf-secret" not found';
    life.want = { waitsFor: ['secrets/hf-secret'], containers: { app: missing } };
    const pod = await life.after(4000);
    expect(pod.status.containerStatuses?.[0]?.state?.waiting).toEqual({
      reason: 'CreateContainerConfigError',
      message: missing,
    });
    expect(pod.control?.waitsFor).toEqual(['secrets/hf-secret']);
    expect(life.launchTimesMs).toEqual([]);
    expect(life.events).toEqual([`Failed: Error: ${missing}`]);
    life.want = undefined;
    const started = await life.after(60);
    expect(started.status.phase).toBe('Running');
    expect(started.control?.waitsFor).toBeUndefined();
  });

  it('looks an old intent up before it launches anything', async () => {
    const life = new PodLife(makePod());
    life.node = 'unreachable';
    await life.pass(0);
    life.pod = { ...life.current, control: { attempt: 1, intentAtMs: life.clock.nowMs() } };
    await life.pass(INTENT_MAX_AGE_MS / 1000 + 1);
    life.node = 'ready';
    const pod = await life.after(60);
    expect(pod.status.phase).toBe('Running');
    expect(pod.control?.attempt).toBe(2);
    expect(life.restarts()).toEqual([0]);
  });
});

describe('a pod that is deleted', () => {
  it('is stopped once, and goes with its task', async () => {
    const life = new PodLife(makePod({}, { stopDelayMs: 5000 }));
    await life.pass(1);
    life.delete();
    await life.pass(4);
    expect(life.pod).toBeDefined();
    await life.pass(2);
    expect(life.pod).toBeUndefined();
    expect(life.stops).toEqual([30]);
  });

  it('is killed when its grace is over', async () => {
    const life = new PodLife(makePod({}, { ignoresTerm: true }));
    await life.pass(1);
    life.delete(5);
    await life.pass(6);
    expect(life.pod).toBeUndefined();
  });

  it('finds out what its launch has come to before it goes', async () => {
    const life = new PodLife({ ...makePod(), control: { attempt: 1, intentAtMs: 0 } });
    life.pod = { ...life.current, control: { attempt: 1, intentAtMs: life.clock.nowMs() } };
    life.delete();
    await life.pass(1);
    expect(life.pod).toBeUndefined();
    expect(life.launchTimesMs).toHaveLength(1);
    expect(await life.runtime.list()).toEqual([]);
  });

  it('goes at once when nothing of it ever ran', async () => {
    const life = new PodLife(makePod());
    life.delete();
    expect(life.pod).toBeUndefined();
  });

  it('stays while its node is out of sight', async () => {
    const life = new PodLife(makePod());
    await life.pass(1);
    life.node = 'unreachable';
    life.delete();
    await life.pass(3600);
    expect(life.pod).toBeDefined();
    expect(life.stops).toEqual([]);
    life.node = 'ready';
    await life.pass(1);
    expect(life.pod).toBeUndefined();
  });

  it('does not start again in back-off', async () => {
    const life = new PodLife(makePod({}, { exitCode: 1 }));
    await life.pass(15);
    const launches = life.launchTimesMs.length;
    life.delete();
    await life.pass(600);
    expect(life.pod).toBeUndefined();
    expect(life.launchTimesMs).toHaveLength(launches);
  });
});
