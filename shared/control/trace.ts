/**
 * One correlation id from a client's request to the call that launches a task: the request's audit
 * id (Kubernetes' `Audit-Id`) is kept in the hidden `control` of what the request wrote, and of
 * what controllers write on its account, down to the pod. Logs of a launch name it.
 *
 * Invariant T1: an id alone is never a reason to write.
 */
import { type KubeObject, keyText, type ObjectKey, type ResourceName } from '../api/meta.ts';
import type { Store } from '../ports/store.ts';
import type { Reader } from './controller.ts';
import { delegating } from './delegating.ts';

interface Traced {
  readonly auditId?: string;
}

/** The request that an object is on account of; undefined where no request is known. */
export function auditIdOf(object: KubeObject | undefined): string | undefined {
  return (object?.control as Traced | undefined)?.auditId;
}

/** Nothing is done on account of these: they are for people and for the scheduler's books. */
const UNTRACED: readonly ResourceName[] = ['events', 'nodeallocations.nullplane.io'];

/** The store; what is written through it is on account of this request. */
export function stamped(store: Store, auditId: string): Store {
  const stamp = <T extends KubeObject>(resource: ResourceName, object: T): T => {
    if (UNTRACED.includes(resource) || auditIdOf(object) === auditId) return object;
    return { ...object, control: { ...(object.control as object | undefined), auditId } };
  };
  return {
    ...delegating(store),
    create: (resource, object) => store.create(resource, stamp(resource, object)),
    update: (resource, object) => store.update(resource, stamp(resource, object)),
  };
}

/** Reads, noting on whose account the object of a key is. */
export interface Origin extends Reader {
  readonly auditId: string | undefined;
}

/** `others` is who is asked for other objects. */
export function originOf(
  store: Reader,
  key: ObjectKey,
  others: Pick<Reader, 'get'> = store,
): Origin {
  const own = keyText(key);
  let auditId: string | undefined;
  return {
    get auditId() {
      return auditId;
    },
    list: (query) => store.list(query),
    get: async <T extends KubeObject>(wanted: ObjectKey) => {
      if (keyText(wanted) !== own) return others.get<T>(wanted);
      const found = await store.get<T>(wanted);
      auditId = auditIdOf(found);
      return found;
    },
  };
}
