import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NodeSchema } from '../../../shared/api/kinds/node.ts';
import { PodSchema } from '../../../shared/api/kinds/pod.ts';
import { DeploymentSchema } from '../../../shared/api/kinds/workloads.ts';
import { applyStrategicMerge } from '../../../shared/control/apiserver/patch/strategic-merge.ts';

type Json = { [field: string]: unknown };

const podSpec = (spec: Json) => ({ spec });
const merge = (live: Json, patch: Json) => applyStrategicMerge(PodSchema, live, patch);
const containers = (...list: Json[]) => podSpec({ containers: list });

describe('strategic merge patch', () => {
  it.each<[string, Json, Json, Json]>([
    [
      'merges containers by name, their environment by name, ports by number',
      containers({ name: 'a', image: '1', env: [{ name: 'X', value: '1' }] }, { name: 'b' }),
      containers({ name: 'a', image: '2', env: [{ name: 'Y', value: '2' }] }),
      containers(
        {
          name: 'a',
          image: '2',
          env: [
            { name: 'X', value: '1' },
            { name: 'Y', value: '2' },
          ],
        },
        { name: 'b' },
      ),
    ],
    [
      'deletes a field on null and an item on $patch: delete',
      containers({ name: 'a', image: '1', tty: true }, { name: 'b' }),
      containers({ name: 'a', tty: null }, { name: 'b', $patch: 'delete' }),
      containers({ name: 'a', image: '1' }),
    ],
    [
      'replaces a list on $patch: replace',
      containers({ name: 'a' }, { name: 'b' }),
      containers({ name: 'c', image: 'x' }, { $patch: 'replace' }),
      containers({ name: 'c', image: 'x' }),
    ],
    [
      'replaces an object on $patch: replace',
      { metadata: { labels: { a: '1', b: '2' } } },
      { metadata: { labels: { $patch: 'replace', c: '3' } } },
      { metadata: { labels: { c: '3' } } },
    ],
    [
      'replaces atomic lists',
      containers({ name: 'a', args: ['1', '2'] }),
      containers({ name: 'a', args: ['3'] }),
      containers({ name: 'a', args: ['3'] }),
    ],
    [
      'orders items as $setElementOrder says, others stay where they were',
      containers({ name: 'a' }, { name: 'live' }, { name: 'b' }),
      podSpec({
        '$setElementOrder/containers': [{ name: 'b' }, { name: 'new' }, { name: 'a' }],
        containers: [{ name: 'new' }],
      }),
      containers({ name: 'live' }, { name: 'b' }, { name: 'new' }, { name: 'a' }),
    ],
    [
      'drops the members of a union that $retainKeys does not name',
      podSpec({ volumes: [{ name: 'v', emptyDir: {} }] }),
      podSpec({
        volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'c' } }],
      }),
      podSpec({ volumes: [{ name: 'v', configMap: { name: 'c' } }] }),
    ],
    [
      'merges sets, and takes items out of them',
      { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { finalizers: ['c'], '$deleteFromPrimitiveList/finalizers': ['a'] } },
      { metadata: { finalizers: ['b', 'c'] } },
    ],
    [
      'reorders without changing when only the order is given',
      containers({ name: 'a' }, { name: 'b' }),
      podSpec({ '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] }),
      containers({ name: 'b' }, { name: 'a' }),
    ],
  ])('%s', (_, live, patch, expected) => {
    expect(merge(live, patch)).toEqual(expected);
  });

  it('takes a new strategy and leaves the parts of the old one behind', () => {
    const live = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } };
    const patch = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } };
    expect(applyStrategicMerge(DeploymentSchema, live, patch)).toEqual({
      spec: { strategy: { type: 'Recreate' } },
    });
  });

  it('uncordons with null', () => {
    const live = { spec: { unschedulable: true, providerID: 'x' } };
    const patch = { spec: { unschedulable: null } };
    expect(applyStrategicMerge(NodeSchema, live, patch)).toEqual({ spec: { providerID: 'x' } });
  });

  it.each<[string, Json]>([
    ['an unknown directive', { spec: { $patch: 'merg' } }],
    ['an item without its key', containers({ image: 'x' })],
    ['an order that is no list', podSpec({ '$setElementOrder/containers': {} })],
  ])('refuses %s', (_, patch) => {
    expect(() => merge(containers({ name: 'a' }), patch)).toThrow(
      expect.objectContaining({ name: 'ApiError' }),
    );
  });

  it('refuses keys that lead to a prototype', () => {
    const patch = JSON.parse('{"metadata":{"$setElementOrder/__proto__":[]}}') as Json;
    expect(() => merge({}, patch)).toThrow('__proto__');
  });
});

describe('what kubectl apply computes', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const container = fc.record(
    { name, image: fc.constantFrom('1', '2') },
    { requiredKeys: ['name'] },
  );
  const list = fc.uniqueArray(container, { selector: (c) => c.name });

  /** The two-way patch from one list to another, in kubectl's form. */
  function patchBetween(before: Json[], after: Json[]): Json {
    const changed = after.map((item) => {
      const old = before.find((b) => b['name'] === item['name']);
      return old?.['image'] && !item['image'] ? { ...item, image: null } : item;
    });
    const gone = before.filter((b) => !after.some((a) => a['name'] === b['name']));
    return podSpec({
      '$setElementOrder/containers': after.map((item) => ({ name: item['name'] })),
      containers: [...changed, ...gone.map((g) => ({ name: g['name'], $patch: 'delete' }))],
    });
  }

  it('leads from any list of containers to any other', () => {
    fc.assert(
      fc.property(list, list, (before, after) => {
        const result = merge(containers(...before), patchBetween(before, after));
        expect(result).toEqual(containers(...after));
      }),
    );
  });
});
