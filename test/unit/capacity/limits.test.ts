/** Limits of pools hold within a pass, whatever it launches (fleet.ts: F2). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodePool } from '../../../shared/api/kinds/karpenter.ts';
import { draftMeta } from '../../../shared/api/meta.ts';
import type { MachineType } from '../../../shared/core/capacity/machine-type.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { node, NOW_MS, pod, snapshot } from '../scheduling/fixtures.ts';

function type(name: string, cpu: number, usdPerHour: number): MachineType {
  const room = { cpu: cpu * 1000, memory: 2 ** 36, pods: 20 };
  const place = { zone: 'z', capacityType: 'on-demand' as const, usdPerHour };
  const capacity = { ...room, nodes: 1 };
  return { name, labels: {}, room, capacity, offerings: [place, { ...place, zone: 'y' }] };
}

/** The second is larger than it is worth: what a limit leaves may not be what is cheapest. */
const TYPES = [type('small', 2, 0.1), type('odd', 9, 0.15), type('large', 8, 0.35)];

const FULL = { cpu: '0', memory: '0', pods: '0' };

function pool(limits: { readonly [resource: string]: string }): NodePool {
  const template = { spec: { requirements: [], expireAfter: 'Never' } };
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: draftMeta({ name: 'pool', uid: 'pool' }),
    spec: { template, limits },
    status: { nodes: 0 },
  } as unknown as NodePool;
}

describe('limits of a pool', () => {
  it.each([
    ['few nodes', 0],
    ['many nodes', 100],
  ])('hold in one pass, beside %s', (_, count) => {
    const pods = Array.from({ length: 3 }, (_, i) => pod(`p${i}`, { requests: { cpu: '2' } }));
    const nodes = Array.from({ length: count }, (_, i) => node(`n${i}`, { allocatable: FULL }));
    const pools = [pool({ cpu: '4' })];
    const result = schedule(snapshot({ nodes, pods, pools }), NOW_MS, { types: TYPES });
    expect(result.machines).toHaveLength(2);
    expect(result.unschedulable).toHaveLength(1);
  });

  it('hold whatever is asked for', () => {
    const cpus = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(cpus, fc.integer({ min: 1, max: 30 }), (asked, limit) => {
        const pods = asked.map((cpu, i) => pod(`p${i}`, { requests: { cpu: String(cpu) } }));
        const pools = [pool({ cpu: String(limit) })];
        const { machines } = schedule(snapshot({ pods, pools }), NOW_MS, { types: TYPES });
        const launched = machines.map(({ machine: { kind, cheapest } }) => {
          return kind.types.types[cheapest]?.capacity['cpu'] ?? 0;
        });
        expect(launched.reduce((sum, cpu) => sum + cpu, 0)).toBeLessThanOrEqual(limit * 1000);
      }),
    );
  });
});
