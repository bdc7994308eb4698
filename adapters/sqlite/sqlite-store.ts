/**
 * The store in one SQLite file, for local mode. The file is the truth; what is in memory can be
 * dropped at any time.
 *
 * Writes of one turn of the event loop are committed together: the wait for the disk is what a
 * write costs, and it is the same for one as for a thousand. SQLite blocks while it commits, so
 * that nobody sees a write before it is durable.
 *
 * Invariants:
 *  F1 Writes take effect in the order of the calls. A promise settles, and `onCommit` is called,
 *     after the commit.
 *  F2 A write whose condition fails changes nothing, and does not disturb the others of its commit.
 *  F3 Versions grow over all resources and are never used again, though clocks jump back and
 *     processes end.
 */
import { type Change, expectedOf, type Expected, keyOf } from '../../shared/api/change.ts';
import type { AnyObject, KubeObject, ObjectKey, ResourceName } from '../../shared/api/meta.ts';
import { nextVersion, versionNumber } from '../../shared/api/versions.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { ChangeWaiters } from '../../shared/ports/change-waiters.ts';
import { seal, type Sealed, unseal } from '../../shared/ports/sealed.ts';
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
  Unavailable,
} from '../../shared/ports/store.ts';
import { type Durability, openDatabase } from './database.ts';
import { ObjectCache } from './object-cache.ts';
import { type ChangeRow, Rows } from './rows.ts';

export interface SqliteStoreOptions {
  readonly path: string;
  readonly clock: Clock;
  /**
   * Told of each write once it is durable, in order. It stands for the table's stream, and must not
   * throw.
   */
  readonly onCommit?: (change: Change) => void;
  /** `disk` when absent. */
  readonly durability?: Durability;
  /** How many changes of a resource are kept at least. */
  readonly changesKept?: number;
}

/** A write that waits for its commit. */
interface Write {
  readonly key: ObjectKey;
  /** What the write makes of the state that it finds. Throws where its condition fails. */
  readonly decide: (current: AnyObject | undefined) => Sealed;
  readonly type: Change['type'];
  readonly settle: PromiseWithResolvers<AnyObject>;
}

/** A write that the transaction has taken, or refused. */
type Verdict = { readonly change: Change } | { readonly refusal: unknown };

/** What is kept of a resource's changes: `count` of them, after `floor` and up to `newest`. */
interface Log {
  count: number;
  floor: number;
  newest: number;
}

/** The event loop stands still for a commit; this many take some 30 ms. */
const WRITES_PER_COMMIT = 1000;

/** Changes forgotten at once: enough that it is rare, few enough that it is short. */
const TRIM_BATCH = 1000;

/** In characters of JSON; parsed, it is two to three times that. Ten thousand pods fit twice. */
const CACHE_LENGTH = 64 * 1024 * 1024;

export class SqliteStore implements Store {
  readonly #rows: Rows;
  readonly #clock: Clock;
  readonly #onCommit: ((change: Change) => void) | undefined;
  readonly #changesKept: number;
  readonly #cache = new ObjectCache(CACHE_LENGTH);
  readonly #waiters = new ChangeWaiters();
  readonly #logs = new Map<ResourceName, Log>();
  readonly #firstVersion: number;
  #committedVersion: number;
  /** Given to a write that may not be committed yet. */
  #givenVersion: number;
  #pending: Write[] = [];
  #isClosed = false;

  /**
   * Opens the file, or makes it. Throws `StoreFileUnusable` when another process has it, or it is
   * not ours.
   */
  static open(options: SqliteStoreOptions): SqliteStore {
    return new SqliteStore(options);
  }

