/** Health on ECS, from the check in a container to the pod: polled, folded, and acted upon. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import type { Container } from '../../../shared/api/kinds/container.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { Effects } from '../../../shared/control/effects.ts';
import { handleHealth } from '../../../shared/control/health.ts';
import { PodConfig } from '../../../shared/control/pod-config.ts';
import { needsPolling, POLL_INTERVAL_MS, pollHealth } from '../../../shared/control/poll-health.ts';
import { taskSpecOf } from '../../../shared/control/task-spec.ts';
import type { Behaviour } from '../model/ecs/behaviour.ts';
import { container, makePod } from '../../unit/pod/pod-life.ts';
import { EcsWorld } from './harness.ts';

const probe = {
  exec: { command: ['true'] },
  ...{ periodSeconds: 5, timeoutSeconds: 2, successThreshold: 1, failureThreshold: 2 },
};

let world: EcsWorld;
let effects: Effects;
beforeEach(() => {
  world = new EcsWorld();
  const { clock, recorder } = world;
  const store = new MemoryStore({ clock });
  effects = { store, runtime: world.runtime(), clock, ids: new SeededIds(1), recorder };
});

/** A pod whose task runs, and whatever ECS told of it was heard. */
async function runningPod(probes: Partial<Container>, behaviour: Behaviour = {}): Promise<void> {
  const command = ['nullplane-test', JSON.stringify(behaviour)];
  const given = makePod({ containers: [container('app', { command, ...probes })] });
  const spec = { ...given.spec, nodeName: 'fargate' };
  const uid = '6f9d8a52-7a0e-4b62-9f0b-000000000001';
  const made: Pod = { ...given, metadata: { ...given.metadata, uid }, spec };
  const pod = await effects.store.create<Pod>('pods', { ...made, control: { attempt: 1 } });
  await world.during(effects.runtime.run(taskSpecOf(pod, new PodConfig(new Map()))));
  await world.clock.advance(3_000);
  await hear();
}

async function hear(): Promise<void> {
  for (const message of world.messages.splice(0)) await handleHealth(message, effects);
}

async function pod(): Promise<Pod> {
  const found = await effects.store.get<Pod>({
    ...{ resource: 'pods', namespace: 'default', name: 'web-1' },
  });
  if (!found) throw new Error('the pod is gone');
  return found;
}

async function isReady(): Promise<boolean | undefined> {
  return (await pod()).status.containerStatuses?.[0]?.ready;
}

async function events(): Promise<string[]> {
  const { items } = await effects.store.list({ resource: 'events' });
  return items.map(({ reason, message }) => `${String(reason)}: ${String(message)}`);
}

const poll = () => world.during(pollHealth(effects));

describe('polling', () => {
  it('is not needed while no pod has probes, and ends when none has them any more', async () => {
    await runningPod({});
    expect(needsPolling(await pod())).toBe(false);
    world.model.calls.clear();
    expect(await poll()).toEqual({ type: 'done' });
    expect(world.model.calls.counts).toEqual({});
  });

  it('makes a container ready whose check has passed', async () => {
    await runningPod({ readinessProbe: probe }, { readyAfterMs: 8_000 });
    expect(needsPolling(await pod())).toBe(true);
    expect(await isReady()).toBe(false);
    expect(await poll()).toEqual({ type: 'after', ms: POLL_INTERVAL_MS });
    expect(await isReady()).toBe(false);
    await world.clock.advance(10_000);
    await poll();
    expect(await isReady()).toBe(true);
  });

  it('writes nothing while nothing changes', async () => {
    await runningPod({ readinessProbe: probe });
    await world.clock.advance(10_000);
    await poll();
    const before = await pod();
    await world.clock.advance(15_000);
    await poll();
    expect((await pod()).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });

  it('takes readiness away, leaves the task alone, and says so', async () => {
    await runningPod({ readinessProbe: probe }, { unhealthyAfterMs: 20_000 });
    await world.clock.advance(10_000);
    await poll();
    expect(await isReady()).toBe(true);
    await world.clock.advance(30_000);
    await poll();
    expect(await isReady()).toBe(false);
    expect((await pod()).control?.taskStopped).toBeUndefined();
    expect(await events()).toContain(
      'Unhealthy: Readiness probe failed: the health check on ECS has failed',
    );
    expect(world.model.calls.count('StopTask')).toBe(0);
  });

  it('keeps what it knows when an event comes that is silent on health', async () => {
    await runningPod({ readinessProbe: probe });
    await world.clock.advance(10_000);
    await poll();
    const [record] = [...world.model.ecs.world.tasks.values()];
    if (record) world.model.ecs.world.changed(record);
    await world.clock.advance(1_000);
    expect(world.messages).toHaveLength(1);
    await hear();
    expect(await isReady()).toBe(true);
  });

  it('ends a task whose liveness has failed, once, and says so', async () => {
    await runningPod({ livenessProbe: probe }, { unhealthyAfterMs: 10_000 });
    await world.clock.advance(5_000);
    await poll();
    expect(world.model.calls.count('StopTask')).toBe(0);
    await world.clock.advance(30_000);
    await poll();
    await poll();
    expect(world.model.calls.count('StopTask')).toBe(1);
    expect(await events()).toContain(
      'Killing: Container app failed liveness probe, will be restarted',
    );
    await world.clock.advance(40_000);
    await hear();
    expect((await pod()).control?.taskStopped).toBe(true);
    expect(await poll()).toEqual({ type: 'done' });
  });

  it('comes again when ECS does not answer', async () => {
    await runningPod({ readinessProbe: probe });
    world.model.faults.add({ kind: 'throttle', operation: 'DescribeTasks', times: 1 });
    expect((await poll()).type).toBe('retry');
    expect((await poll()).type).toBe('after');
  });
});
