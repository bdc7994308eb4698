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
import { AlreadyExists, Conflict, Expired, TooLarge } from './store.ts';

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

/** The stored form of an object under its new version. Throws `TooLarge`; `TypeError` on what is not JSON. */
export function seal(object: KubeObject, version: number): Sealed {
  const metadata = { ...object.metadata, resourceVersion: String(version) };
  const sealed = frozenCopy({ ...object, metadata }) as AnyObject;
  const json = JSON.stringify(sealed);
  if (json.length * 3 > MAX_OBJECT_BYTES && utf8Bytes(json) > MAX_OBJECT_BYTES) {
    throw new TooLarge(`the object is larger than ${MAX_OBJECT_BYTES} bytes`);
  }
  return { object: sealed, json };
}

/** The object that `seal` made this JSON of. */
export function unseal(json: string): AnyObject {
  return frozenCopy(JSON.parse(json)) as AnyObject;
}

/** Copying is three times as fast as parsing what was just printed, and says so when a value is not JSON. */
function frozenCopy(value: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value + 0; // -0 is printed as 0
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy));
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) {
    throw new TypeError(`not a JSON value: ${typeof value}`);
  }
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const child = (value as Record<string, unknown>)[key];
    if (child === undefined) continue;
    if (key === '__proto__') defineProto(copy, frozenCopy(child));
    else copy[key] = frozenCopy(child);
  }
  return Object.freeze(copy);
}

/** A plain assignment to this key would change the prototype instead. */
function defineProto(target: object, value: unknown): void {
  Object.defineProperty(target, '__proto__', { value, enumerable: true });
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

/** Throws `Expired` unless all changes after the version are known. */
export function checkKnown(after: number, oldest: number, newest: number): void {
  if (after >= oldest && after <= newest) return;
  throw new Expired(`changes after ${after} are not known: they are from ${oldest} to ${newest}`);
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
