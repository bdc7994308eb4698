import { describe, expect, it } from 'vitest';
import { judgePlacement, judgeProvisioning } from '../../../bench/placement/floors.ts';
import { measureWorkload } from '../../../bench/placement/runs.ts';
import { placementRow, provisioningRow } from '../../../bench/placement/table.ts';
import {
  churnCount,
  placeable,
  sized,
  type Workload,
  WORKLOADS,
} from '../../../bench/placement/workloads.ts';

const small = (workload: Workload) => sized(workload, { nodes: 50, pods: 100 });

describe('workloads', () => {
  it.each(WORKLOADS.map((workload) => [workload.name, workload] as const))(
    '%s ends as its definition says',
    (_, workload) => {
      const tiny = small(workload);
      const figures = measureWorkload(tiny, { isOnce: true });
      expect(figures.placed).toBe(placeable(tiny));
      const left = tiny.pods - placeable(tiny);
      if (workload.name === 'PreemptionAsync') expect(figures.preempting).toBe(churnCount(tiny));
      else expect(figures.preempting).toBe(0);
      if (workload.name.startsWith('Unschedulable')) {
        expect(figures.unschedulable).toBe(churnCount(tiny));
      } else if (workload.name === 'MixedChurn') expect(figures.unschedulable).toBe(1);
      else expect(figures.unschedulable).toBe(left);
    },
  );

  it('has one pod a node where pods keep apart', () => {
    const apart = WORKLOADS.filter(({ onePerNode }) => onePerNode);
    expect(apart.map(({ name }) => name)).toEqual(['PodAntiAffinity', 'ExtendedResource']);
    expect(apart.map((workload) => placeable(small(workload)))).toEqual([40, 50]);
  });

  it('places the same in lots as at once', () => {
    const [basic] = WORKLOADS;
    if (!basic) throw new Error('there is no workload');
    const figures = measureWorkload(small(basic), { lot: 30, isOnce: true });
    expect([figures.passes, figures.placed]).toEqual([4, 100]);
  });
});

describe('floors', () => {
  const [workload] = WORKLOADS;
  if (!workload) throw new Error('there is no workload');
  const reached = {
    ...{ workload: workload.name, nodes: 5_000, initPods: 1_000, pods: 10_000, passes: 1 },
    ...{ placed: 10_000, preempting: 0, unschedulable: 0, podsPerSecond: 6_800 },
    ...{ podsPerCpuSecond: 9_000, firstPodsPerSecond: 5_000, runs: 3 },
    ...{ lastToFirst: 1, peakRssMb: 200 },
  };

  it('are ten times the threshold', () => {
    expect(judgePlacement(reached, workload, false)).toMatchObject({ floor: 6_800, missed: [] });
    const row = placementRow(judgePlacement(reached, workload, false));
    expect(row).toMatchObject({ 'pods/s': 6_800, ratio: '1.00', '': 'ok' });
  });

  it.each([
    [{ podsPerSecond: 6_799 }, '6799 pods/s, not 6800'],
    [{ peakRssMb: 1_025 }, '1025 MB of memory, not 1024'],
    [{ placed: 9_999 }, '9999 pods placed, not 10000'],
    [{ lastToFirst: 0.2 }, "the last tenth is placed at 0.20 of the first one's speed"],
  ])('are missed by %j', (worse, why) => {
    expect(judgePlacement({ ...reached, ...worse }, workload, false).missed).toEqual([why]);
  });

  const packed = {
    ...{ workload: 'Karpenter-500', types: 400, pods: 500, placed: 500, runs: 3, isHeld: true },
    ...{ podsPerSecond: 5_000, podsPerCpuSecond: 5_000, firstPodsPerSecond: 2_000 },
    ...{ machines: 110, leastMachines: 100, usdPerHour: 109, leastUsdPerHour: 100 },
    peakRssMb: 200,
  };

  it('are a tenth above the bounds of machines and price', () => {
    const judged = judgeProvisioning(packed, false);
    expect(judged.missed).toEqual([]);
    expect(provisioningRow(judged)).toMatchObject({ '$/h ÷ bound': '109 ÷ 100 = 1.090' });
    const worse = { ...packed, machines: 111, usdPerHour: 111, podsPerSecond: 4_000 };
    expect(judgeProvisioning(worse, false).missed).toEqual([
      '4000 pods/s, not 5000',
      'machines 1.110 × the bound',
      'price 1.110 × the bound',
    ]);
  });
});
