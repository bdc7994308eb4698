import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../shared/api/meta.ts';
import { wellFormed } from '../../../shared/api/well-formed.ts';
import type { ClusterSnapshot } from '../../../shared/core/scheduling/snapshot.ts';
import { soundCell } from '../../../shared/core/scheduling/sound.ts';
import { container, ledger, node, pod, running, snapshot } from './fixtures.ts';

const cell = (given: Partial<ClusterSnapshot>) =>
  ({
    pools: [],
    claims: [],
    groups: [],
    budgets: [],
    ...snapshot(given),
  }) as Required<ClusterSnapshot>;
const spoilt = <T extends KubeObject>(resource: string, object: T, fields: object): T =>
  wellFormed(resource, { ...object, ...fields });
const names = (objects: readonly KubeObject[]) => objects.map(({ metadata }) => metadata.name);

describe('a cell as a pass sees it', () => {
  it('is as it is where all can be read', () => {
    const given = cell({ nodes: [node('n1')], pods: [pod('a')] });
    expect(soundCell(given)).toEqual({ snapshot: given, unreadable: [] });
    expect(soundCell(given).snapshot).toBe(given);
  });

  it('is without nodes that cannot be read, and without those whose ledger cannot', () => {
    const nodes = [node('n1'), spoilt('nodes', node('n2'), { status: 'x' }), node('n3')];
    const ledgers = [
      ledger('n1'),
      spoilt('nodeallocations.nullplane.io', ledger('n3'), { allocations: {} }),
    ];
    const { snapshot: seen, unreadable } = soundCell(cell({ nodes, ledgers }));
    expect([names(seen.nodes), names(seen.ledgers)]).toEqual([['n1'], ['n1']]);
    expect(unreadable.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Node n2',
      'NodeAllocation n3',
    ]);
  });

  it('has a pod hold what its ledger says, also where the pod cannot say where it is', () => {
    const held = { cpu: 500, memory: 1024 };
    const entries = ledger('n1', pod('a'), pod('b'));
    const allocations = entries.allocations.map((entry) => ({ ...entry, requests: held }));
    const bad = [
      { ...running('n1', pod('a')), spec: { ...pod('a').spec, containers: [] } },
      spoilt('pods', running('n1', pod('b')), { spec: 'x' }),
      spoilt('pods', pod('c'), { spec: 'x' }),
    ];
    const given = cell({ nodes: [node('n1')], ledgers: [{ ...entries, allocations }], pods: bad });
    const { pods } = soundCell(given).snapshot;
    const requests = { cpu: '500m', memory: '1024' };
    expect(pods.map(({ spec }) => [spec.nodeName, spec.containers])).toEqual(
      ['n1', 'n1'].map((at) => [
        at,
        [{ name: 'unreadable', resources: container(requests).resources }],
      ]),
    );
  });
});
