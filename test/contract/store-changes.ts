/** What every adapter of `Store` keeps to, of changes: which are told, how, and for how long. */
import { expect } from 'vitest';
import { StepClock } from '../../adapters/memory/step-clock.ts';
import { expectedOf } from '../../shared/api/change.ts';
import { type AnyObject, compareVersions } from '../../shared/api/meta.ts';
import { Expired, type Store } from '../../shared/ports/store.ts';
import type { Cases } from './contract.ts';
import { draft, type Fresh, key, KEPT_MS, MAPS } from './store-samples.ts';

export function changeCases(fresh: Fresh): Cases {
  const from = (after: string, rest: object = {}) => ({ resource: MAPS, after, ...rest });
  const start = async (store: Store) => (await store.list({ resource: MAPS })).resourceVersion;
  return {
    'a deletion shows the last state, under its own version': async () => {
      const store = fresh();
      const created = await store.create(MAPS, draft('a', { data: { x: '1' } }));
      const removed = await store.remove(key('a'), expectedOf(created));
      const { resourceVersion: after } = created.metadata;
      const batch = await store.changes(from(after));
      const change = { type: 'delete', resource: MAPS, object: removed, previous: created };
      expect(batch.changes).toEqual([change]);
      expectNotBefore(batch.resourceVersion, removed);
      expect(removed.data).toEqual({ x: '1' });
    },
    'changes come after the version, oldest first, up to the limit': async () => {
      const store = fresh();
      const after = await start(store);
      for (const name of ['a', 'b', 'c']) await store.create(MAPS, draft(name));
      const first = await store.changes(from(after, { limit: 2 }));
      expect(first.changes.map((c) => c.object.metadata.name)).toEqual(['a', 'b']);
      const second = await store.changes(from(first.resourceVersion, { limit: 2 }));
      expect(second.changes.map((c) => c.object.metadata.name)).toEqual(['c']);
      expect((await store.changes(from(second.resourceVersion))).changes).toEqual([]);
    },
    'changes of one namespace leave out the others, and move on all the same': async () => {
      const store = fresh();
      const after = await start(store);
      await store.create(MAPS, draft('a', {}, 'x'));
      const other = await store.create(MAPS, draft('b', {}, 'y'));
      const batch = await store.changes(from(after, { namespace: 'x' }));
      expect(batch.changes.map((c) => c.object.metadata.name)).toEqual(['a']);
      expectNotBefore(batch.resourceVersion, other);
    },
    'a change shows with the state before it, as the watcher knows it': async () => {
      const store = fresh();
      const v1 = await store.create<AnyObject>(MAPS, draft('a', { step: 1 }));
      const listed = await start(store);
      const v2 = await store.update(MAPS, { ...v1, step: 2 });
      const first = await store.changes(from(listed));
      expect(first.changes).toEqual([{ type: 'put', resource: MAPS, object: v2, previous: v1 }]);
      const v3 = await store.update(MAPS, { ...v2, step: 3 });
      const second = await store.changes(from(first.resourceVersion));
      expect(second.changes).toEqual([{ type: 'put', resource: MAPS, object: v3, previous: v2 }]);
    },
    'an object that came after the version has no state before it': async () => {
      const store = fresh();
      const after = await start(store);
      const created = await store.create(MAPS, draft('a'));
      const [change] = (await store.changes(from(after))).changes;
      expect(change).toStrictEqual({ type: 'put', resource: MAPS, object: created });
    },
    'a namesake made later shows as another object': async () => {
      const store = fresh();
      const old = await store.create(MAPS, draft('a'));
      const after = await start(store);
      await store.remove(key('a'), expectedOf(old));
      const next = await store.create(MAPS, draft('a'));
      const { changes } = await store.changes(from(after));
      expect(changes.at(-1)?.object).toEqual(next);
      // Either the end of the first was shown, or it is what the second shows as the state before.
      const ends = changes.filter(({ type }) => type === 'delete').map(({ object }) => object);
      const last = [...ends, ...changes.flatMap(({ previous }) => previous ?? [])];
      expect(last.map(({ metadata }) => metadata.uid)).toContain(old.metadata.uid);
    },
    'waiting ends with a change of the resource': async () => {
      const store = fresh();
      const after = await start(store);
      const { signal } = new AbortController();
      const order: string[] = [];
      const wait = store.waitForChange(from(after), signal).then(() => order.push('woken'));
      await store.create('secrets', draft('other'));
      order.push('other written');
      await store.create(MAPS, draft('a'));
      await wait;
      expect(order).toEqual(['other written', 'woken']);
    },
    'waiting is over at once when there is something already': async () => {
      const store = fresh();
      const after = await start(store);
      await store.create(MAPS, draft('a'));
      await store.waitForChange(from(after), new AbortController().signal);
    },
    'waiting ends when the signal aborts, before or during': async () => {
      const store = fresh();
      const after = await start(store);
      await store.waitForChange(from(after), AbortSignal.abort());
      const abort = new AbortController();
      const wait = store.waitForChange(from(after), abort.signal);
      abort.abort();
      await wait;
    },
  };
}

