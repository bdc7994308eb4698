/**
 * Going back to the kind of capacity that a pod wants, once it is to be had again: an annotation of
 * pods and of their templates. Without it a pod stays where it runs.
 */
import { parseDuration } from './duration.ts';

/** `10m`: how long the pod must have been where it is before it may be moved. */
export const SPILL_BACK = 'nullplane.io/spill-back';

/** Less is no time for a replacement to start, and to be told that there is no room after all. */
export const LEAST_SPILL_BACK_MS = 60_000;

/** Milliseconds, or what is wrong with the text. */
export function parseSpillBack(text: string): number | string {
  const ms = parseDuration(text);
  if (ms === undefined) return 'must be a duration, such as 10m';
  return ms < LEAST_SPILL_BACK_MS ? 'must be 1m at least' : ms;
}
