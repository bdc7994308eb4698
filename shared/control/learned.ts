/** What is said, counted and folded into a pod when the runtime has answered for its launch. */
import type { Pod } from '../api/kinds/pod.ts';
import { taskIdOfAttempt } from '../core/pod/attempt.ts';
import { type LaunchFailure, observeLaunchFailure, observeTask } from '../core/pod/observe.ts';
import { type BatchAnswer, NoCapacity, TaskRejected } from '../ports/runtime.ts';
import type { Effects } from './effects.ts';
import { auditIdOf } from './trace.ts';

export type Fold = (pod: Pod, nowMs: number) => Pod | undefined;

/** Says what came of the launch, and what the pod is to make of it. */
export function learned(pod: Pod, attempt: number, answer: BatchAnswer, effects: Effects): Fold {
  if (!isRefusal(answer)) {
    tellLaunch(pod, attempt, effects);
    return (current, nowMs) => observeTask(current, answer, nowMs);
  }
  const failure = failureOf(answer);
  tellRefusal(pod, attempt, failure, effects);
  return (current, nowMs) => observeLaunchFailure(current, attempt, failure, nowMs);
}

/** The end of a request's way: its audit id is in the log beside the task (trace.ts). */
function tellLaunch(pod: Pod, attempt: number, { recorder, clock }: Effects): void {
  recorder.log({ level: 'info', message: 'task launched', fields: launchFields(pod, attempt) });
  recorder.measure({ name: 'TasksLaunched', value: 1, unit: 'Count' });
  const sinceMs = clock.nowMs() - (pod.control?.intentAtMs ?? clock.nowMs());
  recorder.measure({ name: 'LaunchLatency', value: sinceMs, unit: 'Milliseconds' });
}

function tellRefusal(
  pod: Pod,
  attempt: number,
  { reason, message }: LaunchFailure,
  { recorder }: Effects,
): void {
  const fields = { ...launchFields(pod, attempt), reason, problem: message };
  recorder.log({ level: 'info', message: 'task not launched', fields });
  const dimensions = { Reason: reason };
  recorder.measure({ name: 'LaunchFailures', value: 1, unit: 'Count', dimensions });
}

function launchFields(pod: Pod, attempt: number) {
  const { namespace, name } = pod.metadata;
  const auditId = auditIdOf(pod);
  const task = taskIdOfAttempt(pod, attempt);
  return { auditId, pod: `${namespace}/${name}`, task, node: pod.spec.nodeName };
}

type Refusal = NoCapacity | TaskRejected;

export function isRefusal(value: unknown): value is Refusal {
  return value instanceof NoCapacity || value instanceof TaskRejected;
}

function failureOf(refusal: Refusal): LaunchFailure {
  const { message } = refusal;
  if (refusal instanceof TaskRejected) return { kind: 'rejected', reason: refusal.reason, message };
  return { kind: 'noCapacity', reason: 'NoCapacity', message };
}
