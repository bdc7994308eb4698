/** The status of a ReplicaSet, counted from its pods. */
import { withCondition, withoutCondition } from '../../api/conditions.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { ReplicaSet, ReplicaSetStatus } from '../../api/kinds/workloads.ts';
import type { Labels } from '../../api/meta.ts';
import { matchesLabels } from '../../api/selectors.ts';
import { present } from '../counts.ts';
import { remembered } from '../remembered.ts';
import { availableInMs } from './availability.ts';
import { factsOf } from './facts.ts';

export interface Counted {
  readonly status: ReplicaSetStatus;
  /** When the next ready pod becomes available; undefined when none is about to. */
  readonly nextAvailableInMs: number | undefined;
}

/** What keeps the set from making its pods, as its ReplicaFailure condition says. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
}

/**
 * `settled` says that the number of pods is as the present generation wants it. Only then is that
 * generation observed: who reads `observedGeneration` may rely on the counts being those of the
 * replicas asked for.
 */
export function statusOf(
  set: ReplicaSet,
  pods: readonly Pod[],
  { settled, failure }: { readonly settled: boolean; readonly failure: Failure | undefined },
  nowMs: number,
): Counted {
  const counts = countsOf(set, pods, nowMs);
  const observed = settled ? set.metadata.generation : set.status.observedGeneration;
  const conditions = conditionsOf(set, failure, nowMs);
  const { active, nextAvailableInMs, ...others } = counts;
  return {
    status: {
      replicas: active,
      ...present({ ...others, observedGeneration: observed ?? 0 }),
      ...(conditions.length > 0 ? { conditions } : {}),
    },
    nextAvailableInMs,
  };
}

const hasLabels = remembered((labels: Labels) =>
  remembered((pod: Pod) => matchesLabels(labels, pod.metadata.labels)),
);

function countsOf({ spec }: ReplicaSet, pods: readonly Pod[], nowMs: number) {
  const isFullyLabeled = hasLabels(spec.template?.metadata.labels ?? {});
  let active = 0;
  let fullyLabeledReplicas = 0;
  let readyReplicas = 0;
  let availableReplicas = 0;
  let terminatingReplicas = 0;
  let nextAvailableInMs: number | undefined;
  for (const pod of pods) {
    const facts = factsOf(pod);
    if (facts.isTerminating) terminatingReplicas++;
    if (!facts.isActive) continue;
    active++;
    if (isFullyLabeled(pod)) fullyLabeledReplicas++;
    const inMs = availableInMs(pod, spec.minReadySeconds, nowMs);
    if (inMs === undefined) continue;
    readyReplicas++;
    if (inMs === 0) availableReplicas++;
    else nextAvailableInMs = Math.min(nextAvailableInMs ?? Infinity, inMs);
  }
  return {
    active,
    fullyLabeledReplicas,
    readyReplicas,
    availableReplicas,
    terminatingReplicas,
    nextAvailableInMs,
  };
}

function conditionsOf(set: ReplicaSet, failure: Failure | undefined, nowMs: number) {
  const { conditions } = set.status;
  if (!failure) return withoutCondition(conditions, 'ReplicaFailure');
  return withCondition(conditions, { type: 'ReplicaFailure', status: 'True', ...failure }, nowMs);
}
