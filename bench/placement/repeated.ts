/**
 * How often a run is repeated to be measured. Peers are written in Go, whose code is compiled
 * before it runs; ours is compiled as it runs. So runs are measured once the process has run for a
 * while, as a scheduler has, and what the first one took is told besides.
 */

/** Go's benchmarks repeat a run for a second, and give the mean. */
const MIN_MS = 2_000;
const WARM_UP_MS = 2_000;

export interface Repeated<R> {
  /** The first run of the process, cold. */
  readonly first: R;
  /** Those that count. */
  readonly runs: readonly R[];
}

/** `isOnce`: one run is all, and counts, where nobody looks at its speed. */
export function repeated<R>(run: () => R, { isOnce = false, minRuns = 1 } = {}): Repeated<R> {
  const warmAtMs = performance.now() + WARM_UP_MS;
  const first = run();
  if (isOnce) return { first, runs: [first] };
  while (performance.now() < warmAtMs) run();
  const runs: R[] = [];
  const endMs = performance.now() + MIN_MS;
  while (runs.length < minRuns || performance.now() < endMs) runs.push(run());
  return { first, runs };
}

export function meanOf<R>(runs: readonly R[], of: (run: R) => number): number {
  return runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
}
