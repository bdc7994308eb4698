/**
 * Attempts: the launch that is intended (architecture D4), and what of a pod belongs to one attempt
 * only.
 *
 * Invariants:
 *  A1 The intent is on the pod before its task is asked for; the task's id follows from pod and
 *     attempt.
 *  A2 An attempt begins with every container that it runs in `waiting` (container-status.ts counts
 *     on it).
 *  A3 A refusal is the answer to one question. The same question may be under way from another
 *     process, and be answered otherwise: until it must have ended, the attempt is neither followed
 *     by another nor forgotten (S1, S5).
 */
import type { Container } from '../../api/kinds/container.ts';
import type { ContainerStatus, Pod, PodControl, PodStatus } from '../../api/kinds/pod.ts';
import { batchTaskIdOf, taskIdOf } from '../../api/task.ts';
import type { Action } from '../plan.ts';
import { awaitingStart, hasSucceeded, unheardOf } from './container-status.ts';

type StopAction = Extract<Action, { kind: 'stopTask' }>;

/** The task of the pod's present attempt, be it alive or not; undefined before the first. */
export function currentTaskId(pod: Pod): string | undefined {
  const attempt = pod.control?.attempt;
  return attempt === undefined ? undefined : taskIdOfAttempt(pod, attempt);
}

/** The task of any attempt of the pod: the first may have been asked for with others (batch.ts). */
export function taskIdOfAttempt({ metadata, control }: Pod, attempt: number): string {
  const { batch } = control ?? {};
  return batch && attempt === 1
    ? batchTaskIdOf(batch.token, batch.at)
    : taskIdOf(metadata.uid, attempt);
}

/** A task of the pod may be alive: it was asked for, and its end has not been seen. */
export function mayHaveTask(pod: Pod): boolean {
  return pod.control?.attempt !== undefined && pod.control.taskStopped !== true;
}

/**
 * How long a launch may be under way: a function that asks ends within a minute, and what it sent
 * has landed, or was dropped, a minute later.
 */
export const QUESTION_MS = 120_000;

/** Until when a launch that was refused here may still succeed for somebody else (A3). */
export function askedUntilMs({ control }: Pod): number | undefined {
  return control?.refusedAtMs === undefined ? undefined : control.refusedAtMs + QUESTION_MS;
}

/** The attempt was refused, and may start all the same. */
export function mayBeAskedFor(pod: Pod, nowMs: number): boolean {
  return nowMs < (askedUntilMs(pod) ?? -Infinity);
}

/** Whether no task of the pod can be alive: none was ever intended, or the last one has ended. */
export function hasNoTask(pod: Pod, nowMs: number): boolean {
  if (pod.control?.attempt === undefined) return true;
  return !mayHaveTask(pod) && !mayBeAskedFor(pod, nowMs);
}

/** The runtime has answered for the present attempt. */
export function isAnswered(pod: Pod): boolean {
  return pod.control?.taskId !== undefined;
}

/** What the runtime calls the task of the present attempt, where that is not its id. */
export function handleOf(pod: Pod): string | undefined {
  const taskId = pod.control?.taskId;
  return taskId === currentTaskId(pod) ? undefined : taskId;
}

/** Asks the task of the present attempt to stop; it is there, for all that is known. */
export function stopOf(pod: Pod, graceSeconds: number): StopAction {
  const handle = handleOf(pod);
  const taskId = currentTaskId(pod) ?? '';
  return { kind: 'stopTask', taskId, graceSeconds, ...(handle === undefined ? {} : { handle }) };
}

/** The pod with the intent to launch this attempt. */
export function withIntent(pod: Pod, attempt: number, nowMs: number): Pod {
  const { auditId, failures, crashes, batch, gpuDevices, noCapacity, decision } = pod.control ?? {};
  const control: PodControl = {
    attempt,
    intentAtMs: nowMs,
    ...(auditId === undefined ? {} : { auditId }),
    ...(failures ? { failures } : {}),
    ...(crashes ? { crashes } : {}),
    ...(noCapacity ? { noCapacity } : {}),
    // A pod keeps its devices as long as it is on its node.
    ...(gpuDevices ? { gpuDevices } : {}),
    ...(batch ? { batch: { token: batch.token, at: batch.at } } : {}),
    ...(decision ? { decision } : {}),
  };
  return { ...pod, control, status: begun(pod, nowMs) };
}

/**
 * Under OnFailure, containers that have succeeded are done with; every other attempt runs all of
 * them.
 */
export function runsAgain(pod: Pod, status: ContainerStatus | undefined): boolean {
  return !(pod.spec.restartPolicy === 'OnFailure' && status !== undefined && hasSucceeded(status));
}

function begun(pod: Pod, nowMs: number): PodStatus {
  const { containerStatuses, initContainerStatuses } = pod.status;
  if (!containerStatuses && !initContainerStatuses) return pod.status;
  const reason = waitingReason(pod);
  return {
    ...pod.status,
    ...(initContainerStatuses
      ? { initContainerStatuses: initContainerStatuses.map((s) => awaitingStart(s, reason, nowMs)) }
      : {}),
    ...(containerStatuses
      ? {
          containerStatuses: containerStatuses.map((s) =>
            runsAgain(pod, s) ? awaitingStart(s, reason, nowMs) : s,
          ),
        }
      : {}),
  };
}

/** What a container of the pod waits for before anything is known. */
export function waitingReason(pod: Pod): string {
  return (pod.spec.initContainers?.length ?? 0) > 0 ? 'PodInitializing' : 'ContainerCreating';
}

/** The statuses of these containers, in their order; those not heard of yet wait. */
export function statusesOf(
  pod: Pod,
  containers: readonly Container[],
  known: readonly ContainerStatus[] | undefined,
): readonly ContainerStatus[] {
  return containers.map(
    (container) =>
      known?.find(({ name }) => name === container.name) ??
      unheardOf(container, waitingReason(pod)),
  );
}

/** A later attempt than this one is intended: a task of this one that lives is one too many. */
export function isSuperseded(pod: Pod, attempt: number): boolean {
  return attempt < (pod.control?.attempt ?? 0);
}
