/**
 * Passes over a store: what is written, and what becomes of races and of passes that were cut off.
 */
import { describe, expect, it } from 'vitest';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Change } from '../../../shared/api/change.ts';
import { findCondition } from '../../../shared/api/conditions.ts';
import type { Event } from '../../../shared/api/kinds/core.ts';
import type { NodeAllocation } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { KubeObject } from '../../../shared/api/meta.ts';
import type { Effects } from '../../../shared/control/effects.ts';
import { execute } from '../../../shared/control/execute.ts';
import { schedulePass, wakesScheduler } from '../../../shared/control/scheduler.ts';
import { toldBy } from '../../../shared/core/pod/told.ts';
import { DEFAULT_CELL } from '../../../shared/core/scheduling/cells.ts';
import { LEDGERS } from '../../../shared/core/scheduling/ledger.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import type { TaskRuntime } from '../../../shared/ports/runtime.ts';
import { container, ledger, node, pod, running, snapshot } from './fixtures.ts';

const WRITERS = { nodes: 'Node', pods: 'Pod' };

async function world(...objects: readonly KubeObject[]) {
  const changes: Change[] = [];
  const clock = new StepClock();
  const store = new MemoryStore({ clock, onCommit: (change) => changes.push(change) });
  for (const object of objects) {
    await store.create(object.kind === WRITERS.nodes ? 'nodes' : 'pods', object);
  }
  changes.length = 0;
  const effects: Effects = {
    store,
    clock,
    ids: new SeededIds(1),
    recorder: new MemoryRecorder(),
    runtime: {} as TaskRuntime, // placement runs nothing
  };
  const list = async <T extends KubeObject>(resource: string) =>
    (await store.list<T>({ resource })).items;
  return {
    effects,
    changes,
    store,
    pass: () => schedulePass(DEFAULT_CELL, effects),
    pods: () => list<Pod>('pods'),
    ledgers: () => list<NodeAllocation>(LEDGERS),
    events: () => list<Event>('events'),
    read: async () =>
      snapshot({
        nodes: await list('nodes'),
        ledgers: await list(LEDGERS),
        pods: await list('pods'),
      }),
  };
}

const half = { cpu: '2' };
const places = (pods: readonly Pod[]) => pods.map((p) => `${p.metadata.name}@${p.spec.nodeName}`);

describe('a pass', () => {
  it('enters the pod in the ledger, then binds it with its launch intent', async () => {
    const w = await world(node('a'), pod('p', { requests: half }));
    expect(await w.pass()).toEqual({ type: 'done' });
    expect(w.changes.map(({ resource }) => resource)).toEqual([LEDGERS, 'pods']);
    const [bound] = await w.pods();
    expect(bound?.spec.nodeName).toBe('a');
    expect(bound?.control).toMatchObject({ attempt: 1, intentAtMs: w.effects.clock.nowMs() });
    expect(bound?.control?.decision).toMatchObject({ outcome: 'placed', nodes: 1, open: 1 });
    expect(findCondition(bound?.status.conditions, 'PodScheduled')?.status).toBe('True');
    const [ledger] = await w.ledgers();
    expect(ledger?.allocations).toEqual([
      { podUid: 'uid-default-p', podName: 'p', namespace: 'default', requests: { cpu: 2000 } },
    ]);
    expect(bound && toldBy(bound).map(({ message }) => message)).toEqual([
      'Successfully assigned default/p to a: best of 1 of 1 nodes',
    ]);
  });

  it('says once why a pod waits, and then is silent', async () => {
    const w = await world(node('a'), pod('p', { requests: { cpu: '5' } }));
    await w.pass();
    const [waiting] = await w.pods();
    expect(findCondition(waiting?.status.conditions, 'PodScheduled')).toMatchObject({
      status: 'False',
      reason: 'Unschedulable',
      message:
        '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: ' +
        '1 No preemption victims found for incoming pod.',
    });
    expect((await w.events()).map(({ type, reason }) => [type, reason])).toEqual([
      ['Warning', 'FailedScheduling'],
    ]);
    expect(w.changes.filter(wakesScheduler)).toEqual([]);
    const writes = w.changes.length;
    await w.pass();
    expect(w.changes).toHaveLength(writes);
  });

  it('says that a gated pod waits for its gates', async () => {
    const w = await world(node('a'), pod('p', { spec: { schedulingGates: [{ name: 'quota' }] } }));
    await w.pass();
    const [gated] = await w.pods();
    expect(findCondition(gated?.status.conditions, 'PodScheduled')).toMatchObject({
      status: 'False',
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
    });
    expect(await w.events()).toEqual([]);
  });

  it('moves a pod back that asks for it, and is silent where there is nowhere to', async () => {
    const virtual = { 'nullplane.io/compute': 'fargate' };
    const nodes = [
      node('f', { labels: virtual }),
      node('fs', { labels: { ...virtual, 'karpenter.sh/capacity-type': 'spot' } }),
    ] as const;
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'rs' };
    const annotations = {
      'nullplane.io/capacity-preference': 'fargate-spot',
      'nullplane.io/spill-back': '10m',
    };
    const meta = { annotations, ownerReferences: [{ ...owner, controller: true }] };
    const status = { conditions: [{ type: 'Ready', status: 'True' } as const] };
    const p = running('f', pod('p', { meta, status }));
    const w = await world(...nodes, p);
    expect(await w.pass()).toEqual({ type: 'after', ms: 10_000 });
    expect((await w.pods())[0]?.metadata.deletionTimestamp).toBeDefined();
    expect((await w.events()).map(({ reason }) => reason)).toEqual(['SpillBack']);
    const alone = await world(nodes[0], p);
    expect(await alone.pass()).toEqual({ type: 'done' });
    expect(alone.changes).toEqual([]);
  });

  it('keeps no ledger for a virtual node', async () => {
    const w = await world(node('f', { labels: { 'nullplane.io/compute': 'fargate' } }), pod('p'));
    await w.pass();
    expect(places(await w.pods())).toEqual(['p@f']);
    expect(await w.ledgers()).toEqual([]);
  });

  it('enters what runs on a node in the ledger that it has anew', async () => {
    const control = { attempt: 1, batch: { token: 'b-1', at: 'registered' } };
    const there = { ...running('a', pod('there', { requests: half })), control };
    const w = await world(node('a'), there, pod('p', { requests: half }));
    await w.pass();
    const [ledger] = await w.ledgers();
    const entered = ledger?.allocations.map(({ podName, batch }) => [podName, batch]);
    expect(entered).toEqual([
      ['there', 'b-1'],
      ['p', undefined],
    ]);
  });

  it.each([
    ['an amount that is none', { containers: [container({ cpu: 'abc' })] }],
    ['no resources', { containers: [{ name: 'main', image: 'app' }] }],
    ['no containers', { containers: undefined }],
    ['an empty list of them', { containers: [] }],
  ])('places the others beside pods with %s (B7)', async (_, spoilt) => {
    const spec = spoilt as unknown as Partial<Pod['spec']>;
    const sick = running('a', pod('sick', { spec }));
    const w = await world(node('a'), sick, pod('waits', { spec }), pod('p', { requests: half }));
    const entry = { podUid: 'uid-default-sick', podName: 'sick', namespace: 'default' };
    const held = { ...ledger('a'), allocations: [{ ...entry, requests: { cpu: 3000 } }] };
    await w.store.create(LEDGERS, held);
    await w.store.create('nodes', node('b'));
    expect(await w.pass()).toEqual({ type: 'done' });
    expect(places(await w.pods())).toEqual(['p@b', 'sick@a', 'waits@undefined']);
    expect((await w.pods()).find(({ metadata }) => metadata.name === 'sick')?.spec).toEqual(
      JSON.parse(JSON.stringify(sick.spec)),
    );
  });

  it('drops entries of pods that are gone with the next write of the ledger', async () => {
    const w = await world(node('a'), pod('p', { requests: half }));
    await w.pass();
    const [old] = await w.pods();
    if (old)
      await w.store.remove({ resource: 'pods', namespace: 'default', name: 'p' }, old.metadata);
    await w.store.create('pods', pod('q', { requests: half }));
    await w.pass();
    const [ledger] = await w.ledgers();
    expect(ledger?.allocations.map(({ podName }) => podName)).toEqual(['q']);
  });
});

