/**
 * One sweep with a dead stream: nothing but the sweep wakes anything (W1), and then nothing is left
 * to do (W2).
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryQueue } from '../../../adapters/memory/memory-queue.ts';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { SimulatedRuntime } from '../../../adapters/memory/simulated-runtime.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { localNodes } from '../../../local/nodes.ts';
import { expectedOf, keyOf } from '../../../shared/api/change.ts';
import type { Event } from '../../../shared/api/kinds/core.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { Deployment } from '../../../shared/api/kinds/workloads.ts';
import { draftMeta } from '../../../shared/api/meta.ts';
import { resourceType } from '../../../shared/api/resources.ts';
import { withDefaults } from '../../../shared/api/defaults.ts';
import { rfc3339 } from '../../../shared/api/time.ts';
import { ensureSystemObjects } from '../../../shared/control/apiserver/system-objects.ts';
import type { Outcome } from '../../../shared/control/controller.ts';
import { allControllers } from '../../../shared/control/registry.ts';
import type { Routes } from '../../../shared/control/router.ts';
import { sweep } from '../../../shared/control/sweep.ts';
import { workOnCell, workOnKey } from '../../../shared/control/work-on.ts';

const DEPLOYMENTS = 'deployments.apps';
const HOUR_MS = 3_600_000;

/** A plane whose table has no stream and whose runtime tells nobody anything. */
class SilentPlane {
  readonly clock = new StepClock();
  writes = 0;
  readonly store = new MemoryStore({ clock: this.clock, onCommit: () => void this.writes++ });
  readonly runtime = new SimulatedRuntime({ clock: this.clock, emit: () => {} });
  readonly ids = new SeededIds(1);
  readonly recorder = new MemoryRecorder();
  readonly reconcileQueue = new MemoryQueue({ clock: this.clock });
  readonly scheduleQueue = new MemoryQueue({ clock: this.clock });
  readonly routes: Routes = {
    controllers: allControllers({ caPem: 'PEM' }),
    reconcileQueue: this.reconcileQueue,
    scheduleQueue: this.scheduleQueue,
  };

  async sweepOnce(): Promise<void> {
    await sweep(this, this.routes);
    while (
      (await this.#drain(this.reconcileQueue, workOnKey)) ||
      (await this.#drain(this.scheduleQueue, workOnCell))
    );
  }

  async #drain(
    queue: MemoryQueue,
    work: (body: string, effects: this, routes: Routes) => Promise<Outcome>,
  ): Promise<boolean> {
    const deliveries = await queue.receive(10, 0);
    for (const delivery of deliveries) {
      await work(delivery.body, this, this.routes);
      await queue.ack(delivery);
    }
    return deliveries.length > 0;
  }
}

async function createDeployment(plane: SilentPlane): Promise<void> {
  const labels = { app: 'web' };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'app', image: 'app:1' }] },
  };
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: draftMeta({ name: 'web', namespace: 'default', uid: plane.ids.uid() }),
    spec: { replicas: 2, selector: { matchLabels: labels }, template },
  };
  await plane.store.create(DEPLOYMENTS, withDefaults(resourceType(DEPLOYMENTS), object));
}

describe('a sweep', () => {
  let plane: SilentPlane;
  const web = { resource: DEPLOYMENTS, namespace: 'default', name: 'web' };

  beforeEach(async () => {
    plane = new SilentPlane();
    await ensureSystemObjects(plane);
    for (const node of localNodes([], plane.clock.nowMs())) {
      const metadata = { ...node.metadata, uid: plane.ids.uid() };
      await plane.store.create('nodes', { ...node, metadata });
    }
    await createDeployment(plane);
  });

  it('alone brings a Deployment from its spec to running tasks, in one run', async () => {
    await plane.sweepOnce();
    expect(await plane.runtime.list()).toHaveLength(2);
    expect((await plane.store.get<Deployment>(web))?.status.availableReplicas).toBe(2);
  });

  it('of a world that is as it should be writes nothing', async () => {
    await plane.sweepOnce();
    const before = plane.writes;
    await plane.sweepOnce();
    expect(plane.writes).toBe(before);
  });

  it('hears of a task that ended unheard, and follows it to the next attempt', async () => {
    await plane.sweepOnce();
    const [task = ''] = await plane.runtime.list();
    plane.runtime.killTask(task, 1);
    await plane.sweepOnce();
    const pods = (await plane.store.list<Pod>({ resource: 'pods' })).items;
    const restarts = pods.map((pod) => pod.status.containerStatuses?.[0]?.restartCount);
    expect(restarts.sort()).toEqual([0, 1]);
    expect((await plane.store.get<Deployment>(web))?.status.availableReplicas).toBe(2);
  });

  it('stops a task whose pod is gone', async () => {
    await plane.sweepOnce();
    const [pod] = (await plane.store.list<Pod>({ resource: 'pods' })).items;
    if (!pod) throw new Error('there is no pod');
    await plane.store.remove(keyOf('pods', pod), expectedOf(pod));
    await plane.sweepOnce();
    const live = await plane.runtime.list();
    expect(live).toHaveLength(2); // the other one, and the replacement
    expect(live.some((id) => id.startsWith(pod.metadata.uid))).toBe(false);
  });

  it('lets events go that are older than an hour', async () => {
    const at = (name: string, atMs: number): Event => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: draftMeta({ name, namespace: 'default', uid: name }),
      involvedObject: {},
      lastTimestamp: rfc3339(atMs),
      reportingComponent: '',
      reportingInstance: '',
    });
    const nowMs = plane.clock.nowMs();
    await plane.store.create('events', at('old', nowMs - HOUR_MS - 1_000));
    await plane.store.create('events', at('new', nowMs));
    await plane.sweepOnce();
    const names = (await plane.store.list({ resource: 'events' })).items.map(
      (e) => e.metadata.name,
    );
    expect(names).toContain('new');
    expect(names).not.toContain('old');
  });
});
