/** Wakes and reads for core/namespace: a terminating namespace is looked at whenever something in it goes. */
import type { Change } from '../../api/change.ts';
import type { Namespace } from '../../api/kinds/core.ts';
import type { ObjectKey } from '../../api/meta.ts';
import { RESOURCES } from '../../api/resources.ts';
import { type NamespaceSnapshot, planNamespace } from '../../core/namespace/plan.ts';
import type { Controller, Reader } from '../controller.ts';

/** Objects of a resource that one look deletes; what they free wakes the next look. */
const BATCH = 500;

export const namespaceController: Controller<NamespaceSnapshot> = {
  name: 'namespace',
  resource: 'namespaces',
  wakes,
  snapshot,
  plan: planNamespace,
};

async function wakes(change: Change, read: Reader): Promise<ObjectKey[]> {
  const { type, resource, object, previous } = change;
  const { name, namespace, deletionTimestamp } = object.metadata;
  if (resource === 'namespaces') {
    return type === 'put' && deletionTimestamp !== undefined ? [namespaceKey(name)] : [];
  }
  if (!namespace || (type === 'put' && previous)) return [];
  // What goes may be the last; what comes may have passed admission just before the deletion.
  const key = namespaceKey(namespace);
  const home = await read.get<Namespace>(key);
  return home?.metadata.deletionTimestamp === undefined ? [] : [key];
}

function namespaceKey(name: string): ObjectKey {
  return { resource: 'namespaces', namespace: '', name };
}

async function snapshot(key: ObjectKey, read: Reader): Promise<NamespaceSnapshot | undefined> {
  const namespace = await read.get<Namespace>(key);
  if (namespace?.metadata.deletionTimestamp === undefined) return undefined;
  const pages = await Promise.all(
    RESOURCES.filter(({ namespaced }) => namespaced).map(async ({ name: resource }) => {
      const { items } = await read.list({ resource, namespace: key.name, limit: BATCH });
      return items.map((object) => ({ resource, object }));
    }),
  );
  return { namespace, contents: pages.flat() };
}