/** Lets so much happen, or so much time pass, that what was before is not known any more. */
export type Forget = (store: Store, clock: StepClock) => Promise<void>;

const KEPT = 10;

export const manyWrites: Forget = async (store) => {
  let last = await store.create(MAPS, draft('busy'));
  for (let i = 0; i < 3 * KEPT; i++) last = await store.update(MAPS, last);
};

export const longTime: Forget = async (store, clock) => {
  clock.set(clock.nowMs() + 2 * KEPT_MS);
  await store.create(MAPS, draft('late'));
};

export function expiryCases(fresh: Fresh, forget: Forget): Cases {
  const from = (after: string) => ({ resource: MAPS, after });
  return {
    'a version that is too old, or never was, is expired': async () => {
      const clock = new StepClock();
      const store = fresh({ clock, changesKept: KEPT });
      const { resourceVersion: after } = await store.list({ resource: MAPS });
      await forget(store, clock);
      await expect(store.changes(from(after))).rejects.toThrow(Expired);
      await expect(store.changes(from('1'))).rejects.toThrow(Expired);
      await expect(store.changes(from('9'.repeat(30)))).rejects.toThrow(Expired);
      const { resourceVersion } = await store.list({ resource: MAPS });
      expect((await store.changes(from(resourceVersion))).changes).toEqual([]);
    },
    'at least the changes that are to be kept are kept': async () => {
      const clock = new StepClock();
      const store = fresh({ clock, changesKept: KEPT });
      for (let i = 0; i < 47; i++) await store.create(MAPS, draft(`old-${i}`));
      const { resourceVersion: after } = await store.list({ resource: MAPS });
      const names = Array.from({ length: KEPT }, (_, i) => `new-${i}`);
      for (const name of names) {
        await store.create(MAPS, draft(name));
        clock.set(clock.nowMs() + KEPT_MS / 2 / KEPT);
      }
      const { changes } = await store.changes(from(after));
      expect(changes.map(({ object }) => object.metadata.name)).toEqual(names);
    },
    'deletions are kept like other changes': async () => {
      const clock = new StepClock();
      const store = fresh({ clock, changesKept: KEPT });
      const made: AnyObject[] = [];
      for (let i = 0; i < KEPT; i++) made.push(await store.create(MAPS, draft(`n${i}`)));
      const { resourceVersion: after } = await store.list({ resource: MAPS });
      const removed: AnyObject[] = [];
      for (const object of made) {
        removed.push(await store.remove(key(object.metadata.name), expectedOf(object)));
        clock.set(clock.nowMs() + KEPT_MS / 2 / KEPT);
      }
      const { changes } = await store.changes(from(after));
      expect(changes).toEqual(
        removed.map((object, i) => {
          return { type: 'delete', resource: MAPS, object, previous: made[i] };
        }),
      );
    },
    'a resource that is written a lot does not expire another': async () => {
      const store = fresh({ changesKept: KEPT });
      await store.create('secrets', draft('quiet'));
      const { resourceVersion: after } = await store.list({ resource: 'secrets' });
      let last = await store.create(MAPS, draft('a'));
      for (let i = 0; i < 3 * KEPT; i++) last = await store.update(MAPS, last);
      const quiet = await store.changes({ resource: 'secrets', after });
      expect(quiet.changes).toEqual([]);
      expectNotBefore(quiet.resourceVersion, last);
    },
  };
}

/** Whoever continues from this version does not see the write again. */
function expectNotBefore(resourceVersion: string, object: AnyObject): void {
  const order = compareVersions(resourceVersion, object.metadata.resourceVersion);
  expect(order).toBeGreaterThanOrEqual(0);
}