  private constructor(options: SqliteStoreOptions) {
    const { path, clock, onCommit, durability = 'disk', changesKept = CHANGES_KEPT } = options;
    this.#rows = new Rows(openDatabase(path, durability, nextVersion(0, clock.nowMs())));
    this.#clock = clock;
    this.#onCommit = onCommit;
    this.#changesKept = changesKept;
    this.#firstVersion = this.#rows.firstVersion();
    const floors = this.#rows.floors();
    for (const { resource, count, newest } of this.#rows.logs()) {
      this.#logs.set(resource, {
        count,
        newest,
        floor: floors.get(resource) ?? this.#firstVersion,
      });
    }
    const newest = [...this.#logs.values()].map((log) => log.newest);
    this.#committedVersion = Math.max(this.#firstVersion, ...newest);
    this.#givenVersion = this.#committedVersion;
  }

  async get<T extends KubeObject = AnyObject>(key: ObjectKey): Promise<T | undefined> {
    return this.#reading(() => this.#current(key)) as T | undefined;
  }

  async list<T extends KubeObject = AnyObject>(query: ListQuery): Promise<Page<T>> {
    return this.#reading(() => {
      const { limit } = query;
      const versions = this.#rows.versions(query, limit === undefined ? undefined : limit + 1);
      const items = versions.slice(0, limit).map((version) => this.#state(version));
      const resourceVersion = String(this.#committedVersion);
      const last = items.at(-1);
      const hasMore = versions.length > items.length && last;
      const next = hasMore ? { next: listPosition(keyOf(query.resource, last)) } : {};
      return { items: items as KubeObject[] as T[], resourceVersion, ...next };
    });
  }

  async create<T extends KubeObject>(resource: ResourceName, object: T): Promise<T> {
    const sealed = seal(object, this.#giveVersion());
    const created = await this.#write('put', keyOf(resource, sealed.object), (current) => {
      checkCreate(current, sealed.object);
      return sealed;
    });
    return created as KubeObject as T;
  }

  async update<T extends KubeObject>(resource: ResourceName, object: T): Promise<T> {
    const expected = expectedOf(object);
    const base = this.#cache.get(Number(expected.resourceVersion));
    const sealed = seal(object, this.#giveVersion(), base);
    const updated = await this.#write('put', keyOf(resource, sealed.object), (current) => {
      checkExpected(current, expected);
      return sealed;
    });
    return updated as KubeObject as T;
  }

  async remove<T extends KubeObject = AnyObject>(key: ObjectKey, expected: Expected): Promise<T> {
    const version = this.#giveVersion();
    const removed = await this.#write('delete', key, (current) => {
      checkExpected(current, expected);
      return seal(current, version, current);
    });
    return removed as KubeObject as T;
  }

  async changes(query: ChangesQuery): Promise<ChangeBatch> {
    const { resource, namespace, limit } = query;
    const after = versionNumber(query.after);
    checkKnown(after, this.#log(resource).floor, this.#committedVersion);
    return this.#reading(() => {
      const rows = this.#rows.changes(resource, namespace, after, limit);
      const version = rows.length === limit ? rows.at(-1)?.version : undefined;
      return {
        changes: rows.map((row) => this.#change(resource, row)),
        resourceVersion: String(version ?? this.#committedVersion),
      };
    });
  }

  async waitForChange(query: ChangesQuery, signal: AbortSignal): Promise<void> {
    const after = versionNumber(query.after);
    const hasNews = after < this.#log(query.resource).newest || after > this.#committedVersion;
    if (!hasNews && !this.#isClosed) await this.#waiters.wait(query.resource, signal);
  }

  /** Commits what is pending and gives the file free. Calls after it throw `Unavailable`. */
  close(): void {
    if (this.#isClosed) return;
    while (this.#pending.length > 0) this.#commit();
    this.#isClosed = true;
    this.#waiters.wakeAll();
    this.#rows.close();
  }

  #reading<T>(read: () => T): T {
    if (this.#isClosed) throw new Unavailable('the store is closed');
    try {
      return read();
    } catch (error) {
      throw unavailable(error);
    }
  }

  #current(key: ObjectKey): AnyObject | undefined {
    const version = this.#rows.currentVersion(key);
    return version === undefined ? undefined : this.#state(version);
  }

  #state(version: number): AnyObject {
    const known = this.#cache.get(version);
    if (known) return known;
    const json = this.#rows.json(version);
    const object = unseal(json);
    this.#cache.add(version, object, json.length);
    return object;
  }

  #change(resource: ResourceName, { version, previous, isDeletion }: ChangeRow): Change {
    const type = isDeletion ? 'delete' : 'put';
    const object = this.#state(version);
    if (previous === undefined) return { type, resource, object };
    return { type, resource, object, previous: this.#state(previous) };
  }

  #log(resource: ResourceName): Log {
    const known = this.#logs.get(resource);
    if (known) return known;
    return { count: 0, floor: this.#firstVersion, newest: this.#firstVersion };
  }

  #giveVersion(): number {
    this.#givenVersion = nextVersion(this.#givenVersion, this.#clock.nowMs());
    return this.#givenVersion;
  }

  #write(type: Change['type'], key: ObjectKey, decide: Write['decide']): Promise<AnyObject> {
    if (this.#isClosed) throw new Unavailable('the store is closed');
    if (this.#pending.length === 0) this.#scheduleCommit();
    const settle = Promise.withResolvers<AnyObject>();
    this.#pending.push({ key, type, decide, settle });
    return settle.promise;
  }

  /** After the promise chains and callbacks of this turn, which may have more to write. */
  #scheduleCommit(): void {
    setImmediate(() => {
      if (this.#pending.length > 0) this.#commit();
      if (this.#pending.length > 0) this.#scheduleCommit();
    });
  }

  #commit(): void {
    const writes = this.#pending.splice(0, WRITES_PER_COMMIT);
    const verdicts: Verdict[] = [];
    try {
      this.#rows.transaction(() => {
        for (const write of writes) verdicts.push(this.#apply(write));
      });
    } catch (error) {
      for (const { settle } of writes) settle.reject(unavailable(error));
      return;
    }
    const changes = verdicts.flatMap((verdict) => ('change' in verdict ? [verdict.change] : []));
    for (const change of changes) this.#noteCommitted(change);
    writes.forEach(({ settle }, i) => {
      const verdict = verdicts[i] as Verdict;
      if ('refusal' in verdict) settle.reject(verdict.refusal);
      else settle.resolve(verdict.change.object);
    });
    for (const change of changes) this.#onCommit?.(change);
    const resources = new Set(changes.map((change) => change.resource));
    for (const resource of resources) this.#waiters.wake(resource);
    for (const resource of resources) this.#trim(resource);
  }

  #apply({ key, type, decide }: Write): Verdict {
    const { resource } = key;
    const previous = this.#current(key);
    let sealed: Sealed;
    try {
      sealed = decide(previous);
    } catch (refusal) {
      return { refusal };
    }
    const { object, json } = sealed;
    const change = { type, resource, object, ...(previous && { previous }) };
    this.#rows.write(change, json);
    this.#cache.add(Number(object.metadata.resourceVersion), object, json.length);
    return { change };
  }

  #noteCommitted({ resource, object }: Change): void {
    this.#committedVersion = versionNumber(object.metadata.resourceVersion);
    const log = this.#log(resource);
    log.count++;
    log.newest = this.#committedVersion;
    this.#logs.set(resource, log);
  }

  /** A failure is left to the next commit: nothing but space is lost. */
  #trim(resource: ResourceName): void {
    const log = this.#log(resource);
    const batch = Math.min(TRIM_BATCH, this.#changesKept);
    while (log.count >= this.#changesKept + batch) {
      try {
        this.#rows.transaction(() => {
          log.floor = this.#rows.trim(resource, batch);
        });
        log.count -= batch;
      } catch {
        return;
      }
    }
  }
}

function unavailable(error: unknown): Unavailable {
  const message = error instanceof Error ? error.message : String(error);
  return new Unavailable(message, { cause: error });
}
