/** Back-off of restarts and launches: Kubernetes' law, and its words (invariant B3). */

const FIRST_MS = 10_000;
const LONGEST_MS = 300_000;

/** A run that lasted this long was none of a crash loop: the next crash counts as the first. */
export const LONG_RUN_MS = 600_000;

/**
 * The first crash is made good at once; a second one in a row waits 10 s, each further one twice as
 * long.
 */
export function crashDelayMs(crashes: number): number {
  return crashes <= 1 ? 0 : doubled(crashes - 2);
}

/** A pull or launch that failed waits from the first time on: trying at once could hardly help. */
export function launchDelayMs(failures: number): number {
  return doubled(Math.max(0, failures - 1));
}

/** The exponent is bounded so that a count of any size stays a number. */
function doubled(times: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(times, 16));
}

/** A duration as users know it from kubectl: `10s`, `1m20s`, `5m0s`. */
export function durationText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`;
}
