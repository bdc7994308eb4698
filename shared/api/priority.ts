/**
 * The priority classes that every cluster has, and the bounds of those that people make. Source:
 * Kubernetes, "Pod Priority and Preemption".
 */

/** The largest value of a class that is not the system's. */
export const HIGHEST_USER_PRIORITY = 1_000_000_000;

/** The priority of pods without a class where no class is the default. */
export const DEFAULT_PRIORITY = 0;

export const SYSTEM_CLASS_PREFIX = 'system-';

export interface SystemPriorityClass {
  readonly name: string;
  readonly value: number;
  readonly description: string;
}

export const SYSTEM_PRIORITY_CLASSES: readonly SystemPriorityClass[] = [
  {
    name: 'system-node-critical',
    value: 2_000_001_000,
    description: 'For pods that the node they are on can’t do without: they are not moved.',
  },
  {
    name: 'system-cluster-critical',
    value: 2_000_000_000,
    description: 'For pods that the cluster can’t do without, on whichever node.',
  },
];

export function isSystemPriorityClass(name: string): boolean {
  return SYSTEM_PRIORITY_CLASSES.some((known) => known.name === name);
}
