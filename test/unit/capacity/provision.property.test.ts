/** What is launched for pods holds them, and no machine is launched for nobody. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { MachineType } from '../../../shared/core/capacity/machine-type.ts';
import { podRequests } from '../../../shared/core/pod/requests.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { NOW_MS, pod, snapshot } from '../scheduling/fixtures.ts';
import { pool } from './fixtures.ts';

const GIB = 2 ** 30;

interface MachineGiven {
  readonly cpu: number;
  readonly gib: number;
  readonly pods: number;
  readonly cents: number;
}

const machineType: fc.Arbitrary<MachineGiven> = fc.record({
  cpu: fc.integer({ min: 1, max: 32 }),
  gib: fc.integer({ min: 1, max: 64 }),
  pods: fc.integer({ min: 1, max: 12 }),
  cents: fc.integer({ min: 1, max: 200 }),
});
const asking = fc.record({
  cpu: fc.integer({ min: 1, max: 40 }),
  gib: fc.integer({ min: 1, max: 70 }),
  apart: fc.boolean(),
});

function typeOf({ cpu, gib, pods, cents }: MachineGiven, i: number): MachineType {
  const room = { cpu: cpu * 1000, memory: gib * GIB, pods };
  const place = { zone: 'a', capacityType: 'on-demand' as const, usdPerHour: cents / 100 };
  return { name: `t${i}.large`, labels: {}, room, capacity: room, offerings: [place] };
}

const world = fc.tuple(
  fc.array(machineType, { minLength: 1, maxLength: 5 }),
  fc.array(asking, { minLength: 1, maxLength: 15 }),
);

const APART = {
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { apart: 'yes' } } },
    ],
  },
};

function podOf(
  { cpu, gib, apart }: { readonly cpu: number; readonly gib: number; readonly apart: boolean },
  i: number,
): Pod {
  return pod(`p${i}`, {
    requests: { cpu: String(cpu), memory: `${gib}Gi` },
    ...(apart ? { labels: { apart: 'yes' }, spec: { affinity: APART } } : {}),
  });
}

const fits = (one: Pod, { room }: MachineType): boolean => {
  const { cpu = 0, memory = 0 } = podRequests(one.spec);
  return cpu <= (room['cpu'] ?? 0) && memory <= (room['memory'] ?? 0);
};

it('launches machines that hold their pods, and leaves only pods that no type holds', () => {
  fc.assert(
    fc.property(world, ([made, asked]) => {
      const types = made.map(typeOf);
      const pods = asked.map(podOf);
      const given = snapshot({ pods, pools: [pool()] });
      const { machines, unschedulable } = schedule(given, NOW_MS, { types });
      const served = machines.flatMap((one) => one.pods.map(({ metadata }) => metadata.name));
      const waiting = unschedulable.map((one) => one.pod.metadata.name);
      expect([...served, ...waiting].sort()).toEqual(pods.map((p) => p.metadata.name).sort());
      for (const { machine, pods: on } of machines) {
        const type = machine.kind.types.types[machine.cheapest] as MachineType;
        const sum = (resource: string) =>
          on.reduce((total, one) => total + (podRequests(one.spec)[resource] ?? 0), 0);
        expect(on.length).toBeGreaterThan(0);
        expect(on.length).toBeLessThanOrEqual(type.room['pods'] ?? 0);
        expect(sum('cpu')).toBeLessThanOrEqual(type.room['cpu'] ?? 0);
        expect(sum('memory')).toBeLessThanOrEqual(type.room['memory'] ?? 0);
        expect(on.filter((one) => one.metadata.labels?.['apart']).length).toBeLessThanOrEqual(1);
      }
      const placeable = pods.filter((one) => types.some((type) => fits(one, type)));
      expect(served.sort()).toEqual(placeable.map((p) => p.metadata.name).sort());
    }),
  );
});

it('costs no more than a machine of its own for each pod', () => {
  fc.assert(
    fc.property(world, ([made, asked]) => {
      const types = made.map(typeOf);
      const pods = asked.map(podOf);
      const priceOf = ({ offerings: [offering] }: MachineType) => offering?.usdPerHour ?? 0;
      const aloneUsd = pods.reduce((sum, one) => {
        const prices = types.filter((type) => fits(one, type)).map(priceOf);
        return sum + (prices.length > 0 ? Math.min(...prices) : 0);
      }, 0);
      const { machines } = schedule(snapshot({ pods, pools: [pool()] }), NOW_MS, { types });
      const usd = machines.reduce((sum, { machine: { kind, cheapest } }) => {
        return sum + priceOf(kind.types.types[cheapest] as MachineType);
      }, 0);
      expect(usd).toBeLessThanOrEqual(aloneUsd + 1e-9);
    }),
  );
});
