/** The queue of a pass: pods one by one, gangs as one, in the order of who comes first of each. */
import type { Pod } from '../../api/kinds/pod.ts';
import type { PodGroup } from '../../api/kinds/scheduling.ts';
import { rfc3339 } from '../../api/time.ts';
import { backsOffMs } from '../podgroup/control.ts';
import {
  type Gang,
  GANG_MIN_AVAILABLE,
  type GroupsByKey,
  gangOf,
  groupsByKey,
} from './gang/membership.ts';
import { isPlaced } from './pending.ts';
import type { Item } from './run.ts';

export interface Queue {
  readonly items: readonly Item[];
  /** Pods whose gang can't be told, or is left alone for now, and what is wrong. */
  readonly problems: ReadonlyMap<Pod, string>;
  /** When the first of the gangs that are left alone is tried again. */
  readonly againAfterMs?: number;
}

interface Waiting {
  readonly gang: Gang;
  readonly pods: Pod[];
  /** What the pods say, each for itself, of how many they are. */
  readonly sizes: Set<number>;
}

/** `pending`: in the order of the queue; `pods`: at least all pods of gangs. */
export function queueOf(
  pending: readonly Pod[],
  pods: readonly Pod[],
  groups: readonly PodGroup[],
  nowMs: number,
): Queue {
  const byKey = groupsByKey(groups);
  const problems = new Map<Pod, string>();
  const waits: number[] = [];
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
        const waiting = { gang, pods: [pod], sizes: new Set([gang.minMember]) };
        gangs.set(gang.key, waiting);
        entries.push(waiting);
      }
    }
  }
  const placed = gangs.size > 0 ? placedByGang(pods, byKey) : new Map<string, number>();
  const items = entries.flatMap((entry): readonly Item[] => {
    if (!('gang' in entry)) return [{ pod: entry }];
    const problem = disagreement(entry) ?? backOff(entry, waits, nowMs);
    if (problem === undefined) return [{ ...entry, placed: placed.get(entry.gang.key) ?? 0 }];
    for (const pod of entry.pods) problems.set(pod, problem);
    return [];
  });
  return { items, problems, ...(waits.length > 0 ? { againAfterMs: Math.min(...waits) } : {}) };
}

function join(waiting: Waiting, pod: Pod, { minMember }: Gang): void {
  waiting.pods.push(pod);
  waiting.sizes.add(minMember);
}

/** Pods that make a gang by themselves each say how many they are: it must be the same number. */
function disagreement({ gang, sizes }: Waiting): string | undefined {
  if (sizes.size === 1) return undefined;
  const said = [...sizes].sort((a, b) => a - b).join(', ');
  return `the pods of gang ${gang.key} do not agree on ${GANG_MIN_AVAILABLE}: ${said}`;
}

/** Without the time that is left: a message that changes would be written again and again. */
function backOff({ gang }: Waiting, waits: number[], nowMs: number): string | undefined {
  const leftMs = gang.group && backsOffMs(gang.group, nowMs);
  if (leftMs === undefined) return undefined;
  waits.push(leftMs);
  const again = rfc3339(nowMs + leftMs);
  return `its gang ${gang.key} was not whole in time, and is tried again at ${again}`;
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