describe('two passes from one snapshot', () => {
  const cases = [
    { name: 'when neither found a ledger', before: [] },
    { name: 'when both found the same ledger', before: [pod('0', { requests: { cpu: '1' } })] },
  ];
  it.each(cases)('give room away once $name', async ({ before }) => {
    const w = await world(node('a'), ...before);
    await w.pass();
    for (const name of ['p', 'q']) await w.store.create('pods', pod(name, { requests: half }));
    const seen = await w.read();
    const only = (name: string) =>
      seen.pods.filter((p) => p.spec.nodeName !== undefined || p.metadata.name === name);
    const [first] = schedule({ ...seen, pods: only('p') }, 0).plans;
    const [second] = schedule({ ...seen, pods: only('q') }, 0).plans;
    if (!first || !second) throw new Error('both were to place their pod');
    await execute(first, w.effects);
    await expect(execute(second, w.effects)).rejects.toThrow();
    const q = (await w.pods()).find((p) => p.metadata.name === 'q');
    expect(q?.spec.nodeName).toBeUndefined();
  });

  it('has the pass that lost try again', async () => {
    const w = await world(node('a'), pod('p', { requests: half }), pod('q', { requests: half }));
    const outcomes = await Promise.all([w.pass(), w.pass()]);
    expect(outcomes.map(({ type }) => type).sort()).toEqual(['done', 'retry']);
    expect(await w.pass()).toEqual({ type: 'done' });
    expect(places(await w.pods())).toEqual(['p@a', 'q@a']);
  });
});

describe('a pass that was cut off between the ledger and the binding', () => {
  async function cutOff() {
    const w = await world(node('a'), node('b'), pod('p', { requests: { cpu: '3' } }));
    const [plan] = schedule(await w.read(), 0).plans;
    await execute({ blocked: [], stages: plan?.stages.slice(0, 1) ?? [] }, w.effects);
    return w;
  }

  it('is finished by the next, on the same node', async () => {
    const w = await cutOff();
    await w.store.create('pods', pod('first', { requests: { cpu: '3' }, spec: { priority: 9 } }));
    await w.pass();
    expect(places(await w.pods())).toEqual(['first@b', 'p@a']);
    expect((await w.ledgers()).map(({ allocations }) => allocations.length)).toEqual([1, 1]);
  });

  it('has its room kept until the pod is seen bound elsewhere', async () => {
    const w = await cutOff();
    const [a] = (await w.store.list<ReturnType<typeof node>>({ resource: 'nodes' })).items;
    if (a) await w.store.update('nodes', { ...a, spec: { unschedulable: true } });
    await w.pass();
    expect(places(await w.pods())).toEqual(['p@b']);
  });

  it('has its room given back when the pod is gone', async () => {
    const w = await cutOff();
    const [p] = await w.pods();
    if (p) await w.store.remove({ resource: 'pods', namespace: 'default', name: 'p' }, p.metadata);
    for (const name of ['q', 'r']) {
      await w.store.create('pods', pod(name, { requests: { cpu: '3' } }));
    }
    await w.pass();
    expect(places(await w.pods())).toEqual(['q@a', 'r@b']);
  });
});
