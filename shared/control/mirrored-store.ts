/**
 * A store whose whole lists of some resources are answered from memory, brought up to date by what
 * changed since: for who reads all pods again and again, as the scheduler does, where reading them
 * all is slow and costs money.
 *
 * Owns: the mirrored lists. Does not own: writes and everything else, which go to the store.
 *
 * Invariants:
 *  R1 An answer holds every write that was committed before the question: the changes are read
 *     anew, strongly, at each question. A mirror is no cache that may be stale.
 *  R2 A version never goes back: a change older than what is held is dropped.
 *  R3 A mirror of an index holds what the index did not show yet when it was read: it goes on from
 *     the changes of `INDEX_LAG_MS` before. What lagged behind for longer, and nobody has written
 *     since, is missing no longer than `MAX_AGE_MS`.
 */
import { indexValues, keyOf } from '../api/change.ts';
import type { AnyObject, KubeObject, ResourceName } from '../api/meta.ts';
import { earlierVersion, versionNumber } from '../api/versions.ts';
import { listPosition } from '../ports/store-kit.ts';
import type { Clock } from '../ports/clock.ts';
import { Expired, type ListQuery, type Page, type Store } from '../ports/store.ts';
import { delegating } from './delegating.ts';
import { listAll } from './list-all.ts';

/** More changes than this between two questions, and reading the list anew is no slower. */
const MAX_BATCHES = 20;
const BATCH = 1_000;

export function mirroredStore(store: Store, resources: readonly ResourceName[]): Store {
  const mirrors = new Map(resources.map((resource) => [resource, new Mirror(store, { resource })]));
  const list = async <T extends KubeObject>(query: ListQuery): Promise<Page<T>> => {
    const mirror = query.index ? undefined : mirrors.get(query.resource);
    return mirror ? mirror.page<T>(query) : store.list<T>(query);
  };
  return { ...delegating(store), list };
}

/** Below this, reading all of them costs no more than asking what changed. */
const WORTH_MIRRORING = 64;
/** Longer than a burst in which an owner is looked at again and again. */
const MAX_AGE_MS = 60_000;
/** Of as many owners as one function is likely to look at in turns. */
const MAX_LISTS = 8;

/**
 * A store whose long lists by an index are mirrored after they were asked for: for who looks at the
 * same many objects again and again, as a ReplicaSet's controller does while its pods start.
 */
export function listMirroringStore(
  store: Store,
  clock: Pick<Clock, 'nowMs'>,
  worthMirroring = WORTH_MIRRORING,
): Store {
  const mirrors = new Map<string, { readonly mirror: Mirror; readonly sinceMs: number }>();
  const remember = (key: string, mirror: Mirror): void => {
    mirrors.set(key, { mirror, sinceMs: clock.nowMs() });
    const [oldest] = mirrors.keys();
    if (mirrors.size > MAX_LISTS && oldest !== undefined) mirrors.delete(oldest);
  };
  const known = (key: string): Mirror | undefined => {
    const entry = mirrors.get(key);
    if (entry && clock.nowMs() - entry.sinceMs < MAX_AGE_MS) return entry.mirror;
    mirrors.delete(key);
    return undefined;
  };
  const list = async <T extends KubeObject>(query: ListQuery): Promise<Page<T>> => {
    const { resource, namespace, index, after } = query;
    if (!index) return store.list<T>(query);
    const of = { resource, index, ...(namespace === undefined ? {} : { namespace }) };
    const key = JSON.stringify(of);
    const mirror = known(key);
    if (mirror) return mirror.page<T>(query);
    const page = await store.list<T>(query);
    const isLong = after === undefined && page.items.length >= worthMirroring;
    if (isLong && !known(key)) remember(key, new Mirror(store, of));
    return page;
  };
  return { ...delegating(store), list };
}

/**
 * Indexes of DynamoDB are behind by less than a second as a rule. A list that is behind is right a
 * moment later; a mirror of it would be wrong for as long as it is kept, while those who were there
 * before go, and a ReplicaSet would make its pods a second time.
 */
const INDEX_LAG_MS = 10_000;

/** What a mirror is of. */
type Mirrored = Pick<ListQuery, 'resource' | 'namespace' | 'index'>;

class Mirror {
  readonly #store: Store;
  readonly #of: Mirrored;
  #objects: Map<string, AnyObject> | undefined;
  #version = '';
  /** The positions in order; made anew when one came or went. */
  #order: readonly string[] | undefined;
  #refreshing: Promise<unknown> = Promise.resolve();

