/**
 * Events as clients see them: those that are stored, and those that pods tell by their state
 * (core/pod/told.ts), which nobody wrote. Only the API server reads them like this.
 *
 * Owns: lists, watches and reads of both kinds as one resource. Does not own: what pods tell, or
 * what is stored of events.
 *
 * Invariants:
 *  T1 A watch of events follows two resources under one version: a lower bound of both. What it
 *     stands for exactly is remembered here; who comes with it elsewhere may be told some events
 *     once more, and misses none.
 *  T2 What a pod tells is as old as the pod's version, and goes an hour after it happened, as
 *     stored events do; of pods that are gone it is shown as far as the store keeps changes.
 */
import { methodNotAllowed } from '../../api/errors.ts';
import type { Change, Expected } from '../../api/change.ts';
import { hash64, sameJson } from '../../api/hash.ts';
import type { Event } from '../../api/kinds/core.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { AnyObject, KubeObject, ObjectKey } from '../../api/meta.ts';
import { nextVersion, versionNumber } from '../../api/versions.ts';
import { EVENT_TTL_MS, eventObject, nameOfTarget } from '../../core/event-object.ts';
import { eventTarget } from '../../core/plan.ts';
import { type Told, toldBy } from '../../core/pod/told.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  type ChangeBatch,
  type ChangesQuery,
  Expired,
  type ListQuery,
  type Page,
  type Store,
} from '../../ports/store.ts';
import { delegating } from '../delegating.ts';

const EVENTS = 'events';
const PODS = 'pods';

/** Begins the positions of a list's second part. No namespace holds a slash. */
const OF_PODS = '/pods/';

/** What a pod of one container tells at most. */
const TOLD_BY_ONE = 3;
/** Pods that are gone, on the last page: some megabytes. The latest count. */
const MAX_GONE = 2_000;
/** Changes of pods that are looked through for them, at so many a time. */
const MAX_BATCHES = 20;
const BATCH = 1_000;
/** Versions of watches that are remembered: of more watches than one process serves. */
const MAX_REMEMBERED = 1_000;

const REFUSAL = 'the event is told by its pod, and goes with it';

/** The store, whose events are all that clients are to see. */
export function withToldEvents(store: Store, clock: Pick<Clock, 'nowMs'>): Store {
  const events = new ToldEvents(store, clock);
  return {
    ...delegating(store),
    get: async <T extends KubeObject = AnyObject>(key: ObjectKey) =>
      key.resource === EVENTS ? ((await events.get(key)) as T | undefined) : store.get<T>(key),
    list: async <T extends KubeObject = AnyObject>(query: ListQuery) =>
      query.resource === EVENTS
        ? ((await events.list(query)) as Page<KubeObject> as Page<T>)
        : store.list<T>(query),
    update: async (resource, object) => {
      if (resource === EVENTS && isTold(object)) throw methodNotAllowed(REFUSAL);
      return store.update(resource, object);
    },
    remove: async <T extends KubeObject = AnyObject>(key: ObjectKey, expected: Expected) => {
      if (key.resource === EVENTS) await events.checkRemovable(key, expected);
      return store.remove<T>(key, expected);
    },
    changes: (query) => (query.resource === EVENTS ? events.changes(query) : store.changes(query)),
    waitForChange: (query, signal) =>
      query.resource === EVENTS ? events.wait(query, signal) : store.waitForChange(query, signal),
  };
}

/** What one version of a watch stands for. */
interface Versions {
  readonly events: string;
  readonly pods: string;
}

class ToldEvents {
  readonly #store: Store;
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** By namespace and version (T1). */
  readonly #versions = new Map<string, Versions>();

  constructor(store: Store, clock: Pick<Clock, 'nowMs'>) {
    this.#store = store;
    this.#clock = clock;
  }

