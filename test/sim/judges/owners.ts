/**
 * S5 of owners: who waits for what it owns, or holds, goes last. A finalizer is given up only when
 * nothing is left of what it stands for (G2 of core/gc/plan.ts), and a namespace goes when it is
 * empty (N1 of core/namespace/plan.ts).
 */
import type { AnyObject } from '../../../shared/api/meta.ts';
import type { Violation } from '../../../shared/core/invariants.ts';
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from '../../../shared/core/deletion.ts';

/** What is younger may be hidden by an index, or be the late create of somebody dead. */
const SETTLED_MS = 5_000;
/** What is in a namespace is listed by the table itself. */
const LISTED_MS = 500;

export interface Stock {
  readonly all: () => Iterable<AnyObject>;
  /** How long the object has been there. */
  readonly ageMs: (object: AnyObject) => number;
}

/** Judges the change of an owner; `is` is undefined where it went. */
export function checkGivenUp(
  was: AnyObject,
  is: AnyObject | undefined,
  stock: Stock,
): readonly Violation[] {
  const given = [FOREGROUND_FINALIZER, ORPHAN_FINALIZER].find(
    (one) => has(was, one) && !(is && has(is, one)),
  );
  if (given === undefined || was.metadata.deletionTimestamp === undefined) return [];
  const { uid, name } = was.metadata;
  const left = settled(stock, SETTLED_MS, ({ metadata }) =>
    (metadata.ownerReferences ?? []).some(
      (owner) => owner.uid === uid && (given === ORPHAN_FINALIZER || owner.blockOwnerDeletion),
    ),
  );
  if (!left) return [];
  const message = `${name} gives up ${given} before ${left.metadata.name}`;
  return [{ invariant: 'S5', message }];
}

/** Judges the end of a namespace. */
export function checkEmpty({ metadata }: AnyObject, stock: Stock): readonly Violation[] {
  const left = settled(stock, LISTED_MS, (object) => object.metadata.namespace === metadata.name);
  if (!left) return [];
  const message = `namespace ${metadata.name} goes before ${left.kind} ${left.metadata.name}`;
  return [{ invariant: 'S5', message }];
}

function has({ metadata }: AnyObject, finalizer: string): boolean {
  return metadata.finalizers?.includes(finalizer) === true;
}

function settled(
  { all, ageMs }: Stock,
  forMs: number,
  matches: (object: AnyObject) => boolean,
): AnyObject | undefined {
  for (const object of all()) {
    if (matches(object) && object.kind !== 'Event' && ageMs(object) >= forMs) return object;
  }
  return undefined;
}
