/** What a ReplicaSet counts of a pod: found once for each version of the pod. */
import { findCondition } from '../../api/conditions.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { parseTime } from '../../api/time.ts';
import { isTerminal, podIsActive, podIsReady } from '../pod/predicates.ts';
import { remembered } from '../remembered.ts';

export interface PodFacts {
  readonly isActive: boolean;
  readonly isTerminating: boolean;
  /** It has come to its end, and nobody has asked for its removal yet. */
  readonly isLeftOver: boolean;
  /** Since when it has been ready; undefined while it is not. */
  readonly readySinceMs: number | undefined;
}

export const factsOf: (pod: Pod) => PodFacts = remembered((pod: Pod) => {
  const isTerminating = pod.metadata.deletionTimestamp !== undefined;
  return {
    isActive: podIsActive(pod),
    isTerminating,
    isLeftOver: isTerminal(pod) && !isTerminating,
    readySinceMs: readySinceMs(pod),
  };
});

function readySinceMs(pod: Pod): number | undefined {
  if (!podIsReady(pod)) return undefined;
  return parseTime(findCondition(pod.status.conditions, 'Ready')?.lastTransitionTime) ?? 0;
}
