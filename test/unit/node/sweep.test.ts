import { describe, expect, it } from 'vitest';
import { MemoryInstances } from '../../../adapters/memory/memory-instances.ts';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { SimulatedRuntime } from '../../../adapters/memory/simulated-runtime.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Change } from '../../../shared/api/change.ts';
import type { Node } from '../../../shared/api/kinds/node.ts';
import { draftMeta } from '../../../shared/api/meta.ts';
import { execute } from '../../../shared/control/execute.ts';
import { handleHealth } from '../../../shared/control/health.ts';
import { CLAIMS } from '../../../shared/core/capacity/claim/state.ts';
import { KEEP_LEAKED_ANNOTATION, sweepNodes } from '../../../shared/control/sweep-nodes.ts';
import { ensureVirtualNodes } from '../../../shared/control/virtual-nodes.ts';
import { CONFIRMED_AFTER_MS, JOINS_WITHIN_MS } from '../../../shared/core/node/sweep.ts';
import { hasTaint, nodeControl, nodeView } from '../../../shared/core/node/state.ts';
import { inOrder } from '../../../shared/core/plan.ts';
import { InstancesUnavailable } from '../../../shared/ports/instances.ts';
import { INSTANCE, machine, T0 } from './fixtures.ts';

const SWEEP_MS = 300_000;
const REQUEST = {
  claimUid: 'c',
  types: ['m5.large'],
  zones: ['a'],
  capacityType: 'on-demand' as const,
  labels: {},
  taints: [],
  tags: {},
};

async function world(count = 0) {
  const clock = new StepClock(T0);
  const changes: Change[] = [];
  const store = new MemoryStore({ clock, onCommit: (change) => void changes.push(change) });
  const shapes = { 'm5.large': { cpus: 2, memoryMiB: 8192, arch: 'amd64' as const } };
  const instances = new MemoryInstances({ clock, shapes });
  const recorder = new MemoryRecorder();
  const runtime = new SimulatedRuntime({ clock, emit: () => {} });
  const effects = { store, clock, instances, recorder, runtime, ids: new SeededIds(1) };
  const launched = count > 0 ? (await instances.launch({ ...REQUEST, count })).instances : [];
  const ids = launched.map(({ id }) => id);
  for (const id of ids) instances.register(id);
  if (count > 0) await sweepNodes(effects);
  const node = (name = ids[0] ?? '') => store.get<Node>({ resource: 'nodes', namespace: '', name });
  const goneCount = async () =>
    (await store.list<Node>({ resource: 'nodes' })).items.filter((n) => nodeView(n) === 'gone')
      .length;
  const sweep = () => sweepNodes(effects);
  return { ...effects, effects, ids, node, sweep, goneCount, changes };
}

