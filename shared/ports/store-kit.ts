/**
 * What the adapters of `Store` have in common, so that they agree: the form of a stored object, the
 * checks of a write, the order of lists, and who waits for changes. It holds no objects.
 *
 * Invariants:
 *  K1 A stored object is what its JSON says: no `undefined`, nothing shared with the caller, deeply
 *     frozen.
 *  K2 Different (namespace, name) pairs never have the same position in the order of a list.
 */
import type { Expected } from '../api/change.ts';
import type { AnyObject, KubeObject, ObjectKey, ResourceName } from '../api/meta.ts';
import { AlreadyExists, Conflict, TooLarge } from './store.ts';

/** As etcd: what Kubernetes users know to fit. */
export const MAX_OBJECT_BYTES = 1.5 * 1024 * 1024;

/**
 * How many changes of a resource are kept at least. A watcher that falls farther behind lists
 * again. It covers the start of a thousand pods, at some five writes each, while a client
 * reconnects.
 */
export const CHANGES_KEPT = 10_000;

/** An object in stored form (K1), and its JSON. */
export interface Sealed {
  readonly object: AnyObject;
  readonly json: string;
}

/** The stored form of an object under its new version. Throws `TooLarge`. */
export function seal(object: KubeObject, version: number): Sealed {
  const resourceVersion = String(version);
  const json = JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion } });
  if (json.length * 3 > MAX_OBJECT_BYTES && utf8Bytes(json) > MAX_OBJECT_BYTES) {
    throw new TooLarge(`the object is larger than ${MAX_OBJECT_BYTES} bytes`);
  }
  return { object: unseal(json), json };
}

/** The object that `seal` made this JSON of. */
export function unseal(json: string): AnyObject {
  const object = JSON.parse(json) as AnyObject;
  freeze(object);
  return object;
}

function freeze(value: object): void {
  for (const key in value) {
    const child = (value as Record<string, unknown>)[key];
    if (typeof child === 'object' && child !== null) freeze(child);
  }
  Object.freeze(value);
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The checks of a create. Throws `AlreadyExists`; `RangeError` on what no caller may ask for. */
export function checkCreate(current: AnyObject | undefined, object: KubeObject): void {
  const { uid, namespace = '', name } = object.metadata;
  if (uid === '') throw new RangeError('an object is created with its uid');
  if (name === '') throw new RangeError('an object is created with its name');
  if ((namespace + name).includes(SEPARATOR)) throw new RangeError('a name holds no NUL');
  if (current) throw new AlreadyExists(current);
}

/**
 * The check of a conditional write. Throws `Conflict` unless this very version of this very object
 * is stored.
 */
export function checkExpected(
  current: AnyObject | undefined,
  expected: Expected,
): asserts current is AnyObject {
  const stored = current?.metadata;
  if (stored?.uid === expected.uid && stored.resourceVersion === expected.resourceVersion) return;
  throw new Conflict(current);
}

/** Sorts before every character of a name; `checkCreate` keeps it out of them (K2). */
const SEPARATOR = '\0';

/** The position of an object in the lists of its resource. It serves as the cursor of pages. */
export function listPosition(key: Pick<ObjectKey, 'namespace' | 'name'>): string {
  return key.namespace + SEPARATOR + key.name;
}

/** The namespace and name of a position. Any text is a position, though perhaps no object's. */
export function positionKey(position: string): { namespace: string; name: string } {
  const [namespace = '', name = ''] = position.split(SEPARATOR, 2);
  return { namespace, name };
}

/** Those who wait for changes of a resource. No timers: a change or an abort wakes them. */
export class ChangeWaiters {
  readonly #byResource = new Map<ResourceName, Set<() => void>>();

  /** Resolves at the next `wake` of the resource, or when the signal aborts. */
  async wait(resource: ResourceName, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const waiters = this.#byResource.get(resource) ?? new Set();
    this.#byResource.set(resource, waiters.add(wake));
    signal.addEventListener('abort', wake);
    await promise;
    waiters.delete(wake);
    signal.removeEventListener('abort', wake);
  }

  wake(resource: ResourceName): void {
    const waiters = this.#byResource.get(resource);
    if (!waiters) return;
    this.#byResource.delete(resource);
    for (const resolve of waiters) resolve();
  }

  wakeAll(): void {
    for (const resource of [...this.#byResource.keys()]) this.wake(resource);
  }
}
