import type { Store } from '../ports/store.ts';

/** The store's methods, to be spread into a store that does some of them otherwise. */
export function delegating(store: Store): Store {
  return {
    get: (key) => store.get(key),
    list: (query) => store.list(query),
    create: (resource, object) => store.create(resource, object),
    update: (resource, object) => store.update(resource, object),
    remove: (key, expected) => store.remove(key, expected),
    changes: (query) => store.changes(query),
    waitForChange: (query, signal) => store.waitForChange(query, signal),
  };
}
