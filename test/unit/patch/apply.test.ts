import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyConflict } from '../../../shared/api/errors.ts';
import { ConfigMapSchema } from '../../../shared/api/kinds/core.ts';
import { DeploymentSchema } from '../../../shared/api/kinds/workloads.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { serverSideApply } from '../../../shared/control/apiserver/patch/apply.ts';
import { updateManagedFields } from '../../../shared/control/apiserver/patch/managed-fields.ts';

type Json = { [field: string]: unknown };

const apiVersion = 'apps/v1';
const schema = DeploymentSchema;

function deployment(spec: Json, metadata: Json = {}): AnyObject {
  return {
    apiVersion,
    kind: 'Deployment',
    metadata: { name: 'web', ...metadata },
    spec,
  } as unknown as AnyObject;
}

const containers = (...list: Json[]) => ({ template: { spec: { containers: list } } });

function apply(
  live: AnyObject | undefined,
  config: AnyObject,
  manager = 'a',
  force = false,
  nowMs = 0,
) {
  return serverSideApply({ schema, live, config, manager, force, apiVersion, nowMs });
}

function applied(...args: Parameters<typeof apply>): AnyObject {
  const result = apply(...args);
  if (!result.object) throw new Error(JSON.stringify(result.conflicts));
  return result.object;
}

function update(before: AnyObject | undefined, after: AnyObject, manager = 'u', nowMs = 0) {
  return updateManagedFields({ schema, before, after, manager, apiVersion, nowMs });
}

const spec = (object: AnyObject) => object['spec'] as Json;
const entry = (object: AnyObject, manager: string) =>
  object.metadata.managedFields?.find((e) => e.manager === manager);

