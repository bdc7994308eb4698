/** Reads that several controllers share. */
import { type Change, type IndexQuery, ownedBy, UNCONTROLLED } from '../../api/change.ts';
import { sameJson } from '../../api/hash.ts';
import { type AnyObject, controllerOf, type KubeObject, type ObjectKey } from '../../api/meta.ts';
import { matchesSelector } from '../../api/selectors.ts';
import type { Reader } from '../controller.ts';
import { listAll } from '../list-all.ts';

/** What the owner controls, and what nobody does: all that it may claim. */
export async function claimable<T extends KubeObject>(
  read: Reader,
  resource: string,
  owner: KubeObject,
): Promise<T[]> {
  const namespace = owner.metadata.namespace ?? '';
  const of = (index: IndexQuery) => listAll<T>(read, { resource, namespace, index });
  const [owned, free] = await Promise.all([of(ownedBy(owner)), of(UNCONTROLLED)]);
  return [...owned, ...free];
}

/** The keys of the controllers, of this kind, that the object has and had. */
export function controllersOf(change: Change, resource: string, kind: string): ObjectKey[] {
  const keys = [change.object, ...(change.previous ? [change.previous] : [])].flatMap((object) => {
    const owner = controllerOf(object);
    if (owner?.kind !== kind) return [];
    return { resource, namespace: object.metadata.namespace ?? '', name: owner.name };
  });
  return keys.filter(({ name }, i) => keys.findIndex((key) => key.name === name) === i);
}

/**
 * Whether nothing but the status changed: mostly by who would be woken by it, and who knows it.
 * What a stranger writes into a status is put right with the next change, or by the sweep.
 */
export function isOfStatus({ type, object, previous }: Change): boolean {
  return type === 'put' && !!previous && sameJson(withoutStatus(object), withoutStatus(previous));
}

function withoutStatus(object: AnyObject): unknown {
  const { status: _status, metadata, ...rest } = object;
  const { resourceVersion: _version, managedFields: _fields, ...others } = metadata;
  return { ...rest, metadata: others };
}

interface Selecting extends KubeObject {
  readonly spec: { readonly selector: Parameters<typeof matchesSelector>[0] };
}

/** The keys of those who would take on an object that nobody controls. */
export async function adoptersOf(
  { type, object }: Change,
  resource: string,
  read: Reader,
): Promise<ObjectKey[]> {
  const { namespace = '', labels, deletionTimestamp } = object.metadata;
  if (type === 'delete' || controllerOf(object) || deletionTimestamp) return [];
  const owners = await listAll<Selecting>(read, { resource, namespace });
  return owners
    .filter(({ spec }) => matchesSelector(spec.selector, labels))
    .map(({ metadata }) => ({ resource, namespace, name: metadata.name }));
}
