/** What the metadata of a pod, or of a template of pods, says of where it is to run. */
import { CAPACITY_PREFERENCE, parseCapacityPreference } from '../capacity-preference.ts';
import type { ObjectMeta } from '../meta.ts';
import { parseSpillBack, SPILL_BACK } from '../spill-back.ts';
import type { Faults } from './faults.ts';
import { checkGangOf } from './gang.ts';

/** What annotations mean; a text says what is wrong with one. */
const PARSERS: { readonly [annotation: string]: (text: string) => unknown } = {
  [CAPACITY_PREFERENCE]: parseCapacityPreference,
  [SPILL_BACK]: parseSpillBack,
};

/** `field`: of the metadata. */
export function checkPlacement(
  metadata: Pick<ObjectMeta, 'labels' | 'annotations'>,
  field: string,
  faults: Faults,
): void {
  checkGangOf(metadata, field, faults);
  for (const [annotation, parse] of Object.entries(PARSERS)) {
    const text = metadata.annotations?.[annotation];
    const parsed = text === undefined ? undefined : parse(text);
    if (typeof parsed !== 'string') continue;
    faults.invalid(`${field}.annotations[${annotation}]`, text, parsed);
  }
}
