/** A mirror answers as the store itself would, whatever was written between two questions (R1). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { expectedOf } from '../../../shared/api/change.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { listAll } from '../../../shared/control/list-all.ts';
import { listMirroringStore, mirroredStore } from '../../../shared/control/mirrored-store.ts';
import type { ListQuery, Store } from '../../../shared/ports/store.ts';

const PODS = 'pods';

function pod(name: string, namespace: string): AnyObject {
  const metadata = {
    name,
    namespace,
    uid: `${namespace}-${name}`,
    resourceVersion: '',
    creationTimestamp: '',
  };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: {} };
}

async function touch(
  store: Store,
  name: string,
  namespace: string,
  remove: boolean,
): Promise<void> {
  const key = { resource: PODS, namespace, name };
  const current = await store.get(key);
  if (!current) await store.create(PODS, pod(name, namespace));
  else if (remove) await store.remove(key, expectedOf(current));
  else
    await store.update<AnyObject>(PODS, { ...current, touched: current.metadata.resourceVersion });
}

/** Counts whole reads, and forgets changes early. */
function watched(changesKept: number) {
  const store = new MemoryStore({ clock: new StepClock(), changesKept });
  const lists: ListQuery[] = [];
  const counted: Store = new Proxy(store, {
    get: (target, property) => {
      if (property === 'list') lists.push({ resource: PODS });
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { store, mirror: mirroredStore(counted, [PODS]), lists };
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      namespace: fc.constantFrom('x', 'y'),
      remove: fc.boolean(),
    }),
  },
  fc.constant('ask' as const),
);

describe('a mirrored store', () => {
  it('lists what the store lists, page by page, in all namespaces or one', async () => {
    const run = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { store, mirror } = watched(8);
      for (const one of [...steps, 'ask' as const]) {
        if (one !== 'ask') {
          await touch(store, one.name, one.namespace, one.remove);
          continue;
        }
        for (const query of [{}, { namespace: 'x' }, { limit: 2 }]) {
          const whole = { resource: PODS, ...query };
          expect(await listAll(mirror, whole)).toEqual(await listAll(store, whole));
        }
      }
    });
    await fc.assert(run, { numRuns: 100 });
  });

  it('reads the whole list once, and then what changed', async () => {
    const { store, mirror, lists } = watched(1_000);
    await touch(store, 'a', 'x', false);
    await listAll(mirror, { resource: PODS });
    const first = lists.length;
    for (const name of ['b', 'c']) {
      await touch(store, name, 'x', false);
      expect(await listAll(mirror, { resource: PODS })).toHaveLength(name === 'b' ? 2 : 3);
    }
    expect(lists.length).toBe(first);
  });

  it('answers questions asked at once, each with what was written before it', async () => {
    const { store, mirror } = watched(1_000);
    await listAll(mirror, { resource: PODS });
    const answers = ['a', 'b', 'c'].map(async (name, i) => {
      await touch(store, name, 'x', false);
      expect((await mirror.list({ resource: PODS })).items.length).toBeGreaterThanOrEqual(i + 1);
    });
    await Promise.all(answers);
  });

  it('leaves indexes and other resources to the store', async () => {
    const { store, mirror } = watched(1_000);
    await touch(store, 'a', 'x', false);
    const index = { name: 'node', value: '' } as const;
    expect((await mirror.list({ resource: PODS, index })).items).toHaveLength(1);
    expect((await mirror.list({ resource: 'nodes' })).items).toEqual([]);
  });
});

describe('a store that mirrors long lists', () => {
  const index = { name: 'owner', value: 'set' } as const;
  const ofSet = { resource: PODS, namespace: 'x', index };

  /** Comes and goes, and changes hands. */
  async function own(store: Store, name: string, owner: string | undefined): Promise<void> {
    const key = { resource: PODS, namespace: 'x', name };
    const current = await store.get(key);
    if (!owner) return void (current && (await store.remove(key, expectedOf(current))));
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Set', name: owner, uid: owner }];
    const draft = current ?? pod(name, 'x');
    const owned = { ...draft, metadata: { ...draft.metadata, ownerReferences } };
    await (current ? store.update(PODS, owned) : store.create(PODS, owned));
  }

  it('lists by an index what the store lists, whatever comes, goes or changes hands', async () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const owner = fc.constantFrom('set', 'set', 'other', undefined);
    const writes = fc.array(fc.tuple(name, owner), { maxLength: 40 });
    const run = fc.asyncProperty(writes, async (steps) => {
      const store = new MemoryStore({ clock: new StepClock(), changesKept: 8 });
      const mirroring = listMirroringStore(store, new StepClock(), 2);
      for (const [one, by] of steps) {
        await own(store, one, by);
        for (const query of [ofSet, { ...ofSet, limit: 2 }]) {
          expect(await listAll(mirroring, query)).toEqual(await listAll(store, query));
        }
      }
    });
    await fc.assert(run, { numRuns: 100 });
  });

  it.each([2_000, 60_000])(
    'has what an index did not show yet, %i ms after the start',
    async (ms) => {
      const clock = new StepClock();
      const store = new MemoryStore({ clock });
      await own(store, 'a', 'set');
      await own(store, 'b', 'set');
      await clock.advance(ms);
      await own(store, 'late', 'set');
      let isBehind = true;
      const behind: Store = Object.assign(Object.create(store) as Store, {
        list: async (query: ListQuery) => {
          const page = await store.list(query);
          const isShown = ({ metadata }: AnyObject) => !isBehind || metadata.name !== 'late';
          return query.index ? { ...page, items: page.items.filter(isShown) } : page;
        },
        changes: store.changes.bind(store),
      });
      const mirroring = listMirroringStore(behind, clock, 2);
      const names = async () =>
        (await listAll(mirroring, ofSet)).map(({ metadata }) => metadata.name);
      expect(await names()).toEqual(['a', 'b']); // not mirrored yet
      expect(await names()).toEqual(['a', 'b', 'late']);
      isBehind = false;
      await own(store, 'a', undefined);
      expect(await names()).toEqual(['b', 'late']);
    },
  );

  it('reads a long list once a minute, and a short one each time', async () => {
    const clock = new StepClock();
    const store = new MemoryStore({ clock });
    let whole = 0;
    const counted: Store = Object.assign(Object.create(store) as Store, {
      list: (query: ListQuery) => {
        if (query.index) whole++;
        return store.list(query);
      },
      changes: store.changes.bind(store),
    });
    const mirroring = listMirroringStore(counted, clock, 2);
    const ask = async (times: number): Promise<number> => {
      whole = 0;
      for (let i = 0; i < times; i++) await mirroring.list(ofSet);
      return whole;
    };
    await own(store, 'a', 'set');
    expect(await ask(3)).toBe(3);
    await own(store, 'b', 'set');
    expect(await ask(10)).toBe(2); // to learn that it is long, and to mirror it
    expect(await ask(10)).toBe(0);
    await clock.advance(60_000);
    expect(await ask(10)).toBe(2);
  });
});
