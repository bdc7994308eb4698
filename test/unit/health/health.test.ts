import { describe, expect, it } from 'vitest';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { SimulatedRuntime } from '../../../adapters/memory/simulated-runtime.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { type HealthMessage, taskIdOf } from '../../../shared/api/task.ts';
import { handleHealth } from '../../../shared/control/health.ts';
import { lookUpTask } from '../../../shared/control/launch.ts';
import { PodConfig } from '../../../shared/control/pod-config.ts';
import { taskSpecOf } from '../../../shared/control/task-spec.ts';
import { missingTasks, sweepOfTasks, YOUNG_TASK_MS } from '../../../shared/core/health/sweep.ts';
import { makePod } from '../pod/pod-life.ts';

const KEY = { resource: 'pods', namespace: 'default', name: 'web-1' };

async function makeWorld() {
  const clock = new StepClock();
  const told: HealthMessage[] = [];
  const runtime = new SimulatedRuntime({ clock, emit: (message) => told.push(message) });
  const store = new MemoryStore({ clock });
  const recorder = new MemoryRecorder();
  const effects = { store, runtime, clock, ids: new SeededIds(1), recorder };
  const pod = await store.create<Pod>('pods', { ...makePod(), control: { attempt: 1 } });
  const task = taskSpecOf(pod, new PodConfig(new Map()));
  return { ...effects, effects, told, task, pod };
}

describe('health messages', () => {
  it('write what is new into the pod, once', async () => {
    const { effects, store, runtime, task } = await makeWorld();
    const message = { type: 'task', task: await runtime.run(task) };
    expect(await handleHealth(message, effects)).toEqual({ type: 'done' });
    const once = await store.get<Pod>(KEY);
    expect(once?.status.phase).toBe('Running');
    await handleHealth(message, effects);
    expect(await store.get<Pod>(KEY)).toEqual(once);
  });

  it('stop a task whose pod is gone, or is another one', async () => {
    const { effects, store, runtime, task, pod } = await makeWorld();
    const state = await runtime.run(task);
    const { uid, resourceVersion } = pod.metadata;
    await store.remove(KEY, { uid, resourceVersion });
    await store.create('pods', { ...pod, metadata: { ...pod.metadata, uid: 'another' } });
    await handleHealth({ type: 'task', task: state }, effects);
    expect(await runtime.list()).toEqual([]);
    expect((await store.get<Pod>(KEY))?.status.phase).toBe('Pending');
  });

  it('stop a task of an attempt that has been superseded', async () => {
    const { effects, store, runtime, task, pod } = await makeWorld();
    const state = await runtime.run(task);
    await store.update<Pod>('pods', { ...pod, control: { attempt: 2 } });
    await handleHealth({ type: 'task', task: state }, effects);
    expect(await runtime.list()).toEqual([]);
  });

  it('remove a deleted pod in the write that sees the end of its task', async () => {
    const { effects, store, runtime, task, pod, told } = await makeWorld();
    await runtime.run(task);
    const deletionTimestamp = '2030-01-01T00:00:00Z';
    await store.update<Pod>('pods', { ...pod, metadata: { ...pod.metadata, deletionTimestamp } });
    await runtime.stop(task.id, 0);
    await handleHealth(told.at(-1), effects);
    expect(await store.get(KEY)).toBeUndefined();
  });

  it.each([
    [null],
    ['text'],
    [{ type: 'task' }],
    [{ type: 'task', task: { id: 'a' } }],
    [{ type: 'node', nodeName: 'n', status: 'sleeping', atMs: 1 }],
    [{ type: 'node', nodeName: 'n', status: 'gone', atMs: 'now' }],
  ])('are dropped with a log line when they are malformed: %j', async (message) => {
    const { effects, recorder } = await makeWorld();
    expect(await handleHealth(message, effects)).toEqual({ type: 'done' });
    expect(recorder.logs.map((record) => record.message)).toEqual(['health message dropped']);
  });

  it('are dropped when any part of a task is out of bounds', async () => {
    const { effects, recorder, runtime, task } = await makeWorld();
    const state = await runtime.run(task);
    const [report] = state.containers;
    const broken = [
      { ...state, version: -1 },
      { ...state, attempt: 0 },
      { ...state, phase: 'lost' },
      { ...state, message: 'x'.repeat(10_000) },
      { ...state, containers: Array.from({ length: 100 }, () => report) },
      { ...state, containers: [{ ...report, state: { type: 'running', startedAtMs: 1e20 } }] },
    ];
    for (const task of broken) await handleHealth({ type: 'task', task }, effects);
    expect(recorder.logs).toHaveLength(broken.length);
  });
});

describe('the sweep of tasks', () => {
  const pod = (uid: string, control: Pod['control'] & object): Pod => {
    const made = makePod();
    return { ...made, metadata: { ...made.metadata, uid }, control };
  };

  it('stops what nobody means, and nothing else', () => {
    const pods = [
      pod('current', { attempt: 2, taskId: 'current-2' }),
      pod('unanswered', { attempt: 1 }),
      pod('ended', { attempt: 1, taskId: 'ended-1', taskStopped: true }),
    ];
    const live = ['current-1', 'current-2', 'current-3', 'unanswered-1', 'ended-1', 'nobody-1'];
    const { leaked, describe: asked } = sweepOfTasks(live, pods);
    expect(leaked).toEqual(['current-1', 'ended-1', 'nobody-1']);
    expect(asked.map(({ metadata }) => metadata.uid)).toEqual(['current']);
  });

  it('misses a task only when it is old enough to be known', () => {
    const old = pod('old', { attempt: 1, taskId: 'old-1', intentAtMs: 0 });
    const young = pod('young', { attempt: 1, taskId: 'young-1', intentAtMs: 1 });
    expect(missingTasks([old, young], [], YOUNG_TASK_MS)).toEqual([old]);
  });
});

describe('a look-up that finds nothing', () => {
  const lookedUp = async (control: NonNullable<Pod['control']>, ageMs: number) => {
    const clock = new StepClock();
    const store = new MemoryStore({ clock });
    const runtime = new SimulatedRuntime({ clock, emit: () => {} });
    const effects = {
      store,
      runtime,
      clock,
      ids: new SeededIds(1),
      recorder: new MemoryRecorder(),
    };
    const intentAtMs = clock.nowMs();
    const pod = await store.create<Pod>('pods', {
      ...makePod(),
      control: { ...control, intentAtMs },
    });
    await clock.advance(ageMs);
    const { uid } = pod.metadata;
    const action = { pod: KEY, podUid: uid, attempt: 1, taskId: taskIdOf(uid, 1) };
    await lookUpTask({ kind: 'lookUpTask', ...action }, effects);
    return (await store.get<Pod>(KEY))?.control?.taskStopped;
  };

  it('is not believed of a young task: listings lag behind launches', async () => {
    const answered = { attempt: 1, taskId: 'task' };
    expect(await lookedUp(answered, YOUNG_TASK_MS - 1)).toBeUndefined();
    expect(await lookedUp(answered, YOUNG_TASK_MS)).toBe(true);
  });

  it('counts the age of a task from its launch, however old the intent is', async () => {
    const answeredLate = { attempt: 1, taskId: 'task', answeredAtMs: new StepClock().nowMs() + 1 };
    expect(await lookedUp(answeredLate, YOUNG_TASK_MS)).toBeUndefined();
  });

  it('ends an attempt that nobody has answered for', async () => {
    expect(await lookedUp({ attempt: 1 }, 0)).toBe(true);
  });
});
