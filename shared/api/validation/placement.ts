/** What the metadata of a pod, or of a template of pods, says of where it is to run. */
import { CAPACITY_PREFERENCE, parseCapacityPreference } from '../capacity-preference.ts';
import type { ObjectMeta } from '../meta.ts';
import type { Faults } from './faults.ts';
import { checkGangOf } from './gang.ts';

/** `field`: of the metadata. */
export function checkPlacement(
  metadata: Pick<ObjectMeta, 'labels' | 'annotations'>,
  field: string,
  faults: Faults,
): void {
  checkGangOf(metadata, field, faults);
  const text = metadata.annotations?.[CAPACITY_PREFERENCE];
  const parsed = text === undefined ? [] : parseCapacityPreference(text);
  if (typeof parsed !== 'string') return;
  faults.invalid(`${field}.annotations[${CAPACITY_PREFERENCE}]`, text, parsed);
}
