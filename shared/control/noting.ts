/** A store that tells of the writes that took effect, to whoever acts on them at once. */
import type { Change, Expected } from '../api/change.ts';
import type { AnyObject, KubeObject, ObjectKey } from '../api/meta.ts';
import type { Store } from '../ports/store.ts';
import { delegating } from './delegating.ts';

/** The store, telling of each write that took effect. Writes that failed are not told of. */
export function noting(store: Store, note: (change: Change) => void): Store {
  return {
    ...delegating(store),
    create: async (resource, object) => {
      const created = await store.create(resource, object);
      note({ type: 'put', resource, object: created as unknown as AnyObject });
      return created;
    },
    update: async (resource, object) => {
      const updated = await store.update(resource, object);
      note({ type: 'put', resource, object: updated as unknown as AnyObject });
      return updated;
    },
    remove: async <T extends KubeObject>(key: ObjectKey, expected: Expected) => {
      const removed = await store.remove<T>(key, expected);
      note({ type: 'delete', resource: key.resource, object: removed as unknown as AnyObject });
      return removed;
    },
  };
}
