/** The status of a ReplicaSet, counted from its pods. */
import { withCondition, withoutCondition } from '../../api/conditions.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { ReplicaSet, ReplicaSetStatus } from '../../api/kinds/workloads.ts';
import { matchesLabels } from '../../api/selectors.ts';
import { podIsActive, podIsReady } from '../pod/predicates.ts';
import { present } from '../counts.ts';
import { availableInMs } from './availability.ts';

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
  const active = pods.filter(podIsActive);
  const waits = active.flatMap((pod) => availableInMs(pod, set.spec.minReadySeconds, nowMs) ?? []);
  const later = waits.filter((ms) => ms > 0);
  const terminating = pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined);
  const observed = settled ? set.metadata.generation : set.status.observedGeneration;
  const labels = set.spec.template?.metadata.labels ?? {};
  const conditions = conditionsOf(set, failure, nowMs);
  return {
    status: {
      replicas: active.length,
      ...present({
        fullyLabeledReplicas: active.filter((p) => matchesLabels(labels, p.metadata.labels)).length,
        readyReplicas: active.filter(podIsReady).length,
        availableReplicas: waits.length - later.length,
        terminatingReplicas: terminating.length,
        observedGeneration: observed ?? 0,
      }),
      ...(conditions.length > 0 ? { conditions } : {}),
    },
    nextAvailableInMs: later.length > 0 ? Math.min(...later) : undefined,
  };
}

function conditionsOf(set: ReplicaSet, failure: Failure | undefined, nowMs: number) {
  const { conditions } = set.status;
  if (!failure) return withoutCondition(conditions, 'ReplicaFailure');
  return withCondition(conditions, { type: 'ReplicaFailure', status: 'True', ...failure }, nowMs);
}