describe('the sweep of nodes', () => {
  it('makes the nodes whose events were lost, and then writes nothing', async () => {
    const { store, sweep, changes } = await world(3);
    expect((await store.list({ resource: 'nodes' })).items).toHaveLength(3);
    changes.length = 0;
    await sweep();
    expect(changes).toEqual([]);
  });

  it('does nothing where there are no machines', async () => {
    const { effects, changes } = await world();
    const { instances: _, ...local } = effects;
    await sweepNodes(local);
    expect(changes).toEqual([]);
  });

  it('repairs what the agent told: out of sight, and back', async () => {
    const { instances, ids, node, sweep, clock } = await world(1);
    instances.register(ids[0]!, { agentConnected: false });
    await clock.advance(SWEEP_MS);
    await sweep();
    expect(nodeControl((await node())!).status).toBe('disconnected');
    instances.register(ids[0]!, { agentConnected: true });
    await sweep();
    expect(nodeControl((await node())!).status).toBe('connected');
  });

  it('takes a machine without registration for lost from sight, and no more, once', async () => {
    const { instances, ids, node, sweep, changes } = await world(1);
    const [{ registration: _, ...bare }] = (await instances.list()) as [typeof INSTANCE];
    instances.add(bare);
    await sweep();
    expect(nodeControl((await node(ids[0]))!).status).toBe('disconnected');
    changes.length = 0;
    await sweep();
    expect(changes).toEqual([]);
  });

  it('hears that a machine goes down, and that it is up again', async () => {
    const { instances, node, sweep, clock } = await world(1);
    const [instance] = await instances.list();
    instances.add({ ...instance!, state: 'stopping' });
    await sweep();
    expect(hasTaint((await node())!, 'karpenter.sh/disrupted')).toBe(true);
    instances.add({ ...instance!, state: 'stopped' });
    await sweep();
    expect(nodeControl((await node())!).status).toBe('disconnected');
    instances.add(instance!);
    instances.register(instance!.id, { agentConnected: true });
    await clock.advance(2 * SWEEP_MS);
    await sweep();
    expect(hasTaint((await node())!, 'karpenter.sh/disrupted')).toBe(false);
    expect(nodeControl((await node())!).status).toBe('connected');
  });

  it.each(['terminated', 'forgotten'])('finds that a machine is %s', async (how) => {
    const { instances, ids, node, sweep } = await world(1);
    if (how === 'terminated') instances.end(ids[0]!);
    else instances.forget(ids[0]!);
    await sweep();
    expect(nodeView(await node())).toBe('gone');
  });

  it('concludes nothing from a machine that is merely not listed', async () => {
    const { effects, instances, node, changes } = await world(1);
    const empty = Object.assign(Object.create(instances) as typeof instances, {
      list: () => Promise.resolve([]),
      describe: () => Promise.resolve([]),
    });
    changes.length = 0;
    await sweepNodes({ ...effects, instances: empty });
    expect(changes).toEqual([]);
    expect(nodeView(await node())).toBe('ready');
  });

  it('concludes nothing from an answer that fails', async () => {
    const { instances, sweep, changes } = await world(1);
    changes.length = 0;
    instances.setDown(true);
    await expect(sweep()).rejects.toThrow(InstancesUnavailable);
    expect(changes).toEqual([]);
  });

  it('looks at no nodes but those of machines', async () => {
    const { effects, store, sweep } = await world(1);
    await ensureVirtualNodes(effects, 'eu-west-1');
    const plain = { metadata: draftMeta({ name: 'mine', uid: 'u' }), spec: {}, status: {} };
    await store.create('nodes', { apiVersion: 'v1', kind: 'Node', ...plain });
    await sweep();
    const { items } = await store.list<Node>({ resource: 'nodes' });
    expect(items.map(nodeView)).toEqual(['ready', 'ready', 'ready', 'ready']);
  });
});

describe('many machines that end at once', () => {
  it('are believed up to three, or a third', async () => {
    const small = await world(3);
    for (const id of small.ids) small.instances.end(id);
    await small.sweep();
    expect(await small.goneCount()).toBe(3);
    const large = await world(12);
    for (const id of large.ids.slice(0, 4)) large.instances.end(id);
    await large.sweep();
    expect(await large.goneCount()).toBe(4);
  });

  it('are believed above that only when they are still said to have ended later', async () => {
    const { instances, ids, sweep, goneCount, clock, recorder } = await world(6);
    for (const id of ids.slice(0, 4)) instances.end(id);
    await sweep();
    await clock.advance(SWEEP_MS);
    await sweep();
    expect(await goneCount()).toBe(0);
    expect(recorder.logs.at(-1)?.message).toBe('too many machines ended at once to be believed');
    await clock.advance(CONFIRMED_AFTER_MS - SWEEP_MS);
    await sweep();
    expect(await goneCount()).toBe(4);
  });

  it('are taken for alive again when they are seen', async () => {
    const { instances, ids, node, sweep, clock } = await world(6);
    const all = await instances.list();
    for (const id of ids) instances.end(id);
    await sweep();
    expect(nodeControl((await node())!).endedSinceMs).toBe(T0);
    for (const instance of all) instances.add(instance);
    await clock.advance(2 * SWEEP_MS);
    await sweep();
    expect(nodeControl((await node())!).endedSinceMs).toBeUndefined();
  });
});