describe('server-side apply', () => {
  it('owns what the configuration states, item by item', () => {
    const object = applied(
      undefined,
      deployment(
        {
          replicas: 2,
          ...containers({ name: 'web', image: 'a', ports: [{ containerPort: 80 }] }),
        },
        { labels: { app: 'web' } },
      ),
    );
    expect(object.metadata.managedFields).toEqual([
      {
        manager: 'a',
        operation: 'Apply',
        apiVersion,
        time: '1970-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:app': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:template': {
              'f:spec': {
                'f:containers': {
                  'k:{"name":"web"}': {
                    '.': {},
                    'f:name': {},
                    'f:image': {},
                    'f:ports': {
                      'k:{"containerPort":80,"protocol":"TCP"}': {
                        '.': {},
                        'f:containerPort': {},
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ]);
  });

  it('changes nothing, not even a time, when it is applied again', () => {
    const config = deployment({ replicas: 2, ...containers({ name: 'web', image: 'a' }) });
    const once = applied(undefined, config);
    expect(applied(once, config, 'a', false, 60_000)).toEqual(once);
  });

  it('removes a field that is no longer stated, and keeps it if another manager states it', () => {
    const both = deployment({ replicas: 2, paused: true });
    const first = applied(applied(undefined, both), deployment({ paused: true }), 'b');
    const second = applied(first, deployment({}), 'a');
    expect(spec(second)).toEqual({ paused: true });
    expect(entry(second, 'b')?.fieldsV1).toEqual({ 'f:spec': { 'f:paused': {} } });
  });

  it('removes a struct with its defaults, a list item with its defaults', () => {
    const probe = { httpGet: { port: 80 } };
    const first = applied(
      undefined,
      deployment(
        containers({ name: 'web', image: 'a', livenessProbe: probe }, { name: 'b', image: 'b' }),
      ),
    );
    const live = structuredClone(first) as unknown as {
      spec: { template: { spec: { containers: Json[] } } };
    };
    for (const container of live.spec.template.spec.containers) {
      container['imagePullPolicy'] = 'Always';
      if (container['livenessProbe']) container['livenessProbe'] = { ...probe, periodSeconds: 10 };
    }
    const config = deployment(containers({ name: 'web', image: 'a' }));
    const next = applied(live as unknown as AnyObject, config);
    expect(spec(next)).toEqual(containers({ name: 'web', image: 'a', imagePullPolicy: 'Always' }));
  });

  it('leaves map entries alone that nobody owns', () => {
    const first = applied(undefined, deployment({}, { annotations: { mine: '1' } }));
    const live = {
      ...first,
      metadata: { ...first.metadata, annotations: { mine: '1', theirs: '2' } },
    };
    expect(applied(live, deployment({})).metadata.annotations).toEqual({ theirs: '2' });
  });

  it('refuses to change what another manager owns, in the words of Kubernetes', () => {
    const live = update(undefined, deployment({ replicas: 1 }), 'kubectl-client-side-apply');
    const { conflicts } = apply(live, deployment({ replicas: 3 }));
    expect(conflicts).toEqual([
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "kubectl-client-side-apply" using apps/v1',
        field: '.spec.replicas',
      },
    ]);
    expect(applyConflict(conflicts ?? []).message).toBe(
      'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" ' +
        'using apps/v1: .spec.replicas',
    );
  });

  it('takes fields over when it is forced', () => {
    const live = update(undefined, deployment({ replicas: 1, paused: true }), 'u');
    const next = applied(live, deployment({ replicas: 3 }), 'a', true);
    expect(spec(next)).toEqual({ replicas: 3, paused: true });
    expect(entry(next, 'u')?.fieldsV1).toEqual({ 'f:spec': { 'f:paused': {} } });
  });

  it('follows client-side apply without conflicts where kubectl is its own manager', () => {
    const last = 'kubectl.kubernetes.io/last-applied-configuration';
    const config = deployment({ replicas: 1, paused: true });
    const annotations = { [last]: JSON.stringify(config) };
    const given = deployment({ replicas: 1, paused: true }, { annotations });
    const created = update(undefined, given, 'kubectl-client-side-apply');
    const live = update(created, { ...created, spec: { replicas: 1, paused: false } }, 'other');
    expect(apply(live, deployment({ replicas: 2 }), 'a').conflicts).toHaveLength(1);
    const next = applied(live, deployment({ replicas: 2 }), 'kubectl');
    expect(spec(next)).toEqual({ replicas: 2, paused: false });
    expect(JSON.parse(next.metadata.annotations?.[last] ?? '')).toMatchObject({
      spec: { replicas: 2 },
    });
    const { conflicts } = apply(live, deployment({ paused: true }), 'kubectl');
    expect(conflicts?.map((conflict) => conflict.message)).toEqual([
      'conflict with "other" using apps/v1',
    ]);
  });

  it('sees no change where a value that is replaced as a whole only lacks its defaults', () => {
    const env = (fieldRef: Json) =>
      deployment(containers({ name: 'web', env: [{ name: 'POD', valueFrom: { fieldRef } }] }));
    const stored = { apiVersion: 'v1', fieldPath: 'metadata.name' };
    const live = update(undefined, env(stored), 'u');
    const options = { schema, live, manager: 'a', force: false, apiVersion, nowMs: 0 };
    const config = env({ fieldPath: 'metadata.name' });
    expect(serverSideApply({ ...options, config }).conflicts).toHaveLength(1);
    const defaulted = () => env(stored);
    expect(serverSideApply({ ...options, config, defaulted }).conflicts).toBeUndefined();
  });

  it('shares a field with another manager that states the same value', () => {
    const live = update(undefined, deployment({ replicas: 3 }), 'u');
    const next = applied(live, deployment({ replicas: 3 }));
    expect(next.metadata.managedFields?.map((e) => e.manager)).toEqual(['a', 'u']);
  });

  it.each([
    ['twice the same key', [{ name: 'a' }, { name: 'a' }]],
    ['no key', [{ image: 'a' }]],
  ])('refuses a list with %s', (_, list) => {
    expect(() => apply(undefined, deployment(containers(...list)))).toThrow(/spec\.containers/);
  });
});

describe('managed fields of updates', () => {
  it('give a changed field to who changed it, and time to nobody else', () => {
    const first = update(undefined, deployment({ replicas: 1, paused: true }), 'u', 0);
    const after = { ...first, spec: { replicas: 2, paused: true } };
    const second = update(first, after, 'v', 1000);
    expect(entry(second, 'u')?.fieldsV1).toEqual({ 'f:spec': { 'f:paused': {} } });
    expect(entry(second, 'v')).toMatchObject({
      time: '1970-01-01T00:00:01Z',
      fieldsV1: { 'f:spec': { 'f:replicas': {} } },
    });
  });

  it('forget what is gone', () => {
    const first = update(undefined, deployment({ ...containers({ name: 'a' }), replicas: 1 }));
    const second = update(first, { ...first, spec: { replicas: 1 } }, 'v');
    expect(second.metadata.managedFields).toHaveLength(1);
    expect(entry(second, 'u')?.fieldsV1).toEqual({ 'f:spec': { 'f:replicas': {} } });
  });

  it('give back the very object when nothing changed', () => {
    const first = update(undefined, deployment({ replicas: 1 }));
    expect(update(first, first, 'v', 5000)).toBe(first);
  });

  it('own a status only through the status', () => {
    const before = deployment({ replicas: 1 });
    const after = { ...before, status: { replicas: 1 } };
    const main = update(before, after);
    expect(main.metadata.managedFields).toBeUndefined();
    const status = updateManagedFields({
      ...{ schema, before, after, manager: 'u', apiVersion, nowMs: 0 },
      subresource: 'status',
    });
    expect(entry(status, 'u')).toMatchObject({
      subresource: 'status',
      fieldsV1: { 'f:status': { 'f:replicas': {} } },
    });
  });

  it('are stripped by a list of one empty entry and kept by an empty list', () => {
    const first = update(undefined, deployment({ replicas: 1 }));
    const reset = { ...first, metadata: { ...first.metadata, managedFields: [{}] } };
    expect(update(first, reset).metadata.managedFields).toBeUndefined();
    const empty = { ...first, metadata: { ...first.metadata, managedFields: [] } };
    expect(update(first, empty).metadata.managedFields).toEqual(first.metadata.managedFields);
  });

  it('can be rewritten by a client, as kubectl does when it moves to server-side apply', () => {
    const first = update(undefined, deployment({ replicas: 1 }), 'kubectl-client-side-apply');
    const managedFields = first.metadata.managedFields?.map((e) => ({
      ...e,
      manager: 'kubectl',
      operation: 'Apply' as const,
    }));
    const migrated = update(first, {
      ...first,
      metadata: { ...first.metadata, ...(managedFields && { managedFields }) },
    });
    expect(migrated.metadata.managedFields).toEqual(managedFields);
    const next = applied(migrated, deployment({ paused: true }), 'kubectl');
    expect(spec(next)).toEqual({ paused: true });
  });

  it('stay few, however many clients update', () => {
    let object = update(undefined, deployment({ replicas: 0 }), 'first');
    for (let i = 1; i < 30; i++) {
      const annotations = { ...object.metadata.annotations, [`k${i}`]: '' };
      const after = { ...object, metadata: { ...object.metadata, annotations } };
      object = update(object, after, `m${i}`, i * 1000);
    }
    expect(object.metadata.managedFields).toHaveLength(10);
    expect(entry(object, 'ancient-changes')?.fieldsV1).toHaveProperty(['f:spec', 'f:replicas']);
  });
});

describe('ownership, for any sequence of applies', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const data = fc.dictionary(key, fc.constantFrom('1', '2'));
  const step = fc.record({ manager: fc.constantFrom('x', 'y', 'z'), data });

  it('an object holds exactly what its managers last stated', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        let live: AnyObject | undefined;
        const stated = new Map<string, { [key: string]: string }>();
        for (const { manager, data } of steps) {
          const config = { metadata: { name: 'c' }, data } as unknown as AnyObject;
          const options = { live, config, manager, force: true, apiVersion: 'v1', nowMs: 0 };
          live = serverSideApply({ schema: ConfigMapSchema, ...options }).object;
          // A forced apply takes the keys whose value it changes.
          for (const [other, keys] of stated) {
            const left = Object.entries(keys).filter(([k, v]) => (data[k] ?? v) === v);
            stated.set(other, Object.fromEntries(left));
          }
          stated.set(manager, data);
        }
        const expected = Object.assign({}, ...stated.values()) as object;
        expect(live?.['data'] ?? {}).toEqual(expected);
      }),
    );
  });
});
