/** What has to be reached, and whether it was. */
import type { ProvisioningFigures } from './provisioning.ts';
import type { PlacementFigures } from './runs.ts';
import { placeable, sized, TIMES_THRESHOLD, type Workload } from './workloads.ts';

/** The figures, the floor of their speed, and in words what they miss. */
export type Judged<F> = F & {
  readonly floor: number;
  readonly threshold?: number;
  /** Speed over floor. */
  readonly ratio: number;
  readonly missed: readonly string[];
};

const MAX_RSS_MB = 1_024;
/** Tenths are milliseconds, and vary. Were time to grow with pods, it would be 0.1 to 0.3. */
const LEAST_LAST_TO_FIRST = 0.5;
const PROVISIONED_PER_SECOND = 5_000;
/** Machines and price are at most so many times their bounds. */
const MOST_OVER_BOUND = 1.1;

/**
 * `byCpu`: by the time that the thread computed, for a machine on which others run. Tenths are told
 * apart by the clock alone, and are not held to anything then.
 */
export function judgePlacement(
  figures: PlacementFigures,
  workload: Workload,
  byCpu: boolean,
): Judged<PlacementFigures> {
  const { threshold } = workload;
  const floor = TIMES_THRESHOLD * threshold;
  const speed = byCpu ? figures.podsPerCpuSecond : figures.podsPerSecond;
  const expected = placeable(sized(workload, figures));
  const missed = [
    ...slower(speed, floor),
    ...larger(figures.peakRssMb),
    ...(figures.placed === expected ? [] : [`${figures.placed} pods placed, not ${expected}`]),
    ...(byCpu || figures.lastToFirst >= LEAST_LAST_TO_FIRST
      ? []
      : [`the last tenth is placed at ${figures.lastToFirst.toFixed(2)} of the first one's speed`]),
  ];
  return { ...figures, threshold, floor, ratio: speed / floor, missed };
}

export function judgeProvisioning(
  figures: ProvisioningFigures,
  byCpu: boolean,
): Judged<ProvisioningFigures> {
  const { machines, leastMachines, usdPerHour, leastUsdPerHour } = figures;
  const floor = PROVISIONED_PER_SECOND;
  const speed = byCpu ? figures.podsPerCpuSecond : figures.podsPerSecond;
  const floors = [
    ...slower(speed, floor),
    ...over('machines', machines / leastMachines),
    ...over('price', usdPerHour / leastUsdPerHour),
  ];
  const missed = [
    ...(figures.isHeld ? floors : []),
    ...larger(figures.peakRssMb),
    ...(figures.placed === figures.pods
      ? []
      : [`${figures.placed} of ${figures.pods} pods placed`]),
  ];
  return { ...figures, floor, ratio: speed / floor, missed };
}

function slower(speed: number, floor: number): readonly string[] {
  return speed >= floor ? [] : [`${Math.round(speed)} pods/s, not ${floor}`];
}

function larger(rssMb: number): readonly string[] {
  return rssMb <= MAX_RSS_MB ? [] : [`${Math.round(rssMb)} MB of memory, not ${MAX_RSS_MB}`];
}

function over(what: string, ratio: number): readonly string[] {
  return ratio <= MOST_OVER_BOUND ? [] : [`${what} ${ratio.toFixed(3)} × the bound`];
}
