/** Events that pods tell by their state, beside those that are stored. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { settle, StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { type AnyObject, draftMeta, type KubeObject } from '../../../shared/api/meta.ts';
import { rfc3339 } from '../../../shared/api/time.ts';
import { withToldEvents } from '../../../shared/control/apiserver/told-events.ts';
import { delegating } from '../../../shared/control/delegating.ts';
import { eventObject } from '../../../shared/core/event-object.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { failure, pod, PODS, TestApi } from './api.ts';

const EVENTS = '/api/v1/namespaces/default/events';
const HOUR_MS = 3_600_000;

async function running(api: TestApi, name: string): Promise<Pod> {
  await api.post(PODS, pod(name));
  const made = await api.store.get<Pod>({ resource: 'pods', namespace: 'default', name });
  if (!made) throw new Error(`no pod ${name}`);
  return api.store.update('pods', started(made, api.clock.nowMs()));
}

function started(given: Pod, nowMs: number, restartCount = 0): Pod {
  const now = rfc3339(nowMs);
  const conditions = [{ type: 'PodScheduled', status: 'True' as const, lastTransitionTime: now }];
  const status = { name: 'app', image: 'app:1', imageID: '', ready: true, restartCount };
  return {
    ...given,
    spec: { ...given.spec, nodeName: 'n1' },
    status: {
      ...{ ...given.status, conditions, startTime: now },
      containerStatuses: [{ ...status, state: { running: { startedAt: now } } }],
    },
  };
}

function stored(name: string, uid: string): KubeObject {
  const about = { resource: 'pods', apiVersion: 'v1', kind: 'Pod', namespace: 'default', name };
  const what = { about: { ...about, uid: 'u' }, type: 'Warning', reason: 'BackOff' } as const;
  const times = { uid, count: 1, firstMs: 0, lastMs: 0 };
  return eventObject({ ...what, message: `back-off ${uid}` }, times);
}

const reasons = (items: readonly { reason?: unknown; involvedObject?: unknown }[]) =>
  items.map(({ reason, involvedObject }) => [
    (involvedObject as { name?: string }).name,
    reason as string,
  ]);

const sorted = (texts: readonly unknown[]) => texts.map((text) => JSON.stringify(text)).sort();

describe('events that pods tell', () => {
  it('are listed with the others, chosen by their pod, and read by name', async () => {
    const api = await TestApi.withSystemObjects();
    await running(api, 'a');
    await running(api, 'b');
    await api.store.create('events', stored('a', 'e1'));
    const { items } = (await api.get(EVENTS)).json;
    const ofA = ['BackOff', 'Scheduled', 'Started'].map((reason) => ['a', reason]);
    const ofB = ['Scheduled', 'Started'].map((reason) => ['b', reason]);
    expect(sorted(reasons(items))).toEqual(sorted([...ofA, ...ofB]));
    const query = 'fieldSelector=involvedObject.name=a,involvedObject.kind=Pod';
    expect(sorted(reasons((await api.get(`${EVENTS}?${query}`)).json.items))).toEqual(sorted(ofA));
    for (const event of items) {
      const { json } = await api.get(`${EVENTS}/${event.metadata.name}`);
      expect(json).toEqual(event);
    }
  });

  it('are read in chunks, each once', async () => {
    const api = await TestApi.withSystemObjects();
    for (let i = 0; i < 7; i++) await running(api, `pod-${i}`);
    for (let i = 0; i < 5; i++) await api.store.create('events', stored(`pod-${i}`, `e${i}`));
    const whole = (await api.get(EVENTS)).json.items;
    const found: AnyObject[] = [];
    let token = '';
    do {
      const { json } = await api.get(`${EVENTS}?limit=3&continue=${encodeURIComponent(token)}`);
      found.push(...json.items);
      token = json.metadata.continue ?? '';
    } while (token !== '');
    const names = (events: readonly AnyObject[]) => events.map(({ metadata }) => metadata.name);
    expect(names(found).sort()).toEqual(names(whole).sort());
    expect(new Set(names(found)).size).toBe(5 + 7 * 2);
  });

  it('outlive their pod, and go an hour after they happened', async () => {
    const api = await TestApi.withSystemObjects();
    const { metadata } = await running(api, 'a');
    const { uid, resourceVersion } = metadata;
    await api.store.remove(
      { resource: 'pods', namespace: 'default', name: 'a' },
      {
        ...{ uid, resourceVersion },
      },
    );
    const list = async () => reasons((await api.get(EVENTS)).json.items);
    expect(await list()).toEqual(expect.arrayContaining([['a', 'Started']]));
    await api.clock.advance(HOUR_MS + 1_000);
    expect(await list()).toEqual([]);
  });

  it('can not be deleted nor changed: they go with their pod', async () => {
    const api = await TestApi.withSystemObjects();
    await running(api, 'a');
    await api.store.create('events', stored('a', 'e1'));
    const { items } = (await api.get(EVENTS)).json;
    const told = items.find(({ reason }: { reason: string }) => reason === 'Started');
    const url = `${EVENTS}/${told.metadata.name}`;
    const refused = { code: 405, reason: 'MethodNotAllowed' };
    expect(failure(await api.delete(url))).toMatchObject(refused);
    expect(failure(await api.put(url, { ...told, count: 7 }))).toMatchObject(refused);
    const all = await api.delete(EVENTS);
    expect(reasons(all.json.items)).toEqual([['a', 'BackOff']]);
    expect(String(all.headers['warning'])).toContain('told by its pod');
    expect(reasons((await api.get(EVENTS)).json.items)).toHaveLength(2);
  });

  it('are told to watches, once', async () => {
    const api = await TestApi.withSystemObjects();
    const { resourceVersion } = (await api.get(EVENTS)).json.metadata;
    const ended = new AbortController();
    const url = `${EVENTS}?watch=1&resourceVersion=${resourceVersion}`;
    const response = await api.raw('GET', url, { signal: ended.signal });
    const lines: string[] = [];
    const reading = (async () => {
      for await (const line of response.body as AsyncIterable<string>) lines.push(line);
    })();
    const last = await running(api, 'a');
    await settle();
    await api.store.create('events', stored('a', 'e1'));
    await api.store.update('pods', { ...last, metadata: { ...last.metadata, labels: { x: 'y' } } });
    await settle();
    ended.abort();
    await reading;
    const told = lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line));
    expect(told.map(({ type, object }) => `${type} ${object.reason}`).sort()).toEqual([
      ...['ADDED BackOff', 'ADDED Scheduled', 'ADDED Started'],
    ]);
  });
});

/** A reader who lists, and then follows the changes. */
class Watcher {
  readonly seen = new Map<string, AnyObject>();
  #version = '';
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async look(): Promise<void> {
    if (this.#version === '') {
      const { items, resourceVersion } = await this.#store.list({ resource: 'events' });
      for (const event of items) this.#see(event);
      this.#version = resourceVersion;
      return;
    }
    const batch = await this.#store.changes({ resource: 'events', after: this.#version });
    for (const { object } of batch.changes) this.#see(object);
    this.#version = batch.resourceVersion;
  }

