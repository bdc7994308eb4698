/** A planted defect, and what it makes of a module's text. */

export interface Patch {
  readonly what: string;
  readonly file: string;
  /** Text that the file has once. */
  readonly find: string;
  readonly replace: string;
  /**
   * What of the simulation is there to catch it, as arguments of `npm run sim`: tried first. A run
   * fails by an invariant all the same.
   */
  readonly hint?: readonly string[];
  /** Only the adapters of AWS have it. */
  readonly aws?: true;
  /** Why nothing can be seen of it, where that is so. */
  readonly equivalent?: string;
}

export interface Patches {
  readonly [name: string]: Patch;
}

export const DEFECT_VARIABLE = 'NULLPLANE_DEFECT';

/** Throws unless the text has what is to be replaced exactly once. */
export function patched(text: string, { file, find, replace }: Patch): string {
  const [before, after, ...others] = text.split(find);
  if (before === undefined || after === undefined || others.length > 0) {
    throw new Error(`${file} does not have this exactly once: ${find}`);
  }
  return before + replace + after;
}
