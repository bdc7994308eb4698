import type { AnyObject } from '../../shared/api/meta.ts';

/**
 * The object with the field at that path become the value, past all that would forbid it;
 * `undefined` takes the field away. As it is, where there is no such place.
 */
export function damaged(object: AnyObject, path: readonly string[], value: unknown): AnyObject {
  const copy = structuredClone(object);
  const last = path.at(-1) ?? '';
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, name) => (at as { [field: string]: unknown } | undefined)?.[name], copy);
  if (typeof parent !== 'object' || parent === null) return copy;
  if (value === undefined) Reflect.deleteProperty(parent, last);
  else Reflect.set(parent, last, value);
  return copy;
}