  constructor(store: Store, of: Mirrored) {
    this.#store = store;
    this.#of = of;
  }

  /** A page of the list. Only its first page is brought up to date: the rest goes with it. */
  async page<T extends KubeObject>(query: ListQuery): Promise<Page<T>> {
    if (query.after === undefined || !this.#objects) await this.#refresh();
    const { namespace, after, limit = Infinity } = query;
    const items: AnyObject[] = [];
    let last = '';
    for (const position of this.#positionsAfter(after)) {
      const object = this.#objects?.get(position);
      if (!object || !isIn(object, namespace)) continue;
      if (items.length === limit) return this.#pageOf<T>(items, last);
      items.push(object);
      last = position;
    }
    return this.#pageOf<T>(items);
  }

  #pageOf<T extends KubeObject>(items: readonly KubeObject[], next?: string): Page<T> {
    const page = { items: items as readonly T[], resourceVersion: this.#version };
    return next === undefined ? page : { ...page, next };
  }

  #positionsAfter(after: string | undefined): readonly string[] {
    this.#order ??= [...(this.#objects ?? new Map<string, AnyObject>()).keys()].sort();
    if (after === undefined) return this.#order;
    const first = this.#order.findIndex((position) => position > after);
    return first < 0 ? [] : this.#order.slice(first);
  }

  /** One at a time; each question's own refresh begins after the question (R1). */
  #refresh(): Promise<void> {
    const refreshed = this.#refreshing.then(() => this.#catchUp());
    this.#refreshing = refreshed.catch(() => undefined);
    return refreshed;
  }

  async #catchUp(): Promise<void> {
    if (this.#objects && (await this.#applyChanges(this.#objects)) === true) return;
    const objects = await this.#readAnew();
    if (this.#of.index) await this.#addHidden(objects);
  }

  /** R3, as far back as changes are known. */
  async #addHidden(objects: Map<string, AnyObject>): Promise<void> {
    const listedAt = this.#version;
    let from = earlierVersion(listedAt, INDEX_LAG_MS);
    for (let tries = 0; tries < 2; tries++) {
      this.#version = from;
      const applied = await this.#applyChanges(objects);
      if (!(applied instanceof Expired)) return;
      from = applied.oldest ?? listedAt;
    }
    this.#version = listedAt;
  }

  /** Whether all changes are in now; not where they are more than it takes to read the list. */
  async #applyChanges(objects: Map<string, AnyObject>): Promise<boolean | Expired> {
    try {
      for (let batches = 0; batches < MAX_BATCHES; batches++) {
        if (await this.#applyBatch(objects)) return true;
      }
      return false;
    } catch (error) {
      if (error instanceof Expired) return error;
      throw error;
    }
  }

  /** Whether it was the last one. */
  async #applyBatch(objects: Map<string, AnyObject>): Promise<boolean> {
    const { resource, namespace } = this.#of;
    const within = namespace === undefined ? {} : { namespace };
    const query = { resource, ...within, after: this.#version, limit: BATCH };
    const { changes, resourceVersion } = await this.#store.changes(query);
    for (const { type, object } of changes) {
      const position = listPosition(keyOf(resource, object));
      const held = objects.get(position);
      if (held && versionOf(held) > versionOf(object)) continue;
      const isThere = type === 'put' && this.#isOfIndex(object);
      if (isThere) objects.set(position, object);
      else objects.delete(position);
      if (isThere !== (held !== undefined)) this.#order = undefined;
    }
    this.#version = resourceVersion;
    return changes.length < BATCH;
  }

  async #readAnew(): Promise<Map<string, AnyObject>> {
    const { resource, namespace } = this.#of;
    const within = namespace === undefined ? {} : { namespace };
    // From before the list, so that what changes while it is read shows again afterwards.
    const { resourceVersion } = await this.#store.list({ resource, ...within, limit: 1 });
    const objects = await listAll(this.#store, this.#of);
    const entries = objects.map(
      (object) => [listPosition(keyOf(resource, object)), object] as const,
    );
    this.#objects = new Map(entries);
    this.#order = undefined;
    this.#version = resourceVersion;
    return this.#objects;
  }

  #isOfIndex(object: AnyObject): boolean {
    const { resource, index } = this.#of;
    return !index || indexValues(index.name, resource, object).includes(index.value);
  }
}

function isIn({ metadata }: AnyObject, namespace: string | undefined): boolean {
  return namespace === undefined || (metadata.namespace ?? '') === namespace;
}

function versionOf({ metadata }: AnyObject): number {
  return versionNumber(metadata.resourceVersion);
}
