/**
 * Runs that have found a defect of the product, each with what was wrong: they are run with every
 * test. Seeds mean other runs once what is drawn changes; what they found is then planted again
 * (../defects) to find another that catches it, so that each of these fails with its defect in
 * place.
 */
import type { Job } from '../plans/job.ts';

export interface KnownSeed extends Job {
  /** The planted defect that stands for it. */
  readonly defect: string;
  readonly aws?: true;
  readonly what: string;
}

export const KNOWN_SEEDS: readonly KnownSeed[] = [];
