/**
 * The form in which every adapter of `Store` keeps an object: what its JSON says, with no
 * `undefined`, nothing shared with the caller, and frozen to the bottom.
 */
import type { AnyObject, KubeObject } from '../api/meta.ts';
import { TooLarge } from './store.ts';

/** As etcd: what Kubernetes users know to fit. */
export const MAX_OBJECT_BYTES = 1.5 * 1024 * 1024;

/** An object in stored form, and its JSON. */
export interface Sealed {
  readonly object: AnyObject;
  readonly json: string;
}

/**
 * The stored form of an object under its new version. Throws `TooLarge`; `TypeError` on what is not
 * JSON. Parts that are the very same as those of `base`, a stored object, are shared with it: an
 * update of a pod's status then costs no copy of its spec or its labels, in time or in memory, and
 * who compares the two states sees at once what did not change.
 */
export function seal(object: KubeObject, version: number, base?: AnyObject): Sealed {
  const metadata = { ...object.metadata, resourceVersion: String(version) };
  const sealed = frozenCopy({ ...object, metadata }, base) as AnyObject;
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

/**
 * Copying is three times as fast as parsing what was just printed, and says so when a value is not
 * JSON.
 */
function frozenCopy(value: unknown, base?: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value + 0; // -0 is printed as 0
  if (Array.isArray(value)) return Object.freeze(value.map((item) => frozenCopy(item)));
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) {
    throw new TypeError(`not a JSON value: ${typeof value}`);
  }
  const known = base as Record<string, unknown> | undefined | null;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const child = (value as Record<string, unknown>)[key];
    if (child === undefined) continue;
    if (key === '__proto__') defineProto(copy, frozenCopy(child));
    else copy[key] = child === known?.[key] ? child : frozenCopy(child, known?.[key]);
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
