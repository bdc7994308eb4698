/**
 * What every namespace has from the start: the service account that pods run as unless they name
 * another, and the authority by which they trust the API.
 *
 * Both are owned by the namespace itself: a create that a dead process sent, and that lands when
 * the namespace has gone already, is garbage by that alone.
 */
import type { ConfigMap, Namespace, ServiceAccount } from '../../api/kinds/core.ts';
import { draftMeta, ownerReference } from '../../api/meta.ts';
import { type Action, blocked, create, NOTHING, type Plan } from '../plan.ts';

export const DEFAULT_ACCOUNT = 'default';
export const ROOT_CA_CONFIG_MAP = 'kube-root-ca.crt';

export interface ServiceAccountSnapshot {
  readonly namespace: Namespace;
  readonly hasAccount: boolean;
  readonly authority: ConfigMap | undefined;
  /** The certificate authority in PEM form; public. */
  readonly caPem: string;
}

export function planServiceAccount(snapshot: ServiceAccountSnapshot): Plan {
  const { namespace, hasAccount, authority, caPem } = snapshot;
  if (namespace.metadata.deletionTimestamp) return blocked('the namespace is being deleted');
  const actions: Action[] = [];
  if (!hasAccount) actions.push(create('serviceaccounts', account(namespace)));
  if (!authority) actions.push(create('configmaps', rootAuthority(namespace, caPem)));
  else if (authority.data?.['ca.crt'] !== caPem) {
    // A new start may have a new authority; pods that trust the old one would trust nobody.
    const current = { ...authority, data: { ...authority.data, 'ca.crt': caPem } };
    actions.push({ kind: 'update', resource: 'configmaps', object: { ...current } });
  }
  return actions.length > 0 ? { stages: [actions], blocked: [] } : NOTHING;
}

function account(namespace: Namespace): ServiceAccount {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: draftMeta({ name: DEFAULT_ACCOUNT, ...within(namespace) }),
  };
}

function rootAuthority(namespace: Namespace, caPem: string): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: draftMeta({
      name: ROOT_CA_CONFIG_MAP,
      ...within(namespace),
      annotations: { 'kubernetes.io/description': 'The certificate authority of this API.' },
    }),
    data: { 'ca.crt': caPem },
  };
}

function within(namespace: Namespace) {
  return { namespace: namespace.metadata.name, ownerReferences: [ownerReference(namespace)] };
}
