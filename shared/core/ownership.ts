/**
 * Ownership: which objects a selecting owner has, which it takes on, which it lets go. Owns the
 * rule only; what the owner then does with its objects is its own plan.
 *
 * Invariants:
 *  W1 An object that another owner controls is never touched.
 *  W2 An owner that is being deleted neither takes on nor lets go: the garbage collector is at
 *     work.
 */
import type { LabelSelectorSchema } from '../api/kinds/affinity.ts';
import {
  controllerOf,
  controllerReference,
  type KubeObject,
  type OwnerReference,
  type ResourceName,
} from '../api/meta.ts';
import type { Infer } from '../api/schema.ts';
import { matchesSelector } from '../api/selectors.ts';
import { type Action, update } from './plan.ts';
import { remembered } from './remembered.ts';

type Selector = Infer<typeof LabelSelectorSchema>;

/** '' for what nothing controls. */
const controllerUidOf = remembered((object: KubeObject) => controllerOf(object)?.uid ?? '');

const selectionOf = remembered((selector: Selector) =>
  remembered((object: KubeObject) => matchesSelector(selector, object.metadata.labels)),
);

export interface Claims<T extends KubeObject> {
  /** What the owner controls and selects. */
  readonly owned: readonly T[];
  /** References to write: objects to take on, objects to let go. */
  readonly changes: readonly Action[];
}

/**
 * Sorts candidates (what the owner controls, and what nobody does) by what they are to the owner.
 */
export function claim<T extends KubeObject>(
  resource: ResourceName,
  owner: KubeObject,
  selector: Selector,
  candidates: readonly T[],
  adoptable: (object: T) => boolean = () => true,
): Claims<T> {
  const owned: T[] = [];
  const changes: Action[] = [];
  const { uid } = owner.metadata;
  const leaving = owner.metadata.deletionTimestamp !== undefined;
  const isSelected = selectionOf(selector);
  for (const object of candidates) {
    const controllerUid = controllerUidOf(object);
    const selected = isSelected(object);
    if (controllerUid === uid) {
      if (selected || leaving) owned.push(object);
      else changes.push(update(resource, withoutOwners(object, [uid])));
    } else if (!controllerUid && selected && !leaving && mayAdopt(object) && adoptable(object)) {
      changes.push(update(resource, adopted(object, controllerReference(owner))));
    }
  }
  return { owned, changes };
}

/** The object without its references to these owners. */
export function withoutOwners<T extends KubeObject>(object: T, uids: readonly string[]): T {
  const { ownerReferences, ...metadata } = object.metadata;
  const rest = (ownerReferences ?? []).filter((reference) => !uids.includes(reference.uid));
  return {
    ...object,
    metadata: rest.length > 0 ? { ...metadata, ownerReferences: rest } : metadata,
  };
}

function mayAdopt(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp === undefined;
}

function adopted(object: KubeObject, reference: OwnerReference): KubeObject {
  const others = withoutOwners(object, [reference.uid]).metadata.ownerReferences ?? [];
  return {
    ...object,
    metadata: { ...object.metadata, ownerReferences: [...others, reference] },
  };
}
