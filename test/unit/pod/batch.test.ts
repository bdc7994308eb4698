import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { LaunchBatch, Pod, PodControl } from '../../../shared/api/kinds/pod.ts';
import { batchTaskIdOf, type TaskSpec, type TaskState } from '../../../shared/api/task.ts';
import type { Effects } from '../../../shared/control/effects.ts';
import { handleHealth } from '../../../shared/control/health.ts';
import { runTask } from '../../../shared/control/launch.ts';
import { BATCH_WAIT_MS, BINDING_MS } from '../../../shared/core/pod/batch.ts';
import { currentTaskId, withIntent } from '../../../shared/core/pod/attempt.ts';
import { planPod } from '../../../shared/core/pod/plan.ts';
import { sweepOfTasks } from '../../../shared/core/health/sweep.ts';
import {
  type BatchAnswer,
  type BatchPlace,
  NoCapacity,
  RuntimeUnavailable,
} from '../../../shared/ports/runtime.ts';
import { ledger, node } from '../scheduling/fixtures.ts';
import { makePod } from './pod-life.ts';

const TOKEN = `b-${'a1'.repeat(16)}`;
const NAMES = ['web-1', 'web-2', 'web-3'];

function member(name: string, given: PodControl = {}, others?: readonly string[]): Pod {
  const pod = makePod({ schedulerName: 'default-scheduler', nodeName: `node-of-${name}` });
  const batch: LaunchBatch = { token: TOKEN, at: `at-${name}`, ...(others && { with: others }) };
  const uid = `00000000-0000-4000-8000-00000000000${name.at(-1)}`;
  return {
    ...pod,
    metadata: { ...pod.metadata, name, uid },
    control: { attempt: 1, intentAtMs: 0, batch, ...given },
  };
}

const asker = (given: PodControl = {}) => member('web-3', given, ['web-1', 'web-2']);

function stateAt(at: string, phase: TaskState['phase'] = 'pending'): TaskState {
  const owner = { podUid: '', podName: '', nodeName: '', namespace: 'default', attempt: 1 };
  const reports = { containers: [], initContainers: [] };
  return { id: batchTaskIdOf(TOKEN, at), ...owner, version: 7, phase, ...reports };
}

describe('a pod whose launch is asked for by another', () => {
  const planned = (pod: Pod, nowMs: number) => planPod({ pod, node: 'ready' }, nowMs);

  it('waits for it, and asks for itself when nothing comes of it', () => {
    const early = planned(member('web-1'), 10);
    expect(early).toMatchObject({ stages: [], againAfterMs: BATCH_WAIT_MS - 10 });
    const [[late] = []] = planned(member('web-1'), BATCH_WAIT_MS).stages;
    expect(late?.kind).toBe('runTask');
  });

  it('does not wait when it is the one to ask, or at a later attempt', () => {
    const first = planned(asker(), 10)
      .stages.flat()
      .map(({ kind }) => kind);
    const second = planned(withIntent(member('web-1'), 2, 0), 10).stages.flat();
    expect(first).toEqual(['runTask']);
    expect(second.map(({ kind }) => kind)).toEqual(['runTask']);
  });

  it('has a task of its own name from the second attempt on', () => {
    const again = withIntent(asker(), 2, 0);
    expect(currentTaskId(asker())).toBe(batchTaskIdOf(TOKEN, 'at-web-3'));
    expect(currentTaskId(again)).toBe(`${again.metadata.uid}-2`);
    expect(again.control?.batch).toEqual({ token: TOKEN, at: 'at-web-3' });
  });

  it('is meant by its task, and by no task of an attempt that is over', () => {
    const live = NAMES.map((name) => batchTaskIdOf(TOKEN, `at-${name}`));
    const moved = withIntent(member('web-2'), 2, 0);
    const { leaked } = sweepOfTasks(live, [member('web-1'), moved]);
    expect(leaked).toEqual(live.slice(1));
  });
});

