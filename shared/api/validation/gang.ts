/** What a pod, or a template of pods, says of its gang: one gang, of a number of pods. */
import { GANG_MIN_AVAILABLE, GANG_NAME, GANG_SIZE, POD_GROUP_LABEL } from '../gang-names.ts';
import type { ObjectMeta } from '../meta.ts';
import type { Faults } from './faults.ts';

type Told = Pick<ObjectMeta, 'labels' | 'annotations'>;

/** `field`: of the metadata. */
export function checkGangOf(
  { labels = {}, annotations = {} }: Told,
  field: string,
  faults: Faults,
) {
  const places = [
    ['labels', labels],
    ['annotations', annotations],
  ] as const;
  for (const [place, values] of places) {
    const size = values[GANG_MIN_AVAILABLE];
    if (size === undefined || GANG_SIZE.test(size)) continue;
    const path = `${field}.${place}[${GANG_MIN_AVAILABLE}]`;
    faults.invalid(path, size, 'must be a number of pods, 1 or more');
  }
  for (const key of [GANG_NAME, GANG_MIN_AVAILABLE]) {
    const [label, annotation] = [labels[key], annotations[key]];
    if (label === undefined || annotation === undefined || label === annotation) continue;
    const detail = `must be the same as the label, ${JSON.stringify(label)}`;
    faults.invalid(`${field}.annotations[${key}]`, annotation, detail);
  }
  const name = labels[GANG_NAME] ?? annotations[GANG_NAME];
  const group = labels[POD_GROUP_LABEL];
  if (!group || !name || group === name) return;
  const detail = `the pod is of one gang, and ${GANG_NAME} is ${JSON.stringify(name)}`;
  faults.invalid(`${field}.labels[${POD_GROUP_LABEL}]`, group, detail);
}
