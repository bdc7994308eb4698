/** Creating what a decision asks for, and which object that is there already counts as that. */
import { type AnyObject, controllerOf } from '../api/meta.ts';
import { rfc3339 } from '../api/time.ts';
import { AlreadyExists } from '../ports/store.ts';
import type { Effects } from './effects.ts';

/** Throws `AlreadyExists` where one that is not the same decision's has the name. */
export async function createObject(
  resource: string,
  draft: AnyObject,
  effects: Effects,
): Promise<void> {
  const metadata = {
    ...draft.metadata,
    uid: draft.metadata.uid || effects.ids.uid(),
    creationTimestamp: draft.metadata.creationTimestamp || rfc3339(effects.clock.nowMs()),
  };
  try {
    await effects.store.create(resource, { ...draft, metadata });
  } catch (error) {
    // Names of children are derived: one with our owner is the child that this very decision (or an
    // equal one of a racing reconcile) has made. One with another owner is in the way, and the next
    // look will see it.
    if (!(error instanceof AlreadyExists) || !sameOwner(error.current, draft)) throw error;
  }
}

/**
 * Two that nobody controls have nothing in common: a ledger that another pass made is not ours
 * (S2).
 */
function sameOwner(a: AnyObject, b: AnyObject): boolean {
  const owner = controllerOf(a);
  return owner !== undefined && owner.uid === controllerOf(b)?.uid;
}