describe('asking for a batch', () => {
  let clock: StepClock;
  let store: MemoryStore;
  let effects: Effects;
  let asked: { readonly task: TaskSpec; readonly places: readonly BatchPlace[] }[];
  let stopped: string[];
  let answer: (place: BatchPlace) => BatchAnswer;

  beforeEach(() => {
    clock = new StepClock(1_000);
    store = new MemoryStore({ clock });
    asked = [];
    stopped = [];
    answer = ({ at }) => stateAt(at);
    const runtime = {
      runAlike: async (task: TaskSpec, places: readonly BatchPlace[]) => {
        asked.push({ task, places });
        return places.map(answer);
      },
      stop: async (id: string) => void stopped.push(id),
    } as unknown as Effects['runtime'];
    const recorder = new MemoryRecorder();
    effects = { store, runtime, clock, ids: new SeededIds(1), recorder };
  });

  const key = (name: string) => ({ resource: 'pods', namespace: 'default', name });
  const launch = ({ metadata }: Pod) =>
    runTask(
      { kind: 'runTask', pod: key(metadata.name), podUid: metadata.uid, attempt: 1 },
      effects,
    );
  const stored = async (...pods: readonly Pod[]) => {
    for (const pod of pods) await store.create('pods', pod);
  };
  const controlOf = async (name: string) => (await store.get<Pod>(key(name)))?.control;

  it('names the members that want it, and tells each what came of it', async () => {
    answer = ({ at }) => (at === 'at-web-2' ? new NoCapacity('full') : stateAt(at));
    await stored(member('web-1'), member('web-2'), asker());
    await launch(asker());
    expect(asked.map(({ places }) => places.map(({ at }) => at))).toEqual([
      ['at-web-3', 'at-web-1', 'at-web-2'],
    ]);
    expect(await controlOf('web-1')).toMatchObject({ taskId: stateAt('at-web-1').id });
    expect(await controlOf('web-2')).toMatchObject({ taskStopped: true, refusedAtMs: 1_000 });
    expect(await controlOf('web-3')).toMatchObject({ taskId: stateAt('at-web-3').id });
  });

  it.each([
    ['is being deleted', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }, 1],
    ['is answered for', { control: { taskId: 'x' } }, 1],
    ['is at another attempt', { control: { attempt: 2 } }, 1],
    ['is in another batch', { control: { batch: { token: 'b-other', at: 'x' } } }, 1],
    ['wants it', {}, 2],
  ])('names a member or not: one that %s', async (_what, { metadata, control }: Changes, count) => {
    const one = member('web-1');
    const changed = { metadata: { ...one.metadata, ...metadata } };
    await stored({ ...one, ...changed, control: { ...one.control, ...control } }, asker());
    await launch(asker());
    expect(asked[0]?.places).toHaveLength(count);
  });

  it('waits a moment for members that are yet to be bound', async () => {
    const { nodeName: _, ...spec } = member('web-1').spec;
    await stored({ ...member('web-1'), spec }, asker({ intentAtMs: clock.nowMs() }));
    await expect(launch(asker())).rejects.toThrow(RuntimeUnavailable);
    expect(asked).toEqual([]);
    await clock.advance(BINDING_MS);
    await launch(asker());
    expect(asked[0]?.places).toHaveLength(1);
  });

  it('is done by a member for itself alone', async () => {
    await stored(member('web-1'), asker());
    await launch(member('web-1'));
    expect(asked[0]?.places).toEqual([{ nodeName: 'node-of-web-1', at: 'at-web-1' }]);
  });

  describe('what is told of its tasks later', () => {
    const told = (phase: TaskState['phase']) =>
      handleHealth({ type: 'task', task: stateAt('at-web-1', phase) }, effects);
    const entered = async (batch: string) => {
      const control = { registrationId: 'at-web-1' };
      await store.create('nodes', { ...node('node-of-web-1'), control });
      const written = ledger('node-of-web-1', member('web-1'));
      const allocations = written.allocations.map((entry) => ({ ...entry, batch }));
      await store.create('nodeallocations.nullplane.io', { ...written, allocations });
    };

    it('reaches the pod by the ledger of its node', async () => {
      await stored(member('web-1'));
      await entered(TOKEN);
      expect(await told('pending')).toEqual({ type: 'done' });
      expect(await controlOf('web-1')).toMatchObject({ taskId: stateAt('at-web-1').id });
      expect(stopped).toEqual([]);
    });

    it('ends a task that no ledger knows', async () => {
      await stored(member('web-1'));
      await entered(`b-${'0'.repeat(32)}`);
      await told('running');
      expect(stopped).toEqual([stateAt('at-web-1').id]);
    });

    it('leaves a task alone while the ledger of its node is gone', async () => {
      await stored(member('web-1'));
      await entered(TOKEN);
      const key = {
        resource: 'nodeallocations.nullplane.io',
        namespace: '',
        name: 'node-of-web-1',
      };
      const ledgerThere = await store.get(key);
      if (ledgerThere) await store.remove(key, ledgerThere.metadata);
      await told('running');
      expect(stopped).toEqual([]);
    });

    it('ends a task whose pod has gone on to another attempt', async () => {
      await stored(withIntent(member('web-1'), 2, 0));
      await entered(TOKEN);
      await told('running');
      expect(stopped).toEqual([stateAt('at-web-1').id]);
    });
  });
});

interface Changes {
  readonly metadata?: Partial<Pod['metadata']>;
  readonly control?: PodControl;
}
