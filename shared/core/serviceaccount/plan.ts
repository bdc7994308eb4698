/**
 * What every active namespace has: the ServiceAccount `default` and the ConfigMap with the
 * cluster's CA.
 */
import { sameJson } from '../../api/hash.ts';
import type { ConfigMap, Namespace, ServiceAccount } from '../../api/kinds/core.ts';
import { draftMeta } from '../../api/meta.ts';
import { type Action, create, NOTHING, type Plan, update } from '../plan.ts';

export const DEFAULT_ACCOUNT = 'default';
export const ROOT_CA = 'kube-root-ca.crt';
const CA_KEY = 'ca.crt';

export interface ServiceAccountSnapshot {
  readonly namespace: Namespace;
  readonly account: ServiceAccount | undefined;
  readonly rootCa: ConfigMap | undefined;
  /** The certificate authority, in PEM form; public. */
  readonly caPem: string;
}

export function planServiceAccount(snapshot: ServiceAccountSnapshot): Plan {
  const { namespace, account, rootCa, caPem } = snapshot;
  const { name, deletionTimestamp } = namespace.metadata;
  if (deletionTimestamp !== undefined) return NOTHING;
  const actions: readonly Action[] = [
    ...(account ? [] : [create('serviceaccounts', newAccount(name))]),
    ...rootCaActions(name, rootCa, { [CA_KEY]: caPem }),
  ];
  return actions.length > 0 ? { stages: [actions], blocked: [] } : NOTHING;
}

function newAccount(namespace: string): ServiceAccount {
  const metadata = draftMeta({ name: DEFAULT_ACCOUNT, namespace });
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata };
}

function rootCaActions(
  namespace: string,
  rootCa: ConfigMap | undefined,
  data: { readonly [key: string]: string },
): readonly Action[] {
  if (rootCa && sameJson(rootCa.data, data)) return [];
  if (rootCa) return [update('configmaps', { ...rootCa, data } as ConfigMap)];
  const metadata = draftMeta({ name: ROOT_CA, namespace });
  return [
    create('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } as ConfigMap),
  ];
}
