/** The figures as tables for people. */
import type { Judged } from './floors.ts';
import type { ProvisioningFigures } from './provisioning.ts';
import type { PlacementFigures } from './runs.ts';

export function printPlacements(rows: readonly Judged<PlacementFigures>[]): void {
  console.table(Object.fromEntries(rows.map((row) => [row.workload, placementRow(row)])));
}

export function printProvisionings(rows: readonly Judged<ProvisioningFigures>[]): void {
  console.table(Object.fromEntries(rows.map((row) => [row.workload, provisioningRow(row)])));
}

export function placementRow(row: Judged<PlacementFigures>) {
  return {
    nodes: row.nodes,
    'init + pods': `${row.initPods} + ${row.pods}`,
    placed: row.placed,
    'pods/s': Math.round(row.podsPerSecond),
    'per CPU s': Math.round(row.podsPerCpuSecond),
    'first run': Math.round(row.firstPodsPerSecond),
    'CI floor': row.threshold,
    '× 10': row.floor,
    ratio: row.ratio.toFixed(2),
    'last ÷ first tenth': row.lastToFirst.toFixed(2),
    'RSS MB': Math.round(row.peakRssMb),
    others: othersOf(row),
    '': verdictOf(row),
  };
}

export function provisioningRow(row: Judged<ProvisioningFigures>) {
  return {
    types: row.types,
    pods: row.pods,
    placed: row.placed,
    'pods/s': Math.round(row.podsPerSecond),
    'per CPU s': Math.round(row.podsPerCpuSecond),
    'first run': Math.round(row.firstPodsPerSecond),
    Karpenter: row.karpenter ?? '–',
    floor: row.isHeld ? row.floor : '–',
    ratio: row.ratio.toFixed(2),
    'machines ÷ bound': `${row.machines} ÷ ${row.leastMachines}`,
    '$/h ÷ bound': overBound(row.usdPerHour, row.leastUsdPerHour),
    'RSS MB': Math.round(row.peakRssMb),
    '': verdictOf(row),
  };
}

function othersOf({ preempting, unschedulable }: PlacementFigures): string {
  if (preempting > 0) return `${preempting} preempt`;
  return unschedulable > 0 ? `${unschedulable} wait` : '–';
}

function overBound(value: number, bound: number): string {
  return `${value.toFixed(0)} ÷ ${bound.toFixed(0)} = ${(value / bound).toFixed(3)}`;
}

function verdictOf({ missed }: Judged<unknown>): string {
  return missed.length === 0 ? 'ok' : 'missed';
}