  #see(event: AnyObject): void {
    const old = this.seen.get(event.metadata.name);
    const isOlder =
      Number(old?.metadata.resourceVersion ?? 0) > Number(event.metadata.resourceVersion);
    if (isOlder) throw new Error(`${event.metadata.name} went back`);
    this.seen.set(event.metadata.name, event);
  }
}

type Step = 'look 0' | 'look 1' | 'restart' | 'event';
const step = fc.constantFrom<Step>('look 0', 'look 1', 'restart', 'event');
/** Whether something is written between the two questions of a look. */
const steps = fc.array(fc.tuple(step, fc.boolean()), { maxLength: 40 });

describe('watches of both kinds of events', () => {
  it('miss nothing and never go back, whoever else watches', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        const clock = new StepClock();
        const memory = new MemoryStore({ clock });
        const life = new Life(memory, clock);
        await life.restart();
        let between: (() => Promise<void>) | undefined;
        const holed: Store = {
          ...delegating(memory),
          changes: async (query) => {
            if (query.resource === 'pods') await between?.();
            return memory.changes(query);
          },
        };
        const store = withToldEvents(holed, clock);
        const watchers = [new Watcher(store), new Watcher(store)];
        const act = { restart: () => life.restart(), event: () => life.event() };
        for (const [what, isBetween] of given) {
          await clock.advance(1_000);
          between = isBetween ? () => life.restart() : undefined;
          if (what === 'restart' || what === 'event') await act[what]();
          else await watchers[what === 'look 0' ? 0 : 1]?.look();
        }
        between = undefined;
        for (const watcher of watchers) {
          await watcher.look();
          await watcher.look();
          const { items } = await store.list({ resource: 'events' });
          const counts = (events: Iterable<AnyObject>) =>
            [...events].map(({ metadata, count }) => [metadata.name, count] as const).sort();
          expect(counts(watcher.seen.values())).toEqual(counts(items));
        }
      }),
    );
  });
});

/** A pod that is started again and again, and events beside it. */
class Life {
  #pod: Pod | undefined;
  #count = 0;
  readonly #store: Store;
  readonly #clock: StepClock;

  constructor(store: Store, clock: StepClock) {
    this.#store = store;
    this.#clock = clock;
  }

  async restart(): Promise<void> {
    const draft = { ...pod('p'), status: {}, metadata: draftMeta({ name: 'p', uid: 'u' }) };
    this.#pod ??= await this.#store.create('pods', draft as unknown as Pod);
    const next = started(this.#pod, this.#clock.nowMs(), this.#count++);
    this.#pod = await this.#store.update('pods', next);
  }

  async event(): Promise<void> {
    await this.#store.create('events', stored('p', `e${this.#count++}`));
  }
}
