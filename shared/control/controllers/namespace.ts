/**
 * The namespace controller: woken by namespaces, and by what comes and goes in those that are
 * Terminating.
 */
import { type Change, keyOf } from '../../api/change.ts';
import type { Namespace } from '../../api/kinds/core.ts';
import type { ObjectKey } from '../../api/meta.ts';
import { RESOURCES } from '../../api/resources.ts';
import { MAX_CONTENTS, type NamespaceSnapshot, planNamespace } from '../../core/namespace/plan.ts';
import type { Controller, Reader } from '../controller.ts';

export const NAMESPACES = 'namespaces';

const NAMESPACED = RESOURCES.filter(({ namespaced }) => namespaced).map(({ name }) => name);

export const namespaceController: Controller<NamespaceSnapshot> = {
  name: 'namespace',
  resource: NAMESPACES,
  wakes,
  snapshot,
  plan: planNamespace,
};

async function wakes(change: Change, read: Reader): Promise<readonly ObjectKey[]> {
  const { type, resource, object, previous } = change;
  if (resource === NAMESPACES) {
    const leaving = type === 'put' && object.metadata.deletionTimestamp !== undefined;
    return leaving ? [keyOf(NAMESPACES, object)] : [];
  }
  // An update in between neither fills nor empties a namespace; finalizers that go are followed by
  // a deletion.
  const { namespace } = object.metadata;
  if (!namespace || (type === 'put' && previous)) return [];
  const key = namespaceKey(namespace);
  const home = await read.get<Namespace>(key);
  return home?.metadata.deletionTimestamp === undefined ? [] : [key];
}

export function namespaceKey(name: string): ObjectKey {
  return { resource: NAMESPACES, namespace: '', name };
}

async function snapshot(key: ObjectKey, read: Reader): Promise<NamespaceSnapshot | undefined> {
  const namespace = await read.get<Namespace>(key);
  if (namespace?.metadata.deletionTimestamp === undefined) return undefined;
  const contents = NAMESPACED.map(async (resource) => {
    const { items } = await read.list({ resource, namespace: key.name, limit: MAX_CONTENTS });
    return items.map((object) => ({ resource, object }));
  });
  return { namespace, contents: (await Promise.all(contents)).flat() };
}
