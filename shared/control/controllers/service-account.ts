/** The service-account controller: woken by namespaces, and by changes of what it put into them. */
import { type Change, keyOf } from '../../api/change.ts';
import type { ConfigMap, Namespace, ServiceAccount } from '../../api/kinds/core.ts';
import type { ObjectKey } from '../../api/meta.ts';
import {
  DEFAULT_ACCOUNT,
  planServiceAccount,
  ROOT_CA,
  type ServiceAccountSnapshot,
} from '../../core/serviceaccount/plan.ts';
import type { Controller, Reader } from '../controller.ts';
import { NAMESPACES, namespaceKey } from './namespace.ts';

/** `caPem` is the certificate authority that pods trust the API by. */
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
  if (resource === NAMESPACES) {
    return type === 'put' && !previous ? [keyOf(NAMESPACES, object)] : [];
  }
  const { name, namespace } = object.metadata;
  const lost = resource === 'serviceaccounts' && name === DEFAULT_ACCOUNT && type === 'delete';
  const changed = resource === 'configmaps' && name === ROOT_CA;
  return namespace && (lost || changed) ? [namespaceKey(namespace)] : [];
}

async function snapshot(
  { name: namespace }: ObjectKey,
  read: Reader,
  caPem: string,
): Promise<ServiceAccountSnapshot | undefined> {
  const [home, account, rootCa] = await Promise.all([
    read.get<Namespace>(namespaceKey(namespace)),
    read.get<ServiceAccount>({ resource: 'serviceaccounts', namespace, name: DEFAULT_ACCOUNT }),
    read.get<ConfigMap>({ resource: 'configmaps', namespace, name: ROOT_CA }),
  ]);
  return home && { namespace: home, account, rootCa, caPem };
}
