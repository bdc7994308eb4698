/**
 * A store that shows every object in the form of its kind, whatever is stored: one that was spoilt
 * past the API must break nobody else's work (B7). Objects that are as they should be are handed
 * through.
 *
 * Invariant: what is shown carries the uid and version of what is stored, so that it can be written
 * again, and deleted; what nobody has replaced of it is written as it was stored.
 */
import type { Change, Expected } from '../api/change.ts';
import type { AnyObject, KubeObject, ObjectKey, ResourceName } from '../api/meta.ts';
import { asStored, wellFormed } from '../api/well-formed.ts';
import { AlreadyExists, Conflict, type ListQuery, type Store } from '../ports/store.ts';
import { delegating } from './delegating.ts';

export function wellFormedStore(store: Store): Store {
  return {
    ...delegating(store),
    get: async <T extends KubeObject>(key: ObjectKey) => {
      const object = await store.get<T>(key);
      return object && wellFormed(key.resource, object);
    },
    list: async <T extends KubeObject>(query: ListQuery) => {
      const page = await store.list<T>(query);
      return { ...page, items: page.items.map((item) => wellFormed(query.resource, item)) };
    },
    create: (resource, object) => shown(resource, store.create(resource, object)),
    update: (resource, object) => shown(resource, store.update(resource, asStored(object))),
    remove: <T extends KubeObject>(key: ObjectKey, expected: Expected) =>
      shown(key.resource, store.remove<T>(key, expected)),
    changes: async (query) => {
      const batch = await store.changes(query);
      return { ...batch, changes: batch.changes.map(wellFormedChange) };
    },
  };
}

/** The change as it is to be looked at. */
export function wellFormedChange(change: Change): Change {
  const { resource, object, previous, earlier } = change;
  const form = (one: AnyObject): AnyObject => wellFormed(resource, one);
  const others = earlier === undefined || earlier === 'unknown' ? earlier : earlier.map(form);
  return {
    ...{ ...change, object: form(object) },
    ...(previous && { previous: form(previous) }),
    ...(others && { earlier: others }),
  };
}

/** What a write gives, be it what is there instead. */
async function shown<T extends KubeObject>(resource: ResourceName, write: Promise<T>): Promise<T> {
  try {
    return wellFormed(resource, await write);
  } catch (error) {
    if (error instanceof AlreadyExists)
      throw new AlreadyExists(wellFormed(resource, error.current));
    const current = error instanceof Conflict ? error.current : undefined;
    throw current ? new Conflict(wellFormed(resource, current)) : error;
  }
}
