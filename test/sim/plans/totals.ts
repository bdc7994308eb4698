/** What many runs have come to, in figures that can be added up. */
import { FAULT_KINDS, type FaultKind, rowsOf } from '../faults/catalogue.ts';
import type { RunResult } from '../run.ts';

export interface Failure {
  readonly invariant: string;
  readonly message: string;
  readonly seed: number;
  readonly step: number;
  readonly command: string;
  /** The same with fewer faults. */
  readonly smaller?: string;
}

export interface Totals {
  runs: number;
  /** Runs that were done twice, and those of them that were not the same. */
  doubled: number;
  mismatches: number;
  steps: number;
  simulatedMs: number;
  writes: number;
  launches: number;
  readonly recoveriesMs: number[];
  readonly faults: { [kind in FaultKind]?: number };
  readonly failures: Failure[];
}

export function noTotals(): Totals {
  const counts = { runs: 0, doubled: 0, mismatches: 0, steps: 0, simulatedMs: 0 };
  return { ...counts, writes: 0, launches: 0, recoveriesMs: [], faults: {}, failures: [] };
}

export function addRun(totals: Totals, result: RunResult): void {
  totals.runs++;
  totals.steps += result.steps;
  totals.simulatedMs += result.simulatedMs;
  totals.writes += result.writes;
  totals.launches += result.launches;
  totals.recoveriesMs.push(result.recoveredMs);
  addFaults(totals.faults, result.faults);
}

export function addTotals(totals: Totals, more: Totals): void {
  for (const count of ['runs', 'doubled', 'mismatches', 'steps', 'simulatedMs'] as const) {
    totals[count] += more[count];
  }
  totals.writes += more.writes;
  totals.launches += more.launches;
  totals.recoveriesMs.push(...more.recoveriesMs);
  totals.failures.push(...more.failures);
  addFaults(totals.faults, more.faults);
}

/** As people read it. `seconds`: how long it took on the wall. */
export function summaryOf(totals: Totals, seconds: number) {
  const { runs, failures, recoveriesMs, faults } = totals;
  const sorted = recoveriesMs.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0) / 1_000;
  const kinds = Object.keys(faults) as FaultKind[];
  const injected = Object.values(faults).reduce((sum, n) => sum + n, 0);
  return {
    runs,
    violations: failures.length,
    /** The rule of three: with 95 % confidence no more than this share of runs fails. */
    ...(failures.length === 0 ? { bound95: 3 / runs } : {}),
    faults: injected,
    kinds: kinds.length,
    /** Of the 48 rows of the catalogue. */
    rows: rowsOf(kinds).length,
    /** Kinds that never struck. */
    missing: FAULT_KINDS.filter((kind) => !kinds.includes(kind)),
    simulatedHours: Math.round(totals.simulatedMs / 3_600_000),
    steps: totals.steps,
    launches: totals.launches,
    writesPerLaunch: Number((totals.writes / Math.max(1, totals.launches)).toFixed(1)),
    recoverySeconds: { p50: at(0.5), p99: at(0.99), max: at(1) },
    doubled: totals.doubled,
    mismatches: totals.mismatches,
    seconds: Number(seconds.toFixed(1)),
    runsPerSecond: Number((runs / seconds).toFixed(1)),
    byKind: Object.fromEntries(Object.entries(faults).sort(([, a], [, b]) => b - a)),
    failures,
  };
}

function addFaults(sum: Totals['faults'], more: Totals['faults']): void {
  for (const [kind, count] of Object.entries(more) as [FaultKind, number][]) {
    sum[kind] = (sum[kind] ?? 0) + count;
  }
}
