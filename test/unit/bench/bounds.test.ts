import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundsOf } from '../../../bench/placement/bounds.ts';
import {
  diversePods,
  fakeTypes,
  measureProvisioning,
} from '../../../bench/placement/provisioning.ts';
import { lowestUsdPerHour } from '../../../shared/core/capacity/bound.ts';
import type { MachineType } from '../../../shared/core/capacity/machine-type.ts';
import { TypeList } from '../../../shared/core/capacity/type-list.ts';
import { pod } from '../../../bench/objects.ts';

const MIB = 2 ** 20;
const ANY = { name: 'any', isHeld: true };

const typesArb = fc
  .array(
    fc.record({
      cpu: fc.integer({ min: 2_000, max: 64_000 }),
      memory: fc.integer({ min: 5_000 * MIB, max: 100_000 * MIB }),
      usdPerHour: fc.integer({ min: 1, max: 5_000 }).map((milli) => milli / 1_000),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((all) =>
    all.map(({ cpu, memory, usdPerHour }, i): MachineType => {
      const room = { cpu, memory, pods: 110 };
      const labels = { 'kubernetes.io/arch': 'amd64' };
      const offering = { zone: 'a', capacityType: 'on-demand', usdPerHour } as const;
      return { name: `type-${i}`, labels, room, capacity: room, offerings: [offering] };
    }),
  );

describe('bounds', () => {
  it('are never above what a solve pays', () => {
    fc.assert(
      fc.property(typesArb, fc.integer({ min: 5, max: 60 }), (types, pods) => {
        const figures = measureProvisioning({ ...ANY, pods, types: () => types }, { isOnce: true });
        if (figures.placed < pods) return;
        expect(figures.leastUsdPerHour).toBeLessThanOrEqual(figures.usdPerHour + 1e-9);
        expect(figures.leastMachines).toBeLessThanOrEqual(figures.machines);
      }),
      { numRuns: 60 },
    );
  });

  /** What machines are taken is known, and so is that it is a way to meet the demand. */
  it("of the solver's own are never above what a set of machines costs", () => {
    const given = fc.tuple(
      typesArb,
      fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
      fc.double({ min: 0.1, max: 1, noNaN: true }),
    );
    fc.assert(
      fc.property(given, ([types, picks, share]) => {
        const chosen = picks.map((pick) => types[pick % types.length] as MachineType);
        const priced = types.map((type) => {
          return { type, usdPerHour: type.offerings[0]?.usdPerHour ?? 0 };
        });
        const sum = (of: (type: MachineType) => number) =>
          chosen.reduce((total, type) => total + of(type), 0);
        const amounts = {
          cpu: share * sum(({ room }) => room['cpu'] ?? 0),
          memory: sum(({ room }) => room['memory'] ?? 0),
        };
        const demand = { amounts, machines: chosen.length };
        const bound = lowestUsdPerHour([new TypeList(priced)], demand, 0.01);
        const paid = sum(({ offerings }) => (offerings[0]?.usdPerHour ?? 0) + 0.01);
        expect(bound).toBeLessThanOrEqual(paid * (1 + 1e-9));
      }),
    );
  });

  it('count the pods that keep away from their like', () => {
    const pods = diversePods(100, 42);
    expect(boundsOf(pods, fakeTypes()).machines).toBe(20);
    expect(boundsOf([pod('one', {})], fakeTypes())).toMatchObject({ machines: 1 });
  });

  it('are nearly reached over the types of Karpenter', () => {
    const figures = measureProvisioning({ ...ANY, pods: 500, types: fakeTypes }, { isOnce: true });
    expect(figures.placed).toBe(500);
    expect(figures.machines).toBe(figures.leastMachines);
    expect(figures.usdPerHour / figures.leastUsdPerHour).toBeLessThan(1.1);
  });
});