describe('machines that nobody means', () => {
  async function leaked(count: number) {
    const made = await world();
    await made.instances.launch({ ...REQUEST, count });
    await made.clock.advance(JOINS_WITHIN_MS + 1);
    const alive = async () => (await made.instances.list()).length;
    return { ...made, alive };
  }

  it('are ended after a quarter of an hour, a few at a time', async () => {
    const { sweep, alive } = await leaked(7);
    await sweep();
    expect(await alive()).toBe(2);
    await sweep();
    expect(await alive()).toBe(0);
  });

  it.each([
    [
      'young',
      async ({ instances }: Leak) => {
        await instances.launch({ ...REQUEST, claimUid: 'later', count: 1 });
        return 1;
      },
    ],
    [
      'somebody else’s',
      async ({ instances }: Leak) => {
        const { registration: _, ...theirs } = INSTANCE;
        instances.add({ ...theirs, isOurs: false, launchedAtMs: 0 });
        return 1;
      },
    ],
    [
      'registered',
      async ({ instances }: Leak) => {
        instances.add({ ...INSTANCE, launchedAtMs: 0 });
        return 1;
      },
    ],
  ])('are not those that are %s', async (_, more) => {
    const made = await leaked(1);
    const kept = await more(made);
    await made.sweep();
    expect(await made.alive()).toBe(kept);
  });

  it('are not those of a claim that stands', async () => {
    const { store, sweep, alive } = await leaked(1);
    const metadata = draftMeta({ name: 'general-1', uid: 'c' });
    await store.create(CLAIMS, { apiVersion: 'karpenter.sh/v1', kind: 'NodeClaim', metadata });
    await sweep();
    expect(await alive()).toBe(1);
  });

  it('are kept while the off switch is set', async () => {
    const { store, sweep, alive, recorder } = await leaked(1);
    const annotations = { [KEEP_LEAKED_ANNOTATION]: 'looking' };
    const metadata = draftMeta({ name: 'default', uid: 'u', annotations });
    await store.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
    await sweep();
    expect(await alive()).toBe(1);
    expect(recorder.logs.at(-1)?.message).toBe('leaked instances kept by annotation');
  });
});

type Leak = Awaited<ReturnType<typeof world>>;

describe('the end of a machine', () => {
  it('is asked of the pool, and a repeat is harmless', async () => {
    const { effects, ids, instances } = await world(1);
    const end = inOrder({ kind: 'terminateInstance', instanceId: ids[0]! });
    await execute(end, effects);
    await execute(end, effects);
    expect(await instances.list()).toEqual([]);
  });

  it('is a programmer’s error where there is no pool', async () => {
    const { effects } = await world();
    const { instances: _, ...local } = effects;
    const end = inOrder({ kind: 'terminateInstance', instanceId: 'i-0' });
    await expect(async () => execute(end, local)).rejects.toThrow('no pool of instances');
  });
});

describe('virtual nodes', () => {
  it('are made once, and left as people change them', async () => {
    const { effects, store } = await world();
    await ensureVirtualNodes(effects, 'eu-west-1');
    const { items } = await store.list<Node>({ resource: 'nodes' });
    const place = { 'nullplane.io/compute': 'fargate', 'topology.kubernetes.io/zone': 'eu-west-1' };
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['fargate', 'fargate-spot']);
    for (const node of items) expect(node.metadata.labels).toMatchObject(place);
    const [first] = items;
    await store.update('nodes', { ...first!, spec: { ...first!.spec, unschedulable: true } });
    await ensureVirtualNodes(effects, 'eu-west-1');
    const again = await store.list<Node>({ resource: 'nodes' });
    expect(again.items.map(({ spec }) => spec.unschedulable)).toEqual([true, undefined]);
  });

  it('take no part in what machines go through', async () => {
    const { effects, store } = await world();
    await store.create('nodes', machine());
    await handleHealth({ type: 'node', nodeName: 'fargate', status: 'gone', atMs: T0 }, effects);
    expect((await store.list({ resource: 'nodes' })).items).toHaveLength(1);
  });
});
