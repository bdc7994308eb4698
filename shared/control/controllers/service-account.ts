/**
 * Wakes and reads for core/serviceaccount: a namespace is looked at when it, or what it must have,
 * changes.
 */
import type { Change } from '../../api/change.ts';
import type { ConfigMap, Namespace } from '../../api/kinds/core.ts';
import type { ObjectKey } from '../../api/meta.ts';
import {
  DEFAULT_ACCOUNT,
  planServiceAccount,
  ROOT_CA_CONFIG_MAP,
  type ServiceAccountSnapshot,
} from '../../core/serviceaccount/plan.ts';
import type { Controller, Reader } from '../controller.ts';
import { NAMESPACES, namespaceKey } from './namespace.ts';

export function serviceAccountController(caPem: string): Controller<ServiceAccountSnapshot> {
  return {
    name: 'service-account',
    resource: NAMESPACES,
    wakes,
    snapshot: (key, read) => snapshot(key, read, caPem),
    plan: planServiceAccount,
  };
}

function wakes({ type, resource, object, previous }: Change): readonly ObjectKey[] {
  const { name, namespace = '' } = object.metadata;
  // An update of a namespace changes nothing about what it must have.
  if (resource === NAMESPACES) return type === 'put' && !previous ? [namespaceKey(name)] : [];
  const mustBeThere =
    (resource === 'serviceaccounts' && name === DEFAULT_ACCOUNT) ||
    (resource === 'configmaps' && name === ROOT_CA_CONFIG_MAP);
  return mustBeThere ? [namespaceKey(namespace)] : [];
}

async function snapshot(
  key: ObjectKey,
  read: Reader,
  caPem: string,
): Promise<ServiceAccountSnapshot | undefined> {
  const namespace = await read.get<Namespace>(key);
  if (!namespace) return undefined;
  const inIt = (resource: string, name: string) => ({ resource, namespace: key.name, name });
  const account = await read.get(inIt('serviceaccounts', DEFAULT_ACCOUNT));
  const authority = await read.get<ConfigMap>(inIt('configmaps', ROOT_CA_CONFIG_MAP));
  return { namespace, hasAccount: account !== undefined, authority, caPem };
}