  async get(key: ObjectKey): Promise<AnyObject | undefined> {
    return (await this.#store.get(key)) ?? this.#told(key);
  }

  async checkRemovable(key: ObjectKey, { uid }: Expected): Promise<void> {
    const told = await this.#told(key);
    if (told?.metadata.uid === uid) throw methodNotAllowed(REFUSAL);
  }

  /** First what is stored, then what pods tell; each page in the order of names. */
  async list(query: ListQuery): Promise<Page<AnyObject>> {
    const { after = '', namespace } = query;
    if (after.startsWith(OF_PODS)) return this.#listOfPods(query, after.slice(OF_PODS.length));
    const page = await this.#store.list(query);
    const { resourceVersion } = page;
    const both = { events: resourceVersion, pods: resourceVersion };
    if (after === '') this.#remember(namespace, resourceVersion, both);
    if (page.next !== undefined) return page;
    const told = await this.#listOfPods(query, '');
    return { ...told, items: [...page.items, ...told.items].sort(byName), resourceVersion };
  }

  async changes(query: ChangesQuery): Promise<ChangeBatch> {
    const { namespace } = query;
    const from = this.#known(query);
    const stored = await this.#store.changes({ ...query, after: from.events });
    const ofPods = await this.#store.changes({ ...query, resource: PODS, after: from.pods });
    const changes = [...stored.changes, ...ofPods.changes.flatMap((one) => this.#toldAnew(one))];
    const next = { events: stored.resourceVersion, pods: ofPods.resourceVersion };
    const resourceVersion = lower(next.events, next.pods);
    this.#remember(namespace, resourceVersion, next);
    return { changes: changes.sort(byVersion), resourceVersion };
  }

  async wait(query: ChangesQuery, signal: AbortSignal): Promise<void> {
    const from = this.#known(query);
    const over = new AbortController();
    const stop = () => over.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      await Promise.race([
        this.#store.waitForChange({ ...query, after: from.events }, over.signal),
        this.#store.waitForChange({ ...query, resource: PODS, after: from.pods }, over.signal),
      ]);
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
    }
  }

  async #told({ namespace, name }: ObjectKey): Promise<AnyObject | undefined> {
    const of = { resource: PODS, namespace, name: nameOfTarget(name) };
    const pod = await this.#store.get<Pod>(of);
    return pod && this.#eventsOf([pod]).find(({ metadata }) => metadata.name === name);
  }

  async #listOfPods(query: ListQuery, after: string): Promise<Page<AnyObject>> {
    const { namespace, about, limit } = query;
    if (about !== undefined && namespace !== undefined) {
      const pod = await this.#store.get<Pod>({ resource: PODS, namespace, name: about });
      return { items: this.#eventsOf(pod ? [pod] : []), resourceVersion: '0' };
    }
    const { items, resourceVersion, next } = await this.#store.list<Pod>({
      resource: PODS,
      ...(namespace === undefined ? {} : { namespace }),
      ...(limit === undefined ? {} : { limit: Math.ceil(limit / TOLD_BY_ONE) }),
      ...(after === '' ? {} : { after }),
    });
    if (next === undefined) {
      const all = [...items, ...(await this.#gone(namespace))];
      return { items: this.#eventsOf(all), resourceVersion };
    }
    return { items: this.#eventsOf(items), resourceVersion, next: OF_PODS + next };
  }

  /** The pods that have gone of late, as they were last. */
  async #gone(namespace: string | undefined): Promise<readonly Pod[]> {
    const since = String(nextVersion(0, Math.max(0, this.#clock.nowMs() - EVENT_TTL_MS)));
    const gone = await this.#goneSince(namespace, since).catch((error: unknown) => {
      if (!(error instanceof Expired)) throw error;
      return error.oldest === undefined ? [] : this.#goneSince(namespace, error.oldest);
    });
    return gone.slice(-MAX_GONE);
  }

  async #goneSince(namespace: string | undefined, since: string): Promise<readonly Pod[]> {
    const of = { resource: PODS, ...(namespace === undefined ? {} : { namespace }), limit: BATCH };
    const gone: Pod[] = [];
    let after = since;
    for (let batches = 0; batches < MAX_BATCHES; batches++) {
      const { changes, resourceVersion } = await this.#store.changes({ ...of, after });
      for (const { type, object } of changes) {
        if (type === 'delete') gone.push(object as KubeObject as Pod);
      }
      if (changes.length < BATCH) break;
      after = resourceVersion;
    }
    return gone;
  }

  /** In the order of their names: a page is read on from the last of them. */
  #eventsOf(pods: readonly Pod[]): AnyObject[] {
    const oldestMs = this.#clock.nowMs() - EVENT_TTL_MS;
    const young = ({ lastMs }: Told) => lastMs > oldestMs;
    const events = pods.flatMap((pod) =>
      toldBy(pod)
        .filter(young)
        .map((one) => asEvent(pod, one)),
    );
    return events.sort(byName);
  }

  /** What the change has added to what the pod tells, or may have for one who has seen less. */
  #toldAnew({ type, object, previous, earlier = [] }: Change): Change[] {
    if (type === 'delete') return [];
    const before = previous ? this.#eventsOf([previous as KubeObject as Pod]) : [];
    const others = earlier === 'unknown' ? [undefined] : earlier;
    const seen = others.map((pod) => (pod ? this.#eventsOf([pod as KubeObject as Pod]) : []));
    const isKnown = (event: AnyObject) => [before, ...seen].every((known) => holds(known, event));
    return this.#eventsOf([object as KubeObject as Pod])
      .filter((event) => !isKnown(event))
      .map((event) => {
        const old = before.find(({ metadata }) => metadata.name === event.metadata.name);
        return { type: 'put', resource: EVENTS, object: event, ...(old && { previous: old }) };
      });
  }

  #known({ namespace, after }: ChangesQuery): Versions {
    return this.#versions.get(idOf(namespace, after)) ?? { events: after, pods: after };
  }

  /** Two watches may come to one version by different ways: the less of each holds for both. */
  #remember(namespace: string | undefined, version: string, { events, pods }: Versions): void {
    const id = idOf(namespace, version);
    const old = this.#versions.get(id) ?? { events, pods };
    this.#versions.delete(id);
    this.#versions.set(id, { events: lower(old.events, events), pods: lower(old.pods, pods) });
    const [oldest] = this.#versions.keys();
    if (this.#versions.size > MAX_REMEMBERED && oldest !== undefined) this.#versions.delete(oldest);
  }
}

function asEvent(pod: Pod, { reason, message, ...happened }: Told): AnyObject {
  const { uid, resourceVersion } = pod.metadata;
  const what = { about: eventTarget(PODS, pod), type: 'Normal', reason, message } as const;
  const event = eventObject(what, {
    ...happened,
    uid: toldUid(uid, reason, message),
    resourceVersion,
  });
  return event as KubeObject as AnyObject;
}

/** The same for ever, and no other event's: made of what the event is, in the form of a UUID. */
function toldUid(podUid: string, reason: string, message: string): string {
  const half = (salt: string) =>
    hash64([salt, podUid, reason, message].join('\n')).toString(16).padStart(16, '0');
  const [a, b] = [half('a'), half('b')];
  // Version 8 is for ids that are made otherwise (RFC 9562).
  return [
    ...[a.slice(0, 8), a.slice(8, 12), `8${a.slice(13)}`],
    ...[`8${b.slice(1, 4)}`, b.slice(4)],
  ].join('-');
}

function isTold(object: KubeObject): boolean {
  const { metadata, involvedObject, reason = '', message = '' } = object as Event;
  return metadata.uid === toldUid(involvedObject.uid ?? '', reason, message);
}

/** Whether an event of this name is there, and says the same. */
function holds(events: readonly AnyObject[], event: AnyObject): boolean {
  const known = events.find(({ metadata }) => metadata.name === event.metadata.name);
  return known !== undefined && sameJson(unversioned(known), unversioned(event));
}

function unversioned({ metadata, ...rest }: AnyObject): unknown {
  const { resourceVersion: _, ...others } = metadata;
  return { ...rest, metadata: others };
}

function idOf(namespace: string | undefined, version: string): string {
  return `${namespace ?? ''}/${version}`;
}

function lower(a: string, b: string): string {
  return versionNumber(a) < versionNumber(b) ? a : b;
}

function byVersion(a: Change, b: Change): number {
  return versionOf(a.object) - versionOf(b.object);
}

function versionOf({ metadata }: AnyObject): number {
  return versionNumber(metadata.resourceVersion);
}

function byName({ metadata: a }: AnyObject, { metadata: b }: AnyObject): number {
  const [x, y] = [a.namespace ?? '', b.namespace ?? ''];
  if (x !== y) return x < y ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
