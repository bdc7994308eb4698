/**
 * The store in memory, for tests, simulation and throw-away local runs. A write takes effect within
 * the call, so that the order of calls is the order of changes.
 *
 * Invariants:
 *  M1 The tables of an index hold exactly the objects whose `indexValues` name them, as last
 *      written.
 *  M2 A version that this store has not yet given, or no longer knows the changes after, is
 *      `Expired`.
 */
import {
  type Change,
  expectedOf,
  type Expected,
  INDEX_NAMES,
  type IndexName,
  indexValues,
  keyOf,
} from '../../shared/api/change.ts';
import type { AnyObject, KubeObject, ObjectKey, ResourceName } from '../../shared/api/meta.ts';
import { nextVersion, versionNumber } from '../../shared/api/versions.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { ChangeWaiters } from '../../shared/ports/change-waiters.ts';
import { seal } from '../../shared/ports/sealed.ts';
import {
  CHANGES_KEPT,
  checkCreate,
  checkExpected,
  checkKnown,
  listPosition,
} from '../../shared/ports/store-kit.ts';
import {
  type ChangeBatch,
  type ChangesQuery,
  type ListQuery,
  type Page,
  type Store,
} from '../../shared/ports/store.ts';
import { History } from './history.ts';
import { OrderedMap } from './ordered-map.ts';

export interface MemoryStoreOptions {
  readonly clock: Clock;
  /**
   * Told of each write after it took effect, in order, within the call. It stands for the table's
   * stream.
   */
  readonly onCommit?: (change: Change) => void;
  /** How many changes of a resource are kept at least. */
  readonly changesKept?: number;
}

export class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #onCommit: ((change: Change) => void) | undefined;
  readonly #changesKept: number;
  /** By resource, and by `tableOfIndex`. */
  readonly #tables = new Map<string, OrderedMap<AnyObject>>();
  readonly #histories = new Map<ResourceName, History>();
  readonly #waiters = new ChangeWaiters();
  readonly #firstVersion: number;
  #lastVersion: number;

  constructor(options: MemoryStoreOptions) {
    this.#clock = options.clock;
    this.#onCommit = options.onCommit;
    this.#changesKept = options.changesKept ?? CHANGES_KEPT;
    this.#firstVersion = nextVersion(0, options.clock.nowMs());
    this.#lastVersion = this.#firstVersion;
  }

  async get<T extends KubeObject = AnyObject>(key: ObjectKey): Promise<T | undefined> {
    return this.#current(key) as T | undefined;
  }

  async list<T extends KubeObject = AnyObject>(query: ListQuery): Promise<Page<T>> {
    const { resource, namespace, index } = query;
    const table = index ? tableOfIndex(resource, index.name, index.value) : resource;
    const prefix = namespace === undefined ? '' : listPosition({ namespace, name: '' });
    const resourceVersion = String(this.#lastVersion);
    const items: T[] = [];
    let last = '';
    for (const [position, object] of this.#tables.get(table)?.range(prefix, query.after) ?? []) {
      if (items.length === query.limit) return { items, resourceVersion, next: last };
      items.push(object as KubeObject as T);
      last = position;
    }
    return { items, resourceVersion };
  }

  async create<T extends KubeObject>(resource: ResourceName, object: T): Promise<T> {
    checkCreate(this.#current(keyOf(resource, object)), object);
    const { object: created } = seal(object, this.#nextVersion());
    this.#commit({ type: 'put', resource, object: created });
    return created as KubeObject as T;
  }

  async update<T extends KubeObject>(resource: ResourceName, object: T): Promise<T> {
    const previous = this.#current(keyOf(resource, object));
    checkExpected(previous, expectedOf(object));
    const { object: updated } = seal(object, this.#nextVersion(), previous);
    this.#commit({ type: 'put', resource, object: updated, previous });
    return updated as KubeObject as T;
  }

  async remove<T extends KubeObject = AnyObject>(key: ObjectKey, expected: Expected): Promise<T> {
    const previous = this.#current(key);
    checkExpected(previous, expected);
    const { object: removed } = seal(previous, this.#nextVersion(), previous);
    this.#commit({ type: 'delete', resource: key.resource, object: removed, previous });
    return removed as KubeObject as T;
  }

  async changes(query: ChangesQuery): Promise<ChangeBatch> {
    const after = versionNumber(query.after);
    const history = this.#histories.get(query.resource);
    checkKnown(after, history?.floor ?? this.#firstVersion, this.#lastVersion);
    const changes: Change[] = [];
    for (const { version, change } of history?.after(after) ?? []) {
      if (!isIn(change.object, query.namespace)) continue;
      changes.push(change);
      if (changes.length === query.limit) return { changes, resourceVersion: String(version) };
    }
    return { changes, resourceVersion: String(this.#lastVersion) };
  }

  async waitForChange(query: ChangesQuery, signal: AbortSignal): Promise<void> {
    const after = versionNumber(query.after);
    const newest = this.#histories.get(query.resource)?.newest ?? this.#firstVersion;
    const hasNews = after < newest || after > this.#lastVersion;
    if (!hasNews) await this.#waiters.wait(query.resource, signal);
  }

  #current(key: ObjectKey): AnyObject | undefined {
    return this.#tables.get(key.resource)?.get(listPosition(key));
  }

  #nextVersion(): number {
    return nextVersion(this.#lastVersion, this.#clock.nowMs());
  }

  #commit(change: Change): void {
    this.#lastVersion = versionNumber(change.object.metadata.resourceVersion);
    this.#write(change);
    this.#history(change.resource).add(this.#lastVersion, change);
    this.#onCommit?.(change);
    this.#waiters.wake(change.resource);
  }

  #write({ type, resource, object, previous }: Change): void {
    const position = listPosition(keyOf(resource, object));
    const before = previous ? tablesOf(resource, previous) : new Set<string>();
    const after = type === 'put' ? tablesOf(resource, object) : new Set<string>();
    for (const name of before) {
      if (after.has(name)) continue;
      const table = this.#tables.get(name);
      table?.delete(position);
      if (table?.size === 0) this.#tables.delete(name);
    }
    for (const name of after) {
      const table = this.#tables.get(name) ?? new OrderedMap<AnyObject>();
      table.set(position, object);
      this.#tables.set(name, table);
    }
  }

  #history(resource: ResourceName): History {
    const known = this.#histories.get(resource);
    if (known) return known;
    const history = new History(this.#changesKept, this.#firstVersion);
    this.#histories.set(resource, history);
    return history;
  }
}

function tablesOf(resource: ResourceName, object: AnyObject): Set<string> {
  const tables = new Set([resource]);
  for (const index of INDEX_NAMES) {
    for (const value of indexValues(index, resource, object)) {
      tables.add(tableOfIndex(resource, index, value));
    }
  }
  return tables;
}

/** No resource's name holds a slash, and no index's: different tables never share a name. */
function tableOfIndex(resource: ResourceName, index: IndexName, value: string): string {
  return `${resource}/${index}/${value}`;
}

function isIn(object: AnyObject, namespace: string | undefined): boolean {
  return namespace === undefined || (object.metadata.namespace ?? '') === namespace;
}
