/** What every adapter of `Store` keeps to. */
import { expect } from 'vitest';
import { StepClock } from '../../adapters/memory/step-clock.ts';
import type { Change } from '../../shared/api/change.ts';
import { expectedOf, ownedBy, UNCONTROLLED } from '../../shared/api/change.ts';
import type { AnyObject } from '../../shared/api/meta.ts';
import { compareVersions } from '../../shared/api/meta.ts';
import { MAX_OBJECT_BYTES } from '../../shared/ports/sealed.ts';
import {
  AlreadyExists,
  Conflict,
  type ListQuery,
  type Store,
  TooLarge,
} from '../../shared/ports/store.ts';
import { type Cases, runCases, type Skip } from './contract.ts';
import { changeCases, expiryCases, longTime, manyWrites } from './store-changes.ts';
import { replayCases } from './store-replay.ts';
import {
  draft,
  type Fresh,
  KEPT_MS,
  key,
  keyIn,
  MAPS,
  type StoreOptions,
} from './store-samples.ts';

export interface StoreSubject {
  readonly name: string;
  readonly make: (options: StoreOptions) => Store;
  /** What makes changes expire: how many came after them (when absent), or the time. */
  readonly keeps?: 'count' | 'time';
  readonly skip?: readonly Skip[];
}

export function storeContract({ name, make, keeps = 'count', skip = [] }: StoreSubject): void {
  const fresh = (options: Partial<StoreOptions> = {}): Store =>
    make({ clock: new StepClock(), keptMs: KEPT_MS, ...options });
  const cases = [writeCases, readCases, changeCases, replayCases].map((part) => part(fresh));
  const expiry = expiryCases(fresh, keeps === 'count' ? manyWrites : longTime);
  runCases(name, Object.assign({}, ...cases, expiry) as Cases, skip);
}

