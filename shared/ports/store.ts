import type { Change, Expected, IndexQuery } from '../api/change.ts';
import type { AnyObject, KubeObject, ObjectKey, ResourceName } from '../api/meta.ts';

/**
 * Where objects live. One conditional write a change, on one object (architecture D5); no
 * transaction, no head record. Versions grow for each object, never restart, and compare within a
 * resource (`compareVersions`). Objects handed out are frozen. Every method may throw
 * `Unavailable`: it may or may not have taken effect.
 */
export interface Store {
  /** The object as last written. Strongly consistent. */
  get<T extends KubeObject = AnyObject>(key: ObjectKey): Promise<T | undefined>;
  /**
   * A page of a resource in (namespace, name) order. Each item is read consistently; the page as a
   * whole is not a snapshot, but watching from its `resourceVersion` misses nothing (of several
   * pages: from the first one's). Index reads may lag behind writes.
   */
  list<T extends KubeObject = AnyObject>(query: ListQuery): Promise<Page<T>>;
  /**
   * Writes a new object and gives it its version. Throws `AlreadyExists` with the one that has the
   * name.
   */
  create<T extends KubeObject>(resource: ResourceName, object: T): Promise<T>;
  /**
   * Replaces the object if uid and version in its metadata are those stored, and gives it its new
   * version. Throws `Conflict` (with the current object, if there is one).
   */
  update<T extends KubeObject>(resource: ResourceName, object: T): Promise<T>;
  /**
   * Removes the object if uid and version are those stored. Returns its last state under the
   * deletion's own version. Throws `Conflict`; with no `current`, the object is already gone.
   */
  remove<T extends KubeObject = AnyObject>(key: ObjectKey, expected: Expected): Promise<T>;
  /**
   * What changed after a version, oldest first, at most `limit`. Several changes of one object may
   * show as the last of them, and the last may show again; an object never goes back. Events may
   * end of themselves after an hour, and no change tells of it. Throws `Expired` when the version
   * is older than what is kept, or is not one that this store can have given.
   */
  changes(query: ChangesQuery): Promise<ChangeBatch>;
  /** Resolves when `changes` may have something new, or when `signal` aborts. Never rejects. */
  waitForChange(query: ChangesQuery, signal: AbortSignal): Promise<void>;
}

export interface ListQuery {
  readonly resource: ResourceName;
  /** One namespace; all of them when absent. */
  readonly namespace?: string;
  /** Only objects whose index has this value: see `indexValues` in shared/api/change.ts. */
  readonly index?: IndexQuery;
  /** At least 1; no limit when absent. */
  readonly limit?: number;
  /**
   * Of events: the name of the object that they are about, for a store to look for no others; those
   * that it finds all the same are passed over by who asks.
   */
  readonly about?: string;
  /** `next` of the page before; its last object may be gone by now. */
  readonly after?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly next?: string;
}

export interface ChangesQuery {
  readonly resource: ResourceName;
  readonly namespace?: string;
  readonly after: string;
  readonly limit?: number;
}

export interface ChangeBatch {
  readonly changes: readonly Change[];
  /** Continue from here; it moves on although nothing matched. */
  readonly resourceVersion: string;
}

/** Already so: the name is taken. A repeat of one's own create sees its own uid here. */
export class AlreadyExists extends Error {
  override readonly name = 'AlreadyExists';
  readonly current: AnyObject;
  constructor(current: AnyObject) {
    super('an object of this name exists');
    this.current = current;
  }
}

/**
 * Not as expected: somebody else wrote first, or the object is gone. Read again and decide again.
 */
export class Conflict extends Error {
  override readonly name = 'Conflict';
  readonly current: AnyObject | undefined;
  constructor(current: AnyObject | undefined) {
    super(current ? 'the object has changed' : 'the object is gone');
    this.current = current;
  }
}

/** What changed since is not known: the version is too old, or not of this store. List again. */
export class Expired extends Error {
  override readonly name = 'Expired';
  /** The oldest version after which all is known, where it is known. */
  readonly oldest: string | undefined;
  constructor(message: string, oldest?: number) {
    super(message);
    this.oldest = oldest === undefined ? undefined : String(oldest);
  }
}

/** Never will be: the object is larger than the store takes. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

/** Not now: throttled, timed out or down. The write may have happened. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}
