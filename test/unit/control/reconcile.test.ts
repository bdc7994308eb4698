import { describe, expect, it } from 'vitest';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { AnyController } from '../../../shared/control/controller.ts';
import type { Effects } from '../../../shared/control/effects.ts';
import { reconcile } from '../../../shared/control/reconcile.ts';
import { create } from '../../../shared/core/plan.ts';
import type { TaskRuntime } from '../../../shared/ports/runtime.ts';
import { pod } from '../scheduling/fixtures.ts';

const KEY = { resource: 'replicasets.apps', namespace: 'default', name: 'web' };

/** One that takes its time to look, and wants a pod. */
async function lookedFor(ms: number) {
  const clock = new StepClock();
  const store = new MemoryStore({ clock });
  const recorder = new MemoryRecorder();
  const effects: Effects = {
    ...{ store, clock, recorder, ids: new SeededIds(1) },
    runtime: {} as TaskRuntime, // nothing runs
  };
  const controller: AnyController = {
    name: 'replicaset',
    resource: KEY.resource,
    wakes: () => [],
    snapshot: async () => {
      await clock.advance(ms);
      return {};
    },
    plan: () => ({ stages: [[create('pods', pod('web-1'))]], blocked: [] }),
  };
  const outcome = await reconcile({ controller, key: KEY }, effects);
  const { items } = await store.list({ resource: 'pods' });
  return { outcome, made: items.length };
}

describe('a look at an object', () => {
  it('is acted on', async () => {
    expect(await lookedFor(20_000)).toEqual({ outcome: { type: 'done' }, made: 1 });
  });

  it('is of no use when it took so long that somebody else may have looked since', async () => {
    const { outcome, made } = await lookedFor(20_001);
    expect(outcome).toMatchObject({ type: 'retry' });
    expect(made).toBe(0);
  });
});
