/** The sweep as messages: late ones are dropped, parts come page by page, one a kind at a time. */
import { describe, expect, it } from 'vitest';
import { MemoryQueue } from '../../../adapters/memory/memory-queue.ts';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { SimulatedRuntime } from '../../../adapters/memory/simulated-runtime.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { rfc3339 } from '../../../shared/api/time.ts';
import { allControllers } from '../../../shared/control/registry.ts';
import { sweepParts } from '../../../shared/control/sweep.ts';
import { workOnKey } from '../../../shared/control/work-on.ts';

function plane() {
  const clock = new StepClock();
  const reconcileQueue = new MemoryQueue({ clock });
  const scheduleQueue = new MemoryQueue({ clock });
  const effects = {
    clock,
    store: new MemoryStore({ clock }),
    runtime: new SimulatedRuntime({ clock, emit: () => {} }),
    ids: new SeededIds(1),
    recorder: new MemoryRecorder(),
  };
  const routes = { controllers: allControllers({ caPem: 'PEM' }), reconcileQueue, scheduleQueue };
  const work = (body: string) => workOnKey(body, effects, routes);
  /** Works on all messages there are; the bodies, in order. */
  const drain = async (): Promise<string[]> => {
    const bodies: string[] = [];
    for (;;) {
      const [delivery] = await reconcileQueue.receive(1, 0);
      if (!delivery) return bodies;
      bodies.push(delivery.body);
      if (delivery.body.startsWith('sweep')) await work(delivery.body);
      await reconcileQueue.ack(delivery);
    }
  };
  return { ...effects, routes, work, drain, scheduleQueue };
}

describe('a sweep as messages', () => {
  it('is a message a part, and wakes the scheduler', async () => {
    const { work, drain, clock, scheduleQueue } = plane();
    expect(await work(`sweep ${rfc3339(clock.nowMs())}`)).toEqual({ type: 'done' });
    expect(await drain()).toHaveLength(sweepParts().length);
    expect(await scheduleQueue.receive(10, 0)).toHaveLength(1);
  });

  it('is dropped when it comes late', async () => {
    const { work, drain, clock } = plane();
    await work(`sweep ${rfc3339(clock.nowMs() - 121_000)}`);
    expect(await drain()).toEqual([]);
  });

  it('goes on page by page', async () => {
    const { work, drain, store } = plane();
    for (let i = 0; i < 1_100; i++) {
      const metadata = {
        name: `m${i}`,
        namespace: 'x',
        uid: `u${i}`,
        resourceVersion: '',
        creationTimestamp: '',
      };
      await store.create('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata });
    }
    await work('sweep-part {"part":"resource","resource":"configmaps"}');
    expect((await drain()).filter((body) => body.startsWith('sweep-part'))).toHaveLength(2);
  });

  it.each(['sweep-part nonsense', 'sweep-part {"part":"x"}', 'sweep-part {"part":"resource"}'])(
    'drops %s, and says so',
    async (body) => {
      const { work, recorder } = plane();
      expect(await work(body)).toEqual({ type: 'done' });
      expect(JSON.stringify(recorder)).toContain('unknown work dropped');
    },
  );
});
