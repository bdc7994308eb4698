/** Watches: what is told, in which order, and how it ends. */
import { beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../../../adapters/memory/step-clock.ts';
import type { Change } from '../../../shared/api/change.ts';
import { delegating } from '../../../shared/control/delegating.ts';
import type { ChangeBatch, ChangesQuery, Store } from '../../../shared/ports/store.ts';
import { configMap, CONFIG_MAPS, failure, TestApi } from './api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.withSystemObjects();
});

interface Told {
  readonly type: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers have any shape
  readonly object: any;
}

/** Reads a stream as it comes. */
class Reading {
  readonly lines: string[] = [];
  ended = false;
  readonly #abort = new AbortController();

  static async of(url: string, accept = 'application/json'): Promise<Reading> {
    const reading = new Reading();
    const { signal } = reading.#abort;
    const response = await api.raw('GET', url, { signal, headers: { accept } });
    expect(response.status).toBe(200);
    void reading.#read(response.body as AsyncIterable<string>);
    await settle();
    return reading;
  }

  async #read(body: AsyncIterable<string>): Promise<void> {
    for await (const line of body) this.lines.push(line);
    this.ended = true;
  }

  get events(): readonly Told[] {
    return this.lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as Told);
  }

  /** `ADDED a`, `DELETED b`. */
  get told(): readonly string[] {
    return this.events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`.trim());
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await settle();
  }
}

const watchUrl = (query = '') => `${CONFIG_MAPS}?watch=true&${query}`;
const label = (name: string, value: string) =>
  api.patch(`${CONFIG_MAPS}/${name}`, 'merge', { metadata: { labels: { in: value } } });

describe('watch', () => {
  it('tells the present state first when no version is named', async () => {
    await api.post(CONFIG_MAPS, configMap('a'));
    for (const query of ['', 'resourceVersion=0']) {
      const reading = await Reading.of(watchUrl(query));
      expect(reading.told).toEqual(['ADDED a']);
      await reading.stop();
    }
  });

  it('goes on from a version, and misses nothing', async () => {
    await api.post(CONFIG_MAPS, configMap('a'));
    const { resourceVersion } = (await api.get(CONFIG_MAPS)).json.metadata;
    await api.post(CONFIG_MAPS, configMap('b'));
    const reading = await Reading.of(watchUrl(`resourceVersion=${resourceVersion}`));
    await api.put(`${CONFIG_MAPS}/b`, configMap('b', { x: 'y' }));
    await api.delete(`${CONFIG_MAPS}/a`);
    await settle();
    expect(reading.told).toEqual(['ADDED b', 'MODIFIED b', 'DELETED a']);
    const versions = reading.events.map(({ object }) => BigInt(object.metadata.resourceVersion));
    expect(versions).toEqual([...versions].sort((x, y) => (x < y ? -1 : 1)));
    await reading.stop();
    expect(reading.ended).toBe(true);
  });

  it('tells of other namespaces only when they are meant', async () => {
    await api.post('/api/v1/namespaces', { metadata: { name: 'team' } });
    const own = await Reading.of(watchUrl());
    const all = await Reading.of('/api/v1/configmaps?watch=1');
    await api.post('/api/v1/namespaces/team/configmaps', configMap('a'));
    await settle();
    expect([own.told, all.told]).toEqual([[], ['ADDED a']]);
    await own.stop();
    await all.stop();
  });

  it('turns leaving and entering a selection into DELETED and ADDED', async () => {
    await api.post(CONFIG_MAPS, configMap('a', {}, { labels: { in: 'yes' } }));
    const { resourceVersion } = (await api.get(CONFIG_MAPS)).json.metadata;
    const query = `labelSelector=in=yes&resourceVersion=${resourceVersion}`;
    const reading = await Reading.of(watchUrl(query));
    await api.post(CONFIG_MAPS, configMap('other'));
    await label('a', 'no');
    await label('a', 'still no');
    await label('a', 'yes');
    await api.put(`${CONFIG_MAPS}/a`, configMap('a', { new: 'data' }, { labels: { in: 'yes' } }));
    await api.delete(`${CONFIG_MAPS}/a`);
    await api.delete(`${CONFIG_MAPS}/other`);
    await settle();
    expect(reading.told).toEqual(['DELETED a', 'ADDED a', 'MODIFIED a', 'DELETED a']);
    await reading.stop();
  });

  it('follows one name', async () => {
    const reading = await Reading.of(watchUrl('fieldSelector=metadata.name=b'));
    await api.post(CONFIG_MAPS, configMap('a'));
    await api.post(CONFIG_MAPS, configMap('b'));
    await settle();
    expect(reading.told).toEqual(['ADDED b']);
    await reading.stop();
  });

  it('sends rows whose columns are named once', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const reading = await Reading.of(watchUrl(), accept);
    await api.post(CONFIG_MAPS, configMap('a'));
    await api.post(CONFIG_MAPS, configMap('b'));
    await settle();
    const tables = reading.events.map(({ object }) => object);
    expect(tables.map(({ rows }) => rows[0].cells[0])).toEqual(['a', 'b']);
    expect(tables.map(({ columnDefinitions }) => columnDefinitions?.length)).toEqual([
      3,
      undefined,
    ]);
    await reading.stop();
  });

  it('keeps the line alive, and bookmarks for those who ask', async () => {
    const reading = await Reading.of(watchUrl('allowWatchBookmarks=true'));
    await api.clock.advance(29_000);
    expect(reading.lines).toEqual([]);
    await api.clock.advance(1_000);
    expect(reading.lines).toEqual(['\n']);
    await api.clock.advance(31_000);
    expect(reading.told).toEqual(['BOOKMARK']);
    const [{ object }] = reading.events as [Told];
    expect(object).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' });
    expect(object.metadata.resourceVersion).toMatch(/^[1-9]/);
    await reading.stop();
  });

  it('ends when its time is over, with a bookmark to go on from', async () => {
    const reading = await Reading.of(watchUrl('timeoutSeconds=5&allowWatchBookmarks=true'));
    await api.clock.advance(5_000);
    expect([reading.ended, reading.told]).toEqual([true, ['BOOKMARK']]);
    const plain = await Reading.of(watchUrl('timeoutSeconds=5'));
    await api.clock.advance(5_000);
    expect([plain.ended, plain.told]).toEqual([true, []]);
  });

  it('streams the list itself and says where it ends', async () => {
    await api.post(CONFIG_MAPS, configMap('a'));
    const query =
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const reading = await Reading.of(watchUrl(query));
    expect(reading.told).toEqual(['ADDED a', 'BOOKMARK']);
    const mark = reading.events[1]?.object.metadata;
    expect(mark.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    await reading.stop();
  });

  it.each([
    ['sendInitialEvents=true', 422, 'Invalid'],
    ['resourceVersionMatch=NotOlderThan', 422, 'Invalid'],
    ['resourceVersion=x', 400, 'BadRequest'],
    ['timeoutSeconds=soon', 422, 'Invalid'],
    ['fieldSelector=spec.x=1', 400, 'BadRequest'],
  ])('refuses %s', async (query, code, reason) => {
    expect(failure(await api.get(watchUrl(query)))).toMatchObject({ code, reason });
  });

  it('answers 410 for a version that is no longer known', async () => {
    const { json } = await api.post(CONFIG_MAPS, configMap('a'));
    for (let i = 0; i < 120; i++) await api.put(`${CONFIG_MAPS}/a`, configMap('a', { i: `${i}` }));
    const query = `resourceVersion=${json.metadata.resourceVersion}`;
    expect(failure(await api.get(watchUrl(query)))).toMatchObject({ code: 410, reason: 'Expired' });
  });

  it('ends with an error event when it falls behind what is known', async () => {
    await api.post(CONFIG_MAPS, configMap('a'));
    const response = await api.raw('GET', watchUrl());
    const lines = (response.body as AsyncIterable<string>)[Symbol.asyncIterator]();
    await lines.next();
    for (let i = 0; i < 120; i++) await api.put(`${CONFIG_MAPS}/a`, configMap('a', { i: `${i}` }));
    const { type, object } = JSON.parse((await lines.next()).value as string) as Told;
    expect([type, object.code, object.reason]).toEqual(['ERROR', 410, 'Expired']);
    expect((await lines.next()).done).toBe(true);
  });
});

/** A store that shows several changes of an object as the last of them, as the one on AWS does. */
function merging(store: Store, knowsBefore: boolean): Store {
  const changes = async (query: ChangesQuery): Promise<ChangeBatch> => {
    const batch = await store.changes(query);
    const first = new Map<string, Change>();
    const last = new Map<string, Change>();
    for (const change of batch.changes) {
      const { name } = change.object.metadata;
      if (!first.has(name)) first.set(name, change);
      last.set(name, change);
    }
    const merged = [...last].map(([name, { type, resource, object }]): Change => {
      const previous = first.get(name)?.previous;
      const before = previous && (knowsBefore ? { previous } : { earlier: 'unknown' as const });
      return { type, resource, object, ...before };
    });
    return { ...batch, changes: merged };
  };
  return { ...delegating(store), changes };
}

describe('watch of a store that merges changes', () => {
  const selected = (resourceVersion: string) =>
    watchUrl(`labelSelector=in=yes&resourceVersion=${resourceVersion}`);
  const versionNow = async () => (await api.get(CONFIG_MAPS)).json.metadata.resourceVersion;
  const restart = (knowsBefore: boolean) => {
    api = new TestApi({ store: merging(api.store, knowsBefore), clock: api.clock });
  };

  it.each([true, false])('tells who left, came and stayed (state before: %s)', async (knows) => {
    for (const name of ['leaves', 'stays']) {
      await api.post(CONFIG_MAPS, configMap(name, {}, { labels: { in: 'yes' } }));
    }
    await api.post(CONFIG_MAPS, configMap('comes'));
    const version = await versionNow();
    restart(knows);
    await label('leaves', 'no');
    await label('leaves', 'still no');
    await label('comes', 'yes');
    await api.put(
      `${CONFIG_MAPS}/stays`,
      configMap('stays', { x: '1' }, { labels: { in: 'yes' } }),
    );
    await api.post(CONFIG_MAPS, configMap('new', {}, { labels: { in: 'yes' } }));
    const reading = await Reading.of(selected(version));
    const came = knows ? 'ADDED comes' : 'MODIFIED comes';
    expect(reading.told.toSorted()).toEqual(
      ['DELETED leaves', came, 'MODIFIED stays', 'ADDED new'].toSorted(),
    );
    await reading.stop();
  });

  it.each([
    [true, []],
    [false, ['DELETED outside']],
  ])('says nothing of what was outside (state before: %s)', async (knows, told) => {
    await api.post(CONFIG_MAPS, configMap('outside'));
    const version = await versionNow();
    restart(knows);
    await label('outside', 'no');
    await api.post(CONFIG_MAPS, configMap('new-outside'));
    const reading = await Reading.of(selected(version));
    expect(reading.told).toEqual(told);
    await label('outside', 'not yet');
    await settle();
    expect(reading.told.filter((line) => line !== 'DELETED outside')).toEqual([]);
    await reading.stop();
  });

  it('tells nothing of other names', async () => {
    await api.post(CONFIG_MAPS, configMap('a'));
    await api.post(CONFIG_MAPS, configMap('b'));
    const version = await versionNow();
    restart(false);
    await label('a', 'x');
    await label('b', 'x');
    const query = `fieldSelector=metadata.name=b&resourceVersion=${version}`;
    const reading = await Reading.of(watchUrl(query));
    expect(reading.told).toEqual(['MODIFIED b']);
    await reading.stop();
  });
});
