import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeClaim, NodePool } from '../../../shared/api/kinds/karpenter.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { Labels } from '../../../shared/api/meta.ts';
import { CELL_LABEL, withoutCell } from '../../../shared/api/node-labels.ts';
import {
  cellOf,
  cellOfPod,
  cellOfPool,
  DEFAULT_CELL,
  inCell,
} from '../../../shared/core/scheduling/cells.ts';
import { COMPUTE_LABEL, VIRTUAL_COMPUTE } from '../../../shared/core/scheduling/cluster.ts';
import { ledger, namespace, node, pod, running, snapshot } from './fixtures.ts';

const of = (cell: string | undefined): Labels => (cell ? { [CELL_LABEL]: cell } : {});
const waiting = (name: string, at: string, selector?: Labels): Pod =>
  pod(name, { namespace: at, ...(selector ? { spec: { nodeSelector: selector } } : {}) });

function poolOf(name: string, cell?: string): NodePool {
  const template = { metadata: { labels: of(cell) }, spec: { requirements: [] } };
  return { metadata: { name }, spec: { template } } as unknown as NodePool;
}
const claimOf = (name: string, cell?: string) =>
  ({ metadata: { name, labels: of(cell) } }) as unknown as NodeClaim;

const ALL = {
  pools: [poolOf('general'), poolOf('gpus', 'batch')],
  claims: [claimOf('c1'), claimOf('c2', 'batch')],
  groups: [],
  budgets: [],
  ...snapshot({
    namespaces: [namespace('default', {}), namespace('jobs', of('batch'))],
    nodes: [
      node('n1'),
      node('n2', { labels: of('batch') }),
      node('fargate', { labels: { [COMPUTE_LABEL]: VIRTUAL_COMPUTE } }),
    ],
    ledgers: [ledger('n1'), ledger('n2'), ledger('lost')],
    pods: [
      waiting('a', 'default'),
      waiting('b', 'default', of('batch')),
      waiting('c', 'jobs'),
      waiting('d', 'jobs', of('default')),
      running('n2', waiting('e', 'default')),
      running('n1', waiting('f', 'jobs')),
      running('fargate', waiting('g', 'jobs')),
      running('nowhere', waiting('h', 'default')),
    ],
  }),
};

function namesIn(cell: string) {
  const { nodes, ledgers, pods, pools, claims } = inCell(ALL, cell);
  const named = [nodes, ledgers, pods, pools, claims].map((objects) =>
    objects.map(({ metadata }) => metadata.name).join(' '),
  );
  return named;
}

describe('a cell', () => {
  it('has its machines, what runs there, and what waits in it', () => {
    expect(namesIn('default')).toEqual(['n1 fargate', 'n1 lost', 'a d f h', 'general', 'c1']);
    expect(namesIn('batch')).toEqual(['n2 fargate', 'n2 lost', 'b c e g', 'gpus', 'c2']);
    expect(namesIn('other')).toEqual(['fargate', 'lost', '', '', '']);
  });

  it('is all there is where nothing names another', () => {
    const one = { ...ALL, ...snapshot({ nodes: [node('n1')], pods: [waiting('a', 'default')] }) };
    const { nodes, pods } = inCell(one, DEFAULT_CELL);
    expect([nodes, pods]).toEqual([one.nodes, one.pods]);
  });

  it('has a pod that has room on a machine of it, wherever the pod would wait now', () => {
    const moved = waiting('m', 'jobs');
    const all = { ...ALL, ledgers: [ledger('n1', moved)], pods: [moved] };
    const pods = ['default', 'batch'].map((cell) => inCell(all, cell).pods);
    expect(pods).toEqual([[moved], []]);
  });

  it('shares no pod and no machine with another', () => {
    const cell = fc.constantFrom(undefined, 'a', 'b');
    const world = fc.record({
      nodes: fc.array(cell, { maxLength: 4 }),
      namespaces: fc.tuple(cell, cell),
      pods: fc.array(fc.tuple(cell, fc.nat(1), fc.option(fc.nat(5))), { maxLength: 8 }),
    });
    fc.assert(
      fc.property(world, ({ nodes, namespaces, pods }) => {
        const all = {
          ...ALL,
          ...snapshot({
            namespaces: namespaces.map((one, i) => namespace(`s${i}`, of(one))),
            nodes: nodes.map((one, i) => node(`n${i}`, { labels: of(one) })),
            pods: pods.map(([one, at, on], i) => {
              const made = waiting(`p${i}`, `s${at}`, one ? of(one) : undefined);
              return on === null ? made : running(`n${on}`, made);
            }),
          }),
        };
        const cells = [DEFAULT_CELL, 'a', 'b'].map((name) => inCell(all, name));
        for (const list of ['nodes', 'pods'] as const) {
          const names = cells.flatMap((one) => one[list].map(({ metadata }) => metadata.name));
          expect(names.sort()).toEqual(all[list].map(({ metadata }) => metadata.name).sort());
        }
        for (const { nodes: known, pods: there } of cells) {
          const machines = new Set(known.map(({ metadata }) => metadata.name));
          const strangers = there.filter(({ spec }) => {
            const exists = all.nodes.some(({ metadata }) => metadata.name === spec.nodeName);
            return exists && !machines.has(spec.nodeName ?? '');
          });
          expect(strangers).toEqual([]);
        }
      }),
    );
  });

  it.each<[unknown, string]>([
    [undefined, 'default'],
    ['', 'default'],
    ['batch', 'batch'],
    [7, 'default'],
    [null, 'default'],
  ])('is named by a label of %j as %s', (value, expected) => {
    expect(cellOf({ [CELL_LABEL]: value } as Labels)).toBe(expected);
  });

  it('is the default one of a pool that lacks its template', () => {
    expect(cellOfPool({ ...poolOf('p', 'a'), spec: {} } as unknown as NodePool)).toBe('default');
  });

  it('is what the pod says, before what its namespace does', () => {
    expect(cellOfPod(waiting('p', 'jobs', of('a')), of('b'))).toBe('a');
    expect(cellOfPod(waiting('p', 'jobs', { zone: 'x' }), of('b'))).toBe('b');
    expect(cellOfPod(waiting('p', 'jobs', of('default')), of('b'))).toBe('default');
  });

  it('is no label that a node must have', () => {
    expect(withoutCell({ ...of('a'), zone: 'x' })).toEqual({ zone: 'x' });
    expect(withoutCell(of('a'))).toBeUndefined();
    expect(withoutCell({ zone: 'x' })).toEqual({ zone: 'x' });
  });
});