function writeCases(fresh: Fresh): Cases {
  return {
    'a created object is read back as it was written, with a version': async () => {
      const store = fresh();
      const given = draft('a', { data: { x: '1' }, empty: {}, list: [1, null, 'é𝕏\u2028'] });
      const created = await store.create(MAPS, given);
      const { resourceVersion } = created.metadata;
      expect(resourceVersion).toMatch(/^[1-9][0-9]*$/);
      expect(created).toEqual({ ...given, metadata: { ...given.metadata, resourceVersion } });
      expect(await store.get(key('a'))).toEqual(created);
    },
    'a name is taken once, and the loser learns by whom': async () => {
      const store = fresh();
      const first = await store.create(MAPS, draft('a'));
      const second = store.create(MAPS, draft('a'));
      await expect(second).rejects.toSatisfy(
        (error) =>
          error instanceof AlreadyExists && error.current.metadata.uid === first.metadata.uid,
      );
    },
    'an object without a uid or a name is not created': async () => {
      const store = fresh();
      const { metadata } = draft('a');
      for (const wrong of [{ uid: '' }, { name: '' }, { name: 'a\0b' }, { namespace: 'a\0b' }]) {
        const object = { ...draft('a'), metadata: { ...metadata, ...wrong } };
        await expect(store.create(MAPS, object)).rejects.toThrow(RangeError);
      }
      expect((await store.list({ resource: MAPS })).items).toEqual([]);
    },
    'an update needs the current version': async () => {
      const store = fresh();
      const v1 = await store.create(MAPS, draft('a'));
      const v2 = await store.update(MAPS, { ...v1, data: { x: '2' } });
      expect(isOlder(v1, v2)).toBe(true);
      await expect(store.update(MAPS, { ...v1, data: {} })).rejects.toSatisfy(
        (error) => error instanceof Conflict && error.current?.data !== undefined,
      );
      expect(await store.get(key('a'))).toEqual(v2);
    },
    'an update that changes nothing is a write like any other': async () => {
      const store = fresh();
      const v1 = await store.create(MAPS, draft('a'));
      expect(isOlder(v1, await store.update(MAPS, v1))).toBe(true);
    },
    'an update of what is not there is a conflict with nothing': async () => {
      await expect(fresh().update(MAPS, draft('a'))).rejects.toSatisfy(
        (error) => error instanceof Conflict && error.current === undefined,
      );
    },
    'a namesake made later is another object': async () => {
      const store = fresh();
      const old = await store.create(MAPS, draft('a'));
      await store.remove(key('a'), expectedOf(old));
      const next = await store.create(MAPS, draft('a'));
      const { resourceVersion } = next.metadata;
      const forged = { ...old, metadata: { ...old.metadata, resourceVersion } };
      await expect(store.update(MAPS, old)).rejects.toThrow(Conflict);
      await expect(store.update(MAPS, forged)).rejects.toThrow(Conflict);
      await expect(store.remove(key('a'), expectedOf(forged))).rejects.toThrow(Conflict);
      expect(await store.get(key('a'))).toEqual(next);
    },
    'a removal needs uid and version, and answers with a version of its own': async () => {
      const store = fresh();
      const v1 = await store.create(MAPS, draft('a', { data: { x: '1' } }));
      const v2 = await store.update(MAPS, v1);
      await expect(store.remove(key('a'), expectedOf(v1))).rejects.toThrow(Conflict);
      const wrongUid = { ...expectedOf(v2), uid: 'other' };
      await expect(store.remove(key('a'), wrongUid)).rejects.toThrow(Conflict);
      const removed = await store.remove(key('a'), expectedOf(v2));
      expect(isOlder(v2, removed)).toBe(true);
      expect(removed).toMatchObject({ metadata: { uid: v2.metadata.uid }, data: { x: '1' } });
      expect(await store.get(key('a'))).toBeUndefined();
      await expect(store.remove(key('a'), expectedOf(v2))).rejects.toSatisfy(
        (error) => error instanceof Conflict && error.current === undefined,
      );
    },
    'an object above the limit is refused, one below is kept': async () => {
      const store = fresh();
      const padding = (bytes: number) => ({ data: { x: 'é'.repeat(bytes / 2) } });
      await expect(store.create(MAPS, draft('a', padding(MAX_OBJECT_BYTES)))).rejects.toThrow(
        TooLarge,
      );
      const kept = await store.create(MAPS, draft('a', padding(MAX_OBJECT_BYTES - 1024)));
      await expect(store.update(MAPS, { ...kept, ...padding(MAX_OBJECT_BYTES) })).rejects.toThrow(
        TooLarge,
      );
      expect(await store.get(key('a'))).toEqual(kept);
    },
    'what is handed out is frozen to the bottom, and apart from what was handed in': async () => {
      const store = fresh();
      const labels = { app: 'a' };
      const given = draft('a', { spec: { labels, list: [{ x: 1 }] } });
      const pending = store.create(MAPS, given);
      labels.app = 'changed';
      const created = await pending;
      const read = await store.get(key('a'));
      const [listed] = (await store.list({ resource: MAPS })).items;
      for (const object of [created, read, listed]) {
        expect(object).toMatchObject({ spec: { labels: { app: 'a' } } });
        expect(isDeeplyFrozen(object)).toBe(true);
      }
    },
    'absent is absent: undefined fields are not kept': async () => {
      const store = fresh();
      const created = await store.create(
        MAPS,
        draft('a', { data: undefined, spec: { x: undefined } }),
      );
      expect('data' in created).toBe(false);
      expect(created.spec).toStrictEqual({});
    },
    'keys that mean something to JavaScript are only keys': async () => {
      const store = fresh();
      const fields = JSON.parse('{"data":{"__proto__":{"x":"1"},"constructor":"2"}}') as object;
      await store.create(MAPS, draft('__proto__', fields));
      const read = await store.get(key('__proto__'));
      expect(JSON.stringify(read?.data)).toBe(JSON.stringify((fields as AnyObject).data));
      expect(({} as { x?: string }).x).toBeUndefined();
    },
    'names with separators and quotes never meet': async () => {
      const store = fresh();
      const pairs = [
        ['a/b', 'c'],
        ['a', 'b/c'],
        ['', 'a/b/c'],
        ['a', "'; --"],
        ['ä', '名'],
        ['a', '名'],
        ['A', 'B/C'],
      ] as const;
      for (const [namespace, name] of pairs) {
        await store.create(MAPS, draft(name, { data: { pair: [namespace, name] } }, namespace));
      }
      for (const [namespace, name] of pairs) {
        const found = await store.get(keyIn(namespace, name));
        expect(found?.data).toEqual({ pair: [namespace, name] });
      }
      expect(await store.get({ resource: `${MAPS}/a`, namespace: 'b', name: 'c' })).toBeUndefined();
      expect((await store.list({ resource: MAPS, namespace: 'a' })).items).toHaveLength(3);
    },
    'of many who write one version, one wins': async () => {
      const store = fresh();
      let current: AnyObject = await store.create(MAPS, draft('a', { winner: -1 }));
      for (let round = 0; round < 5; round++) {
        const rivals = Array.from({ length: 100 }, (_, i) => {
          return store.update<AnyObject>(MAPS, { ...current, winner: i });
        });
        const results = await Promise.allSettled(rivals);
        const winners = results.filter((result) => result.status === 'fulfilled');
        expect(winners).toHaveLength(1);
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(Conflict);
        }
        current = (await store.get(key('a'))) as AnyObject;
        expect(current).toEqual(winners[0]?.value);
      }
    },
    'writes made at once that fail do not disturb the others': async () => {
      const store = fresh();
      await store.create(MAPS, draft('taken'));
      const names = ['a', 'taken', 'b', 'a', 'c'];
      const results = await Promise.allSettled(names.map((n) => store.create(MAPS, draft(n))));
      const done = ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'];
      expect(results.map((result) => result.status)).toEqual(done);
      expect(namesOf(await store.list({ resource: MAPS }))).toEqual(['a', 'b', 'c', 'taken']);
    },
    'versions grow though the clock jumps back': async () => {
      const clock = new StepClock();
      const store = fresh({ clock });
      let last = await store.create(MAPS, draft('a'));
      for (const jumpMs of [0, 5, -60_000, -1, 3_600_000, 0]) {
        clock.set(clock.nowMs() + jumpMs);
        const next = await store.update(MAPS, last);
        expect(isOlder(last, next)).toBe(true);
        last = next;
      }
    },
    'each commit is told once, in order, with the state before': async () => {
      const told: Change[] = [];
      const store = fresh({ onCommit: (change) => told.push(change) });
      const v1 = await store.create(MAPS, draft('a'));
      await store.create(MAPS, draft('a')).catch(() => undefined);
      const v2 = await store.update(MAPS, v1);
      const v3 = await store.remove(key('a'), expectedOf(v2));
      expect(told).toEqual([
        { type: 'put', resource: MAPS, object: v1 },
        { type: 'put', resource: MAPS, object: v2, previous: v1 },
        { type: 'delete', resource: MAPS, object: v3, previous: v2 },
      ]);
    },
  };
}

