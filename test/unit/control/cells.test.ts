import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Change } from '../../../shared/api/change.ts';
import type { KubeObject, Labels } from '../../../shared/api/meta.ts';
import { CELL_LABEL } from '../../../shared/api/node-labels.ts';
import { cellsOf, knownCells } from '../../../shared/control/cells.ts';
import { CLAIMS, POOLS } from '../../../shared/core/capacity/claim/state.ts';
import { COMPUTE_LABEL, VIRTUAL_COMPUTE } from '../../../shared/core/scheduling/cluster.ts';
import { pool } from '../capacity/fixtures.ts';
import { namespace, node, pod } from '../scheduling/fixtures.ts';

const of = (cell: string): Labels => ({ [CELL_LABEL]: cell });
const GPUS = pool({
  name: 'gpus',
  spec: {
    template: {
      metadata: { labels: of('gpus') },
      spec: { requirements: [], expireAfter: 'Never' },
    },
  },
});

async function reader(): Promise<MemoryStore> {
  const store = new MemoryStore({ clock: new StepClock() });
  await store.create('namespaces', namespace('default', {}));
  await store.create('namespaces', namespace('jobs', of('batch')));
  await store.create('nodes', node('n1', { labels: of('far') }));
  await store.create(POOLS, GPUS);
  return store;
}

function put(resource: string, object: KubeObject, previous?: KubeObject): Change {
  const states = { object, ...(previous ? { previous } : {}) };
  return { type: 'put', resource, ...states } as unknown as Change;
}

describe('the cells that a change wakes', () => {
  const fargate = node('fargate', { labels: { [COMPUTE_LABEL]: VIRTUAL_COMPUTE } });
  const asking = pod('p', { spec: { nodeName: 'n1' } });
  const all = ['default', 'gpus', 'batch'];
  it.each<[string, Change, readonly string[]]>([
    ['a pod', put('pods', pod('p')), ['default']],
    ['a pod of a namespace in a cell', put('pods', pod('p', { namespace: 'jobs' })), ['batch']],
    ['a pod that names one', put('pods', pod('p', { spec: { nodeSelector: of('x') } })), ['x']],
    ['a pod that asks for a machine', put('pods', asking), ['far']],
    ['a pod of a namespace that is gone', put('pods', pod('p', { namespace: 'no' })), ['default']],
    ['a machine', put('nodes', node('n', { labels: of('a') })), ['a']],
    [
      'a machine that moves',
      put('nodes', node('n', { labels: of('a') }), node('n', { labels: of('b') })),
      ['a', 'b'],
    ],
    ['a claim', put(CLAIMS, { ...GPUS, metadata: { ...GPUS.metadata, labels: of('a') } }), ['a']],
    ['a pool', put(POOLS, GPUS), ['gpus']],
    ['Fargate', put('nodes', fargate), all],
    ['a namespace', put('namespaces', namespace('default', {})), all],
  ])('%s', async (_, change, expected) => {
    expect(await cellsOf([change], await reader())).toEqual(expected);
  });

  it('are each woken once', async () => {
    const changes = [put('pods', pod('p')), put('pods', pod('q')), put('nodes', node('n'))];
    expect(await cellsOf(changes, await reader())).toEqual(['default']);
    expect(await cellsOf([], await reader())).toEqual([]);
  });

  it('are one where nothing names another', async () => {
    const store = new MemoryStore({ clock: new StepClock() });
    await store.create('namespaces', namespace('default', {}));
    expect(await knownCells(store)).toEqual(['default']);
  });
});
