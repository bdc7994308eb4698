/**
 * A store that remembers the one object that a piece of work is about, from its reading on: the
 * steps of the work (the look, the launch, what is folded in afterwards) need not read it again.
 *
 * Invariant: what is remembered decides no write. A write names uid and version; one that fails has
 * the object read again, since somebody else wrote it.
 */
import type { AnyObject, KubeObject, ObjectKey } from '../api/meta.ts';
import { keyText } from '../api/meta.ts';
import { keyOf } from '../api/change.ts';
import type { Store } from '../ports/store.ts';
import { delegating } from './delegating.ts';

export function rememberingOwn(store: Store, own: ObjectKey): Store {
  const ownText = keyText(own);
  const isOwn = (key: ObjectKey): boolean => keyText(key) === ownText;
  let known: KubeObject | undefined;
  /** Whatever becomes of the write, the state before it is not the present one. */
  const writing = async <T extends KubeObject>(
    key: ObjectKey,
    write: () => Promise<T>,
    after: (written: T) => KubeObject | undefined,
  ): Promise<T> => {
    if (!isOwn(key)) return write();
    known = undefined;
    const written = await write();
    known = after(written);
    return written;
  };
  return {
    ...delegating(store),
    get: async <T extends KubeObject = AnyObject>(key: ObjectKey) => {
      if (!isOwn(key)) return store.get<T>(key);
      known ??= await store.get<T>(key);
      return known as T | undefined;
    },
    create: (resource, object) =>
      writing(keyOf(resource, object), () => store.create(resource, object), itself),
    update: (resource, object) =>
      writing(keyOf(resource, object), () => store.update(resource, object), itself),
    remove: (key, expected) =>
      writing(
        key,
        () => store.remove(key, expected),
        () => undefined,
      ),
  };
}

const itself = <T>(written: T): T => written;
