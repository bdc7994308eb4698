/** What a pool is told of itself, and what it counts as its own. */
import { describe, expect, it } from 'vitest';
import type { NodePool } from '../../../shared/api/kinds/karpenter.ts';
import { planPool, type PoolSnapshot } from '../../../shared/core/capacity/pool-status.ts';
import { withRefusal } from '../../../shared/core/capacity/shortages.ts';
import { usedByPool } from '../../../shared/core/capacity/used.ts';
import { MACHINE_TYPES } from '../../world/machines.ts';
import { NOW_MS } from '../scheduling/fixtures.ts';
import { machine, pool } from './fixtures.ts';

function statusOf(of: NodePool, given: Partial<PoolSnapshot> = {}): NodePool['status'] {
  const snapshot = { pool: of, nodes: [], claims: [], types: MACHINE_TYPES, ...given };
  const [action] = planPool(snapshot, NOW_MS).stages.flat();
  if (action?.kind !== 'update') throw new Error('nothing is written');
  return (action.object as NodePool).status;
}

function requiring(key: string, operator: 'In' | 'NotIn', ...values: string[]): NodePool {
  return pool({ template: { requirements: [{ key, operator, values }] } });
}

const refusedPool = withRefusal(pool(), 'VcpuLimitExceeded: too many', NOW_MS);

const CASES: readonly (readonly [string, NodePool, string, string, string])[] = [
  ['can launch', pool(), 'True', 'True', ''],
  [
    'names no type that there is',
    requiring('node.kubernetes.io/instance-type', 'In', 'm99.huge'),
    'False',
    'False',
    'no instance type meets its requirements',
  ],
  [
    'asks for a zone that has none',
    requiring('topology.kubernetes.io/zone', 'In', 'mars-1a'),
    'False',
    'False',
    'its instance types are not offered in the zones and capacity types that it requires',
  ],
  [
    'allows less than one machine',
    pool({ spec: { limits: { cpu: '1m' } } }),
    'False',
    'False',
    'its limits are less than its smallest instance type',
  ],
  [
    'was refused a launch',
    refusedPool,
    'True',
    'False',
    'its last launch was refused: VcpuLimitExceeded: too many',
  ],
];

describe('a pool', () => {
  it.each(CASES)('that %s says so', (_, of, valid, ready, message) => {
    const { conditions = [] } = statusOf(of);
    const [first, second] = ['ValidationSucceeded', 'Ready'].map((type) =>
      conditions.find((condition) => condition.type === type),
    );
    expect([first?.status, second?.status, second?.message]).toEqual([valid, ready, message]);
  });

  it('that reached its limit is well, and says which', () => {
    const { conditions } = statusOf(pool({ spec: { limits: { nodes: '1' } } }), {
      nodes: [machine(1).node],
    });
    expect(conditions).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'True', message: 'limit reached: nodes=1' }),
    );
  });

  it('that was told all is left alone', () => {
    const told = { ...pool(), status: statusOf(pool()) };
    const snapshot = { pool: told, nodes: [], claims: [], types: MACHINE_TYPES };
    expect(planPool(snapshot, NOW_MS).stages).toEqual([]);
  });

  it('looks again when a refusal no longer counts', () => {
    const snapshot = { pool: refusedPool, nodes: [], claims: [], types: MACHINE_TYPES };
    expect(planPool(snapshot, NOW_MS).againAfterMs).toBeGreaterThan(0);
  });
});

describe('what a pool has', () => {
  const [one, two] = [machine(1), machine(2)];

  it('counts a machine once, as a claim until it is a node', () => {
    const machines = { nodes: [one.node], claims: [one.claim, two.claim] };
    expect(usedByPool(machines).get('general')?.['nodes']).toBe(2);
  });

  it('counts what a machine has, and nothing of other pools', () => {
    const other = machine(3, { pool: 'other' });
    const used = usedByPool({ nodes: [other.node, one.node] });
    expect(used.get('general')?.['cpu']).toBe(one.claim.control.room['cpu']);
    expect([...used.keys()].sort()).toEqual(['general', 'other']);
  });
});
