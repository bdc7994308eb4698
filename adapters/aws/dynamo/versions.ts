/**
 * The versions that this process gives: the time, made to grow. It does not follow versions of
 * objects that are ahead of it, so that one wrong clock does not spread.
 */
import { nextVersion } from '../../../shared/api/versions.ts';
import type { Clock } from '../../../shared/ports/clock.ts';

export const VERSIONS_PER_MS = 2048;

export class Versions {
  readonly #clock: Clock;
  #given = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The version of a write on an object whose last version is `above`. */
  next(above: number): number {
    this.#given = nextVersion(this.#given, this.#clock.nowMs());
    return Math.max(this.#given, above + 1);
  }

  /** Nothing that this process wrote is later, unless its object was ahead. */
  present(): number {
    return Math.max(this.#given, Math.floor(this.#clock.nowMs()) * VERSIONS_PER_MS);
  }
}

export function timeOf(version: number): number {
  return version / VERSIONS_PER_MS;
}
