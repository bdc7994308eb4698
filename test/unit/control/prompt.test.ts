/**
 * Prompt wakes: the written object's own key and the scheduler, under a cause the stream repeats.
 */
import { describe, expect, it } from 'vitest';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Change } from '../../../shared/api/change.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { promptly } from '../../../shared/control/prompt.ts';
import { allControllers } from '../../../shared/control/registry.ts';
import { route, type Routes } from '../../../shared/control/router.ts';
import type { Queue, WorkMessage } from '../../../shared/ports/queue.ts';

class Sent implements Queue {
  readonly messages: WorkMessage[] = [];
  failing = false;
  async send(messages: readonly WorkMessage[]): Promise<void> {
    if (this.failing) throw new Error('down');
    this.messages.push(...messages);
  }
  receive = async () => [];
  ack = async () => {};
  release = async () => {};
  deadLetters = async () => [];
}

function plane() {
  const changes: Change[] = [];
  const store = new MemoryStore({ clock: new StepClock(), onCommit: (c) => void changes.push(c) });
  const [reconcileQueue, scheduleQueue] = [new Sent(), new Sent()];
  const controllers = allControllers({ caPem: 'PEM' });
  const routes: Routes = { controllers, reconcileQueue, scheduleQueue };
  const recorder = new MemoryRecorder();
  const prompt = promptly({ store, recorder }, routes);
  return { store, changes, reconcileQueue, scheduleQueue, routes, prompt };
}

function pod(name: string, nodeName = 'n'): AnyObject {
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: 'rs',
    uid: 'rs-uid',
    controller: true,
  };
  const metadata = {
    name,
    namespace: 'x',
    uid: `uid-${name}`,
    resourceVersion: '',
    creationTimestamp: '',
    ownerReferences: [owner],
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { nodeName, schedulerName: 'default-scheduler', containers: [] },
    status: {},
  };
}

describe('prompt wakes', () => {
  it('go to the keys that were written, once, and to no owner', async () => {
    const { prompt, reconcileQueue } = plane();
    const created = await prompt.store.create('pods', pod('a'));
    await prompt.store.create('pods', pod('b'));
    expect(reconcileQueue.messages).toEqual([]);
    await prompt.flush();
    const cause = created.metadata.resourceVersion;
    expect(reconcileQueue.messages).toContainEqual({
      group: 'pod:pods/x/a',
      body: 'pod:pods/x/a',
      cause,
    });
    expect(reconcileQueue.messages.map(({ body }) => body)).toEqual([
      'pod:pods/x/a',
      'pod:pods/x/b',
    ]);
    await prompt.flush();
    expect(reconcileQueue.messages).toHaveLength(2);
  });

  it('go to the scheduler for pods without a node, as one message', async () => {
    const { prompt, scheduleQueue } = plane();
    for (const name of ['a', 'b']) await prompt.store.create('pods', pod(name, ''));
    await prompt.flush();
    expect(scheduleQueue.messages).toHaveLength(1);
  });

  it('come again from the stream under one cause; what wakes others has none', async () => {
    const { prompt, store, changes, routes, reconcileQueue } = plane();
    await prompt.store.create('pods', pod('a'));
    await prompt.flush();
    const [prompted] = reconcileQueue.messages.splice(0);
    await route(changes, store, routes);
    const streamed = reconcileQueue.messages;
    expect(streamed).toContainEqual(prompted);
    const others = streamed.filter(({ body }) => body.startsWith('replicaset:'));
    expect(others.map(({ cause }) => cause)).toEqual([undefined]);
  });

  it('are left to the stream when the queue is down', async () => {
    const { prompt, reconcileQueue } = plane();
    await prompt.store.create('pods', pod('a'));
    reconcileQueue.failing = true;
    await prompt.flush();
    reconcileQueue.failing = false;
    await prompt.flush();
    expect(reconcileQueue.messages).toEqual([]);
  });
});
