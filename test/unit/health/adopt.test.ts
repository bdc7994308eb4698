import { describe, expect, it } from 'vitest';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { SimulatedRuntime } from '../../../adapters/memory/simulated-runtime.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { NodeAllocation } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { delegating } from '../../../shared/control/delegating.ts';
import { handleHealth } from '../../../shared/control/health.ts';
import { PodConfig } from '../../../shared/control/pod-config.ts';
import { taskSpecOf } from '../../../shared/control/task-spec.ts';
import { wellFormedStore } from '../../../shared/control/well-formed-store.ts';
import { LEDGERS } from '../../../shared/core/scheduling/ledger.ts';
import { type Store, Unavailable } from '../../../shared/ports/store.ts';
import { makePod } from '../pod/pod-life.ts';
import { ledger, node, pod as other, running } from '../scheduling/fixtures.ts';

const NODE = 'node-1';
const KEY = { resource: 'pods', namespace: 'default', name: 'web-1' };

const SPOILT = { ...ledger(NODE), allocations: 'none' } as unknown as NodeAllocation;

/** A pod as it was before it was bound, and the word of its task. */
async function makeWorld(old: NodeAllocation | undefined) {
  const clock = new StepClock();
  const store = wellFormedStore(new MemoryStore({ clock }));
  const runtime = new SimulatedRuntime({ clock, emit: () => {} });
  const effects = { store, runtime, clock, ids: new SeededIds(1), recorder: new MemoryRecorder() };
  const made = makePod();
  const task = taskSpecOf({ ...made, control: { attempt: 1 } }, new PodConfig(new Map()));
  const { nodeName: _, ...unbound } = made.spec;
  await store.create<Pod>('pods', { ...made, spec: unbound });
  await store.create('nodes', node(NODE));
  if (old) await store.create(LEDGERS, old);
  return { effects, message: { type: 'task', task: await runtime.run(task) } };
}

async function entered(store: Store): Promise<readonly string[] | undefined> {
  const key = { resource: LEDGERS, namespace: '', name: NODE };
  const written = await store.get<NodeAllocation>(key);
  return written?.allocations.map(({ podName }) => podName).sort();
}

describe('a pod that takes up a task that its table knew nothing of', () => {
  it.each([
    ['written', ledger(NODE, other('known')), ['known', 'web-1']],
    ['lost', undefined, ['there', 'web-1']],
    ['spoilt', SPOILT, ['there', 'web-1']],
  ])('is entered in a ledger that is %s', async (_, old, expected) => {
    const { effects, message } = await makeWorld(old);
    await effects.store.create('pods', running(NODE, other('there')));
    expect(await handleHealth(message, effects)).toEqual({ type: 'done' });
    expect((await effects.store.get<Pod>(KEY))?.spec.nodeName).toBe(NODE);
    expect(await entered(effects.store)).toEqual(expected);
  });

  it('is entered before it is bound, and once', async () => {
    const { effects, message } = await makeWorld(ledger(NODE));
    const { store } = effects;
    const update: Store['update'] = (resource, object) =>
      resource === 'pods'
        ? Promise.reject(new Unavailable('away'))
        : store.update(resource, object);
    const dying = { ...effects, store: { ...delegating(store), update } };
    expect((await handleHealth(message, dying)).type).toBe('retry');
    expect(await entered(store)).toEqual(['web-1']);
    await handleHealth(message, effects);
    expect(await entered(store)).toEqual(['web-1']);
  });

  it('tries again where the ledger is written meanwhile', async () => {
    const { effects, message } = await makeWorld(undefined);
    const { store } = effects;
    const create: Store['create'] = async (resource, object) => {
      if (resource === LEDGERS) await store.create(LEDGERS, ledger(NODE, other('first')));
      return store.create(resource, object);
    };
    const raced = { ...effects, store: { ...delegating(store), create } };
    expect(await handleHealth(message, raced)).toEqual({ type: 'done' });
    expect(await entered(store)).toEqual(['first', 'web-1']);
  });
});
