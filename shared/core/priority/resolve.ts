/**
 * Priority: what the class that a pod names, or the default one, makes of the pod. Pure; the API
 * server asks for pods that clients create, controllers for those that they make. Owns the rule and
 * the words of a refusal, which are Kubernetes'.
 *
 * Source: Kubernetes, "Pod Priority and Preemption", and its Priority admission.
 */
import type { PodSpec } from '../../api/kinds/pod.ts';
import type { PriorityClass } from '../../api/kinds/scheduling.ts';
import { DEFAULT_PRIORITY, SYSTEM_PRIORITY_CLASSES } from '../../api/priority.ts';

/** What a class gives its pods. */
type Given = Pick<PodSpec, 'priority' | 'preemptionPolicy' | 'priorityClassName'>;

/** What of a class counts. */
export type ClassFacts = Pick<PriorityClass, 'value' | 'preemptionPolicy' | 'globalDefault'> & {
  readonly metadata: Pick<PriorityClass['metadata'], 'name'>;
};

const NO_CLASS: Given = { priority: DEFAULT_PRIORITY, preemptionPolicy: 'PreemptLowerPriority' };

/** The system's classes count although somebody has not made them yet. */
const SYSTEM_CLASSES: readonly ClassFacts[] = SYSTEM_PRIORITY_CLASSES.map(({ name, value }) => ({
  metadata: { name },
  value,
  preemptionPolicy: 'PreemptLowerPriority',
}));

/**
 * The class that pods without one are of. Should two have been marked at the same time, the lesser
 * counts, and of two equal ones the one whose name comes first.
 */
export function defaultClass(classes: readonly ClassFacts[]): ClassFacts | undefined {
  const byName = (a: ClassFacts, b: ClassFacts) => (a.metadata.name < b.metadata.name ? -1 : 1);
  const marked = classes.filter(({ globalDefault }) => globalDefault);
  return marked.sort((a, b) => a.value - b.value || byName(a, b))[0];
}

/** The spec with its priority; or why there can be no such pod. `classes` are all there are. */
export function withPriority<S extends Given>(spec: S, classes: readonly ClassFacts[]): S | string {
  const given = classOf(spec.priorityClassName, classes);
  if (typeof given === 'string') return given;
  const { priority, preemptionPolicy } = spec;
  if (priority !== undefined && priority !== given.priority) {
    return (
      `the integer value of priority (${priority}) must not be provided in pod spec; priority ` +
      `admission controller computed ${given.priority} from the given PriorityClass name`
    );
  }
  if (preemptionPolicy !== undefined && preemptionPolicy !== given.preemptionPolicy) {
    return (
      `the string value of PreemptionPolicy (${preemptionPolicy}) must not be provided in pod ` +
      `spec; priority admission controller computed ${given.preemptionPolicy} from the given ` +
      `PriorityClass name`
    );
  }
  return { ...spec, ...given };
}

function classOf(name: string | undefined, classes: readonly ClassFacts[]): Given | string {
  const found = name
    ? [...classes, ...SYSTEM_CLASSES].find(({ metadata }) => metadata.name === name)
    : defaultClass(classes);
  if (!found) return name ? `no PriorityClass with name ${name} was found` : NO_CLASS;
  const { value, preemptionPolicy, metadata } = found;
  return { priority: value, preemptionPolicy, priorityClassName: metadata.name };
}
