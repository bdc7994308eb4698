/**
 * Resource versions, as a hybrid logical clock: the time, or one more than the last where that is
 * later. They grow although clocks jump back, and a store that is made anew continues above the
 * versions of the one before.
 *
 * Versions are safe integers printed in decimal; 2048 of them fit in a millisecond, which lasts
 * until the year 2109.
 */

/**
 * More writes than one store takes in a millisecond, so that versions do not run ahead of the time.
 */
const VERSIONS_PER_MS = 2048;

/**
 * The version of the next write. Throws when the clock is so wrong that versions would stop to
 * grow.
 */
export function nextVersion(last: number, nowMs: number): number {
  const version = Math.max(last + 1, Math.floor(nowMs) * VERSIONS_PER_MS);
  if (!Number.isSafeInteger(version)) {
    throw new RangeError(`no version after ${last} at ${nowMs} ms: check the clock`);
  }
  return version;
}

/**
 * The number of a version. One that is too large to be exact is still larger than all that were
 * given out.
 */
export function versionNumber(text: string): number {
  if (!/^[0-9]+$/.test(text)) throw new RangeError(`not a version: ${JSON.stringify(text)}`);
  return Number(text);
}

/** A version of so long before; none of before the first one. */
export function earlierVersion(version: string, ms: number): string {
  return String(Math.max(0, versionNumber(version) - ms * VERSIONS_PER_MS));
}
