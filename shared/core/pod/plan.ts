/**
 * The life of a bound pod: intent, launch, end, back-off, next attempt, deadline. Pure. Deletion
 * and stopping are stop.ts; what is learned of a task is folded in by observe.ts; where a pod goes
 * is the scheduler's; what becomes of pods on lost nodes is the node controller's (core/node).
 *
 * Invariants:
 *  Q1 One effect a step: each write wakes the pod again, and the next look decides the next step.
 *  Q2 No launch without its intent on the pod; none for an intent older than `INTENT_MAX_AGE_MS`
 *     without a look-up (S10); no new attempt before the end of the last one is known (S1).
 */
import type { Pod } from '../../api/kinds/pod.ts';
import { keyOf } from '../../api/change.ts';
import { parseTime } from '../../api/time.ts';
import { isPending } from '../scheduling/pending.ts';
import { isReadable } from '../scheduling/shape.ts';
import {
  blocked,
  event,
  eventTarget,
  inOrder,
  NOTHING,
  type Action,
  type Plan,
  sequence,
  update,
} from '../plan.ts';
import { isAnswered, mayHaveTask, QUESTION_MS, taskIdOfAttempt, withIntent } from './attempt.ts';
import { waitsForBatchMs } from './batch.ts';
import { planNextAttempt } from './next-attempt.ts';
import { failed, observeWant } from './observe.ts';
import { isTerminal } from './predicates.ts';
import { goesBack, planSendBack } from './send-back.ts';
import type { Want } from './references.ts';
import { planStop } from './stop.ts';

/** Everything that the decision needs. */
export interface PodSnapshot {
  readonly pod: Pod;
  /** How the pod's node is; `gone` also when there is no such node. */
  readonly node: 'ready' | 'unreachable' | 'gone';
  /** The node is a service that has room of its own, or has not: it is not the pod's only one. */
  readonly isVirtual?: boolean;
  /** What the pod refers to and is not there. Looked up only while a launch is due. */
  readonly want?: Want;
}

/**
 * ECS keeps a launch token for an hour after the task's end at the least; half of that is safe
 * (S10).
 */
export const INTENT_MAX_AGE_MS = 30 * 60_000;

/**
 * A pod that waits for a ConfigMap or Secret is woken by it; this is for the wake that got lost.
 */
const WANT_RECHECK_MS = 300_000;

export function planPod(snapshot: PodSnapshot, nowMs: number): Plan {
  const { pod } = snapshot;
  if (isLeaving(pod)) return planStop(pod, snapshot.node, () => resolution(snapshot, nowMs), nowMs);
  if (!pod.spec.nodeName || isTerminal(pod)) return NOTHING;
  const deadlineMs = deadlineOf(pod);
  if (deadlineMs === undefined) return planLife(snapshot, nowMs);
  if (deadlineMs <= nowMs) return planDeadline(pod, nowMs);
  const timer: Plan = { ...NOTHING, againAfterMs: deadlineMs - nowMs };
  return sequence(planLife(snapshot, nowMs), timer);
}

/** The pod has no use for a task any more, but one may be alive, or the object is to go. */
function isLeaving(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined || (isTerminal(pod) && mayHaveTask(pod));
}

/**
 * Whether there may be something to do for the pod. Most changes of pods are of ones that simply
 * run; those need no look, and a look that is missed is made up for by the sweep.
 */
export function needsLook(pod: Pod): boolean {
  if (isLeaving(pod)) return true;
  if (!pod.spec.nodeName || isTerminal(pod)) return false;
  return !isAnswered(pod) || !mayHaveTask(pod) || pod.spec.activeDeadlineSeconds !== undefined;
}

/** Whether a launch is due, so that what the pod refers to matters. */
export function launchIsDue(pod: Pod): boolean {
  return Boolean(pod.spec.nodeName) && mayHaveTask(pod) && !isAnswered(pod);
}

function planLife(snapshot: PodSnapshot, nowMs: number): Plan {
  const { pod, node } = snapshot;
  if (isAnswered(pod) && mayHaveTask(pod)) return NOTHING;
  if (node === 'unreachable') return blocked(`node ${pod.spec.nodeName} is unreachable`);
  if (node === 'gone') return blocked(`node ${pod.spec.nodeName} is gone`);
  // A node named in the manifest is a wish: the scheduler enters it in the node's ledger first
  // (S2).
  if (isPending(pod)) return blocked('waits for the scheduler');
  // Bound by another scheduler than ours: nobody has written the intent.
  if (pod.control?.attempt === undefined) return inOrder(update('pods', withIntent(pod, 1, nowMs)));
  if (!mayHaveTask(pod)) {
    return snapshot.isVirtual && goesBack(pod)
      ? planSendBack(pod, nowMs)
      : planNextAttempt(pod, nowMs);
  }
  const waitMs = waitsForBatchMs(pod, nowMs);
  if (waitMs !== undefined) return { ...blocked('is asked for with others'), againAfterMs: waitMs };
  return snapshot.want ? planWant(pod, snapshot.want, nowMs) : resolution(snapshot, nowMs);
}

/**
 * Finds out what the intent has come to. Running it again is harmless and the surest way, while it
 * is young.
 */
function resolution({ pod, want }: PodSnapshot, nowMs: number): Plan {
  const { attempt = 1, intentAtMs = 0 } = pod.control ?? {};
  const isOld = nowMs - intentAtMs > INTENT_MAX_AGE_MS;
  const of = { pod: keyOf('pods', pod), podUid: pod.metadata.uid, attempt };
  const isSpoilt = isLeaving(pod) && !isReadable(pod);
  const underWayMs = intentAtMs + QUESTION_MS - nowMs;
  // A pod that is asked for once more needs no such wait: one answer is for both.
  if (isSpoilt && underWayMs > 0) {
    return { ...blocked('its launch may still arrive'), againAfterMs: underWayMs };
  }
  // Without what it refers to the pod can't be run, so that looking is all that can be done; nor if
  // it was spoilt since, and is to go.
  if (isOld || want || isSpoilt) {
    return inOrder({ kind: 'lookUpTask', ...of, taskId: taskIdOfAttempt(pod, attempt) });
  }
  return inOrder({ kind: 'runTask', ...of });
}

function planWant(pod: Pod, want: Want, nowMs: number): Plan {
  const next = observeWant(pod, want, nowMs);
  const waits = {
    ...blocked(`waits for ${want.waitsFor.join(', ')}`),
    againAfterMs: WANT_RECHECK_MS,
  };
  if (!next) return waits;
  return sequence({ ...NOTHING, stages: [[update('pods', next)], wantEvents(pod, want)] }, waits);
}

function wantEvents(pod: Pod, want: Want): Action[] {
  const about = eventTarget('pods', pod);
  if (want.volume !== undefined) return [event(about, 'Warning', 'FailedMount', want.volume)];
  const lacks = new Set(Object.values(want.containers));
  return [...lacks].map((lack) => event(about, 'Warning', 'Failed', `Error: ${lack}`));
}

function deadlineOf({ spec, status }: Pod): number | undefined {
  const startMs = parseTime(status.startTime);
  if (startMs === undefined || spec.activeDeadlineSeconds === undefined) return undefined;
  return startMs + spec.activeDeadlineSeconds * 1000;
}

function planDeadline(pod: Pod, nowMs: number): Plan {
  const message = 'Pod was active on the node longer than the specified deadline';
  return inOrder(
    update('pods', failed(pod, 'DeadlineExceeded', message, nowMs)),
    event(eventTarget('pods', pod), 'Normal', 'DeadlineExceeded', message),
  );
}
