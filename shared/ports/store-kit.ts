/**
 * What the adapters of `Store` must do alike: the checks of a write and of a watch, and the order
 * of lists. It holds no objects.
 */
import type { Expected } from '../api/change.ts';
import type { AnyObject, KubeObject, ObjectKey } from '../api/meta.ts';
import { AlreadyExists, Conflict, Expired } from './store.ts';

/**
 * How many changes of a resource are kept at least. A watcher that falls farther behind lists
 * again. It covers the start of a thousand pods, at some five writes each, while a client
 * reconnects.
 */
export const CHANGES_KEPT = 10_000;

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
  const problem = `changes after ${after} are not known: they are from ${oldest} to ${newest}`;
  throw new Expired(problem, oldest);
}

/**
 * Sorts before every character of a name; `checkCreate` keeps it out of them, so that places never
 * meet.
 */
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
