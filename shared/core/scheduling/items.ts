/** The queue of a pass: pods one by one, gangs as one, in the order of who comes first of each. */
import type { Pod } from '../../api/kinds/pod.ts';
import type { PodGroup } from '../../api/kinds/scheduling.ts';
import { type Gang, type GroupsByKey, gangOf, groupsByKey } from './gang/membership.ts';
import { isPlaced } from './pending.ts';
import type { Item } from './run.ts';

export interface Queue {
  readonly items: readonly Item[];
  /** Pods whose gang can't be told, and what is wrong. */
  readonly problems: ReadonlyMap<Pod, string>;
}

interface Waiting {
  gang: Gang;
  readonly pods: Pod[];
}

/** `pending`: in the order of the queue. */
export function queueOf(
  pending: readonly Pod[],
  pods: readonly Pod[],
  groups: readonly PodGroup[],
): Queue {
  const byKey = groupsByKey(groups);
  const problems = new Map<Pod, string>();
  const gangs = new Map<string, Waiting>();
  const entries: (Pod | Waiting)[] = [];
  for (const pod of pending) {
    const gang = gangOf(pod, byKey);
    if (gang === undefined) entries.push(pod);
    else if (typeof gang === 'string') problems.set(pod, gang);
    else {
      const known = gangs.get(gang.key);
      if (known) join(known, pod, gang);
      else {
        const waiting = { gang, pods: [pod] };
        gangs.set(gang.key, waiting);
        entries.push(waiting);
      }
    }
  }
  const placed = gangs.size > 0 ? placedByGang(pods, byKey) : new Map<string, number>();
  const items = entries.map((entry): Item => {
    if (!('gang' in entry)) return { pod: entry };
    return { ...entry, placed: placed.get(entry.gang.key) ?? 0 };
  });
  return { items, problems };
}

/** Of different numbers that pods of one gang give, the largest is safe. */
function join(waiting: Waiting, pod: Pod, gang: Gang): void {
  waiting.pods.push(pod);
  if (gang.minMember > waiting.gang.minMember) waiting.gang = gang;
}

function placedByGang(pods: readonly Pod[], groups: GroupsByKey): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const pod of pods) {
    if (!isPlaced(pod) || pod.metadata.deletionTimestamp !== undefined) continue;
    const gang = gangOf(pod, groups);
    if (typeof gang !== 'object') continue;
    counts.set(gang.key, (counts.get(gang.key) ?? 0) + 1);
  }
  return counts;
}