function readCases(fresh: Fresh): Cases {
  const list = async (store: Store, query: Omit<ListQuery, 'resource'>): Promise<string[]> =>
    namesOf(await store.list({ resource: MAPS, ...query }));
  return {
    'what is not there is undefined, and lists of nothing are empty': async () => {
      const store = fresh();
      expect(await store.get(key('a'))).toBeUndefined();
      const page = await store.list({ resource: MAPS });
      expect(page.items).toEqual([]);
      expect(page.next).toBeUndefined();
      expect(page.resourceVersion).toMatch(/^[1-9][0-9]*$/);
    },
    'a list is in order of namespace, then name': async () => {
      const store = fresh();
      const places = ['b/a', 'a/b', 'a-b/a', 'a/a', 'a/a-b', 'a/a.b', '/z', 'a/10', 'a/9'];
      for (const place of places) {
        const [namespace = '', name = ''] = place.split('/');
        await store.create(MAPS, draft(name, {}, namespace));
      }
      const { items } = await store.list({ resource: MAPS });
      const order = ['/z', 'a/10', 'a/9', 'a/a', 'a/a-b', 'a/a.b', 'a/b', 'a-b/a', 'b/a'];
      expect(items.map((o) => `${o.metadata.namespace ?? ''}/${o.metadata.name}`)).toEqual(order);
      expect(await list(store, { namespace: 'a' })).toEqual(['10', '9', 'a', 'a-b', 'a.b', 'b']);
      expect(await list(store, { namespace: '' })).toEqual(['z']);
    },
    'resources do not show in each other': async () => {
      const store = fresh();
      await store.create(MAPS, draft('a'));
      await store.create('secrets', draft('b'));
      expect(await list(store, {})).toEqual(['a']);
      expect(namesOf(await store.list({ resource: 'secrets' }))).toEqual(['b']);
      expect(await store.get({ ...key('a'), resource: 'secrets' })).toBeUndefined();
    },
    'pages join to the whole, and only the last has no next': async () => {
      const store = fresh();
      const names = Array.from({ length: 10 }, (_, i) => `n${i}`);
      for (const name of names)
        await store.create(MAPS, draft(name, {}, Number(name[1]) % 2 ? 'x' : 'y'));
      for (const namespace of [undefined, 'x', 'y']) {
        const query = { resource: MAPS, ...(namespace && { namespace }) };
        const whole = namesOf(await store.list(query));
        for (const limit of [1, 3, 5, 10, 11]) {
          const pages = await allPages(store, { ...query, limit });
          expect(pages.flatMap(namesOf)).toEqual(whole);
          expect(pages).toHaveLength(Math.ceil(whole.length / limit));
        }
      }
    },
    'pages go on in order while objects come and go': async () => {
      const store = fresh();
      const made = new Map<string, AnyObject>();
      for (const name of ['b', 'd', 'f', 'h'])
        made.set(name, await store.create(MAPS, draft(name)));
      const first = await store.list({ resource: MAPS, limit: 2 });
      expect(namesOf(first)).toEqual(['b', 'd']);
      // The object that the cursor stands on goes away.
      await store.remove(key('d'), expectedOf(made.get('d') as AnyObject));
      for (const name of ['a', 'e', 'i']) await store.create(MAPS, draft(name));
      const rest = await allPages(store, { resource: MAPS, limit: 2, after: first.next as string });
      expect(rest.flatMap(namesOf)).toEqual(['e', 'f', 'h', 'i']);
    },
    'objects are found by each of their owners, as last written': async () => {
      const store = fresh();
      const owned = async (name: string, owners: string[], namespace = 'default') =>
        store.create(MAPS, withOwners(draft(name, {}, namespace), owners));
      const b = await owned('b', ['o1']);
      const a = await owned('a', ['o1', 'o2']);
      await owned('c', ['o1'], 'other');
      await owned('d', []);
      const of = (value: string, rest: object = {}) =>
        list(store, { index: { name: 'owner', value }, ...rest });
      expect(await of('o1')).toEqual(['a', 'b', 'c']);
      expect(await of('o1', { namespace: 'default' })).toEqual(['a', 'b']);
      expect(await of('o1', { limit: 1 })).toEqual(['a']);
      expect(await of('o2')).toEqual(['a']);
      expect(await of('o')).toEqual([]);
      const a2 = await store.update(MAPS, withOwners(a, ['o2', 'o3', 'o3']));
      await store.remove(key('b'), expectedOf(b));
      expect(await of('o1')).toEqual(['c']);
      expect(await of('o3')).toEqual(['a']);
      await store.remove(key('a'), expectedOf(a2));
      expect(await of('o2')).toEqual([]);
    },
    'what is spoilt is found without what it has lost, and can be replaced': async () => {
      const store = fresh();
      const made = await store.create('pods', withOwners(draft('a'), ['o']));
      const { ownerReferences: _, ...metadata } = made.metadata;
      const spoilt = { ...made, metadata: { ...metadata, ownerReferences: [null, 7] }, spec: 'x' };
      const updated = await store.update('pods', spoilt as unknown as AnyObject);
      const found = async (query: Omit<ListQuery, 'resource'>) =>
        namesOf(await store.list({ resource: 'pods', ...query }));
      expect(await found({})).toEqual(['a']);
      expect(await found({ index: UNCONTROLLED })).toEqual(['a']);
      expect(await found({ index: { name: 'owner', value: 'o' } })).toEqual([]);
      const { resourceVersion } = updated.metadata;
      const healed = { ...made, metadata: { ...made.metadata, resourceVersion } };
      await store.update('pods', healed);
      expect(await found({ index: { name: 'owner', value: 'o' } })).toEqual(['a']);
    },
    'pods of a ReplicaSet are found, named after it or not, while it is their controller':
      async () => {
        const store = fresh();
        const set = { ...draft('web'), kind: 'ReplicaSet' };
        const under = (pod: AnyObject, controller: boolean) =>
          withControllers(pod, [{ ...set, controller }]);
        const made = new Map<string, AnyObject>();
        for (const name of ['web-1', 'web-2', 'web', 'webs', 'adopted', 'a']) {
          made.set(name, await store.create('pods', under(draft(name), true)));
        }
        await store.create('pods', draft('web-3'));
        await store.create('pods', under(draft('web-4'), false));
        await store.create('pods', under(draft('web-1', {}, 'other'), true));
        const owned = (rest: object = {}) => allPages(store, { ...OF_PODS, ...rest });
        const OF_PODS = { resource: 'pods', index: ownedBy(set) };
        const names = async (rest: object) => (await owned(rest)).flatMap(namesOf);
        const all = ['a', 'adopted', 'web', 'web-1', 'web-2', 'web-4', 'webs'];
        for (const limit of [1, 2, 3, 100]) {
          expect(await names({ namespace: 'default', limit })).toEqual(all);
          expect(await names({ limit })).toEqual([...all, 'web-1']);
        }
        const [first, second] = ['web-1', 'adopted'].map((name) => made.get(name) as AnyObject);
        await store.update('pods', withControllers(first as AnyObject, []));
        await store.remove(
          { ...key('adopted'), resource: 'pods' },
          expectedOf(second as AnyObject),
        );
        expect(await names({ namespace: 'default' })).toEqual([
          'a',
          'web',
          'web-2',
          'web-4',
          'webs',
        ]);
        const free = await store.list({ resource: 'pods', index: UNCONTROLLED });
        expect(namesOf(free)).toEqual(['web-1', 'web-3', 'web-4']);
      },
    'pods are found by node, those without one under the empty name': async () => {
      const store = fresh();
      const pod = await store.create('pods', draft('p', { spec: {} }));
      await store.create('pods', draft('q', { spec: { nodeName: 'n1' } }));
      await store.create(MAPS, draft('m', { spec: { nodeName: 'n1' } }));
      const on = async (value: string) =>
        namesOf(await store.list({ resource: 'pods', index: { name: 'node', value } }));
      expect(await on('')).toEqual(['p']);
      await store.update<AnyObject>('pods', { ...pod, spec: { nodeName: 'n1' } });
      expect(await on('')).toEqual([]);
      expect(await on('n1')).toEqual(['p', 'q']);
      const maps = { resource: MAPS, index: { name: 'node', value: 'n1' } } as const;
      expect((await store.list(maps)).items).toEqual([]);
    },
    'pages of an index join to the whole': async () => {
      const store = fresh();
      for (const name of ['c', 'a', 'd', 'b', 'e']) {
        await store.create(MAPS, withOwners(draft(name), ['o']));
      }
      const index = { name: 'owner', value: 'o' } as const;
      const pages = await allPages(store, { resource: MAPS, index, limit: 2 });
      expect(pages.map(namesOf)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    },
  };
}

function isOlder(a: AnyObject, b: AnyObject): boolean {
  return compareVersions(a.metadata.resourceVersion, b.metadata.resourceVersion) < 0;
}

function namesOf(page: { readonly items: readonly AnyObject[] }): string[] {
  return page.items.map((object) => object.metadata.name);
}

async function allPages(store: Store, query: ListQuery) {
  const pages = [await store.list(query)];
  for (let after = pages[0]?.next; after !== undefined; after = pages.at(-1)?.next) {
    pages.push(await store.list({ ...query, after }));
  }
  return pages;
}

function withOwners(object: AnyObject, uids: readonly string[]): AnyObject {
  const ownerReferences = uids.map((uid) => ({ apiVersion: 'v1', kind: 'X', name: 'x', uid }));
  return { ...object, metadata: { ...object.metadata, ownerReferences } };
}

type Controller = AnyObject & { readonly controller: boolean };

function withControllers(object: AnyObject, owners: readonly Controller[]): AnyObject {
  const ownerReferences = owners.map(({ kind, controller, metadata: { name, uid } }) => {
    return { apiVersion: 'apps/v1', kind, name, uid, controller };
  });
  return { ...object, metadata: { ...object.metadata, ownerReferences } };
}

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen);
}
