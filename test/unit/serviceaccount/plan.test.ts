import { describe, expect, it } from 'vitest';
import type { ConfigMap, Namespace } from '../../../shared/api/kinds/core.ts';
import { draftMeta } from '../../../shared/api/meta.ts';
import { planServiceAccount } from '../../../shared/core/serviceaccount/plan.ts';

const namespace: Namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: draftMeta({ name: 'shop' }),
  spec: {},
  status: { phase: 'Active' },
};
const authority: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: draftMeta({ name: 'kube-root-ca.crt', namespace: 'shop' }),
  data: { 'ca.crt': 'PEM' },
};
const complete = { namespace, hasAccount: true, authority, caPem: 'PEM' };

describe('what a namespace must have', () => {
  it('is created when it is missing', () => {
    const snapshot = { ...complete, hasAccount: false, authority: undefined };
    expect(planServiceAccount(snapshot).stages.flat()).toMatchObject([
      { kind: 'create', resource: 'serviceaccounts', object: { metadata: { name: 'default' } } },
      { kind: 'create', resource: 'configmaps', object: { data: { 'ca.crt': 'PEM' } } },
    ]);
  });

  it('belongs to this very namespace, and goes with it however late it came', () => {
    const snapshot = { ...complete, hasAccount: false, authority: undefined };
    const { uid } = namespace.metadata;
    const owner = { apiVersion: 'v1', kind: 'Namespace', name: 'shop', uid };
    const metadata = { namespace: 'shop', ownerReferences: [owner] };
    expect(planServiceAccount(snapshot).stages.flat()).toMatchObject([
      { object: { metadata } },
      { object: { metadata } },
    ]);
  });

  it('is left alone when it is there', () => {
    expect(planServiceAccount(complete).stages).toEqual([]);
  });

  it('follows a new authority', () => {
    const plan = planServiceAccount({ ...complete, caPem: 'NEW' });
    expect(plan.stages.flat()).toMatchObject([
      { kind: 'update', object: { data: { 'ca.crt': 'NEW' } } },
    ]);
  });

  it('does not come back while the namespace goes', () => {
    const metadata = draftMeta({ name: 'shop', deletionTimestamp: '2026-01-01T00:00:00Z' });
    const snapshot = { ...complete, hasAccount: false, namespace: { ...namespace, metadata } };
    const plan = planServiceAccount(snapshot);
    expect(plan.stages).toEqual([]);
    expect(plan.blocked).toEqual(['the namespace is being deleted']);
  });
});
