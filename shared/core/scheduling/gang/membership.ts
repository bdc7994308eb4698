/**
 * Which gang a pod is of: pods that are placed all together or not at all. A pod names its PodGroup
 * by a label; or, without such an object, says itself which gang it is of and how many there are to
 * be. Pure. Owns the two notations; what becomes of a gang is the scheduler's.
 */
import {
  GANG_MIN_AVAILABLE,
  GANG_NAME,
  GANG_SIZE,
  POD_GROUP_LABEL,
} from '../../../api/gang-names.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { PodGroup } from '../../../api/kinds/scheduling.ts';
import type { Labels } from '../../../api/meta.ts';

export { GANG_MIN_AVAILABLE, GANG_NAME, POD_GROUP_LABEL };

/** How long placed pods wait for the others where nobody says; the plugin's own figure. */
export const DEFAULT_GANG_TIMEOUT_SECONDS = 60;

export interface Gang {
  /** `namespace/name`; the same for all pods of the gang, whichever way they name it. */
  readonly key: string;
  /** At least 1. */
  readonly minMember: number;
  readonly timeoutSeconds: number;
  /** Absent where the pods alone make the gang. */
  readonly group?: PodGroup;
}

/** The groups as `gangOf` looks them up. */
export type GroupsByKey = ReadonlyMap<string, PodGroup>;

export function groupsByKey(groups: readonly PodGroup[]): GroupsByKey {
  return new Map(groups.map((group) => [keyOfGang(group, group.metadata.name), group]));
}

function keyOfGang({ metadata }: Pick<Pod, 'metadata'>, name: string): string {
  return `${metadata.namespace ?? ''}/${name}`;
}

/** The PodGroup that the pod names; undefined for one that names none. */
export function podGroupOf({ metadata }: Pod): string | undefined {
  return metadata.labels?.[POD_GROUP_LABEL] || undefined;
}

/** The key of the gang that the pod says it is of; undefined if of none. */
export function gangKeyOf(pod: Pod): string | undefined {
  const name = podGroupOf(pod) ?? valueOf(pod, GANG_NAME);
  return name ? keyOfGang(pod, name) : undefined;
}

export function isOfGang(pod: Pod): boolean {
  return gangKeyOf(pod) !== undefined;
}

/**
 * The gang of the pod; undefined for a pod of none, and a text, for people, for one that can't be
 * placed since its gang can't be told. `groups`: at least those of the pod's namespace.
 */
export function gangOf(pod: Pod, groups: GroupsByKey): Gang | string | undefined {
  const named = podGroupOf(pod);
  const name = named ?? valueOf(pod, GANG_NAME);
  if (!name) return undefined;
  const key = keyOfGang(pod, name);
  const group = groups.get(key);
  if (group) return gangOfGroup(key, group);
  if (named !== undefined) return `PodGroup ${JSON.stringify(named)} not found`;
  const given = valueOf(pod, GANG_MIN_AVAILABLE) ?? '';
  if (GANG_SIZE.test(given)) {
    return { key, minMember: Number(given), timeoutSeconds: DEFAULT_GANG_TIMEOUT_SECONDS };
  }
  return `${GANG_MIN_AVAILABLE} must be a number of pods, and is ${JSON.stringify(given)}`;
}

function gangOfGroup(key: string, group: PodGroup): Gang {
  const { minMember, scheduleTimeoutSeconds = DEFAULT_GANG_TIMEOUT_SECONDS } = group.spec;
  return { key, minMember, timeoutSeconds: scheduleTimeoutSeconds, group };
}

/** The name of the gang that pods with these labels are of, whichever way it is written. */
export function gangName({ labels }: { readonly labels: Labels }): string | undefined {
  return labels[POD_GROUP_LABEL] ?? labels[GANG_NAME];
}

function valueOf({ metadata }: Pod, key: string): string | undefined {
  return metadata.labels?.[key] ?? metadata.annotations?.[key];
}
