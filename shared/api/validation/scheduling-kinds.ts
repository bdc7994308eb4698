/** Priority classes and pod groups. The words of the first are the Kubernetes API server's. */
import type { PodGroup, PriorityClass } from '../kinds/scheduling.ts';
import {
  HIGHEST_USER_PRIORITY,
  SYSTEM_CLASS_PREFIX,
  SYSTEM_PRIORITY_CLASSES,
} from '../priority.ts';
import { type Faults, MAX_INT32 } from './faults.ts';
import { checkImmutable } from './metadata.ts';
import { checkAmounts } from './node.ts';

const MIN_INT32 = -2147483648;

export function checkPriorityClass(object: PriorityClass, faults: Faults): void {
  const { metadata, value } = object;
  if (metadata.name.startsWith(SYSTEM_CLASS_PREFIX)) checkSystemClass(object, faults);
  else if (value > HIGHEST_USER_PRIORITY) {
    const most = `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`;
    faults.forbidden('value', most);
  }
  faults.between('value', value, MIN_INT32, MAX_INT32);
}

/** A name with the system's prefix is one of the system's own classes, as they are. */
function checkSystemClass({ metadata, value, globalDefault }: PriorityClass, faults: Faults): void {
  const known = SYSTEM_PRIORITY_CLASSES.find(({ name }) => name === metadata.name);
  const wrong = !known
    ? `${metadata.name} is not a known system priority class`
    : known.value !== value
      ? `value of ${known.name} PriorityClass must be ${known.value}`
      : globalDefault
        ? `globalDefault of ${known.name} PriorityClass must be false`
        : undefined;
  if (wrong === undefined) return;
  const rule = `priority class names with '${SYSTEM_CLASS_PREFIX}' prefix are reserved`;
  faults.forbidden('metadata.name', `${rule} for system use only. error: ${wrong}`);
}

export function checkPriorityClassUpdate(
  next: PriorityClass,
  old: PriorityClass,
  faults: Faults,
): void {
  if (next.value !== old.value) faults.forbidden('value', 'may not be changed in an update.');
  checkImmutable('preemptionPolicy', next.preemptionPolicy, old.preemptionPolicy, faults);
}

export function checkPodGroup({ spec }: PodGroup, faults: Faults): void {
  faults.between('spec.minMember', spec.minMember, 1, MAX_INT32);
  faults.between('spec.scheduleTimeoutSeconds', spec.scheduleTimeoutSeconds, 1, MAX_INT32);
  checkAmounts(spec.minResources, 'spec.minResources', faults);
}
