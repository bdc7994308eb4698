import { describe, expect, it } from 'vitest';
import type { Namespace } from '../../../shared/api/kinds/core.ts';
import { type AnyObject, draftMeta, type ObjectMeta } from '../../../shared/api/meta.ts';
import { planNamespace } from '../../../shared/core/namespace/plan.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');

function namespace(meta: Partial<ObjectMeta> = {}, finalizers = ['kubernetes']): Namespace {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: draftMeta({ name: 'shop', uid: 'ns-uid', resourceVersion: '7', ...meta }),
    spec: { finalizers },
    status: { phase: 'Terminating' },
  };
}

const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z' };

function configMap(meta: Partial<ObjectMeta> = {}) {
  const object: AnyObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: draftMeta({ name: 'a', namespace: 'shop', uid: 'cm', resourceVersion: '3', ...meta }),
  };
  return { resource: 'configmaps', object };
}

describe('a namespace', () => {
  it('that is active is left alone', () => {
    expect(planNamespace({ namespace: namespace(), contents: [] }, NOW_MS).stages).toEqual([]);
  });

  it('that is empty and terminating goes', () => {
    const plan = planNamespace({ namespace: namespace(deleting), contents: [] }, NOW_MS);
    const key = { resource: 'namespaces', namespace: '', name: 'shop' };
    const expected = { uid: 'ns-uid', resourceVersion: '7' };
    expect(plan.stages).toEqual([[{ kind: 'remove', key, expected }]]);
  });

  it('that somebody else holds loses our finalizer only', () => {
    const held = namespace(deleting, ['kubernetes', 'example.com/hold']);
    const [[action] = []] = planNamespace({ namespace: held, contents: [] }, NOW_MS).stages;
    expect(action).toMatchObject({
      kind: 'update',
      object: { spec: { finalizers: ['example.com/hold'] } },
    });
  });

  it('deletes what is in it and says what remains', () => {
    const contents = [configMap()];
    const plan = planNamespace({ namespace: namespace(deleting), contents }, NOW_MS);
    const [deletions, status] = plan.stages;
    expect(deletions).toMatchObject([{ kind: 'remove', key: { name: 'a' } }]);
    expect(status).toMatchObject([
      { object: { status: { conditions: [{ type: 'NamespaceContentRemaining' }] } } },
    ]);
    expect(plan.blocked).toEqual(['1 objects are still in the namespace']);
  });

  it('writes nothing while it waits for a finalizer', () => {
    const held = configMap({ ...deleting, deletionGracePeriodSeconds: 0, finalizers: ['x/y'] });
    const first = planNamespace({ namespace: namespace(deleting), contents: [held] }, NOW_MS);
    const [[action] = []] = first.stages;
    if (action?.kind !== 'update') throw new Error('expected a status');
    const told = action.object as unknown as Namespace;
    expect(told.status.conditions?.map(({ type }) => type)).toEqual([
      'NamespaceContentRemaining',
      'NamespaceFinalizersRemaining',
    ]);
    expect(planNamespace({ namespace: told, contents: [held] }, NOW_MS).stages).toEqual([]);
  });
});
