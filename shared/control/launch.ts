/**
 * Launching and looking up tasks. What the runtime answers is folded into the pod by the same pure
 * functions that health messages go through, so that it does not matter which of the two arrives,
 * or in which order.
 */
import type { Pod } from '../api/kinds/pod.ts';
import { taskIdOf, type TaskState } from '../api/task.ts';
import { mayBeUnlisted } from '../core/health/sweep.ts';
import { isAnswered, mayHaveTask } from '../core/pod/attempt.ts';
import {
  type LaunchFailure,
  observeLaunchFailure,
  observeMissing,
  observeTask,
} from '../core/pod/observe.ts';
import type { Action } from '../core/plan.ts';
import { NoCapacity, TaskRejected } from '../ports/runtime.ts';
import type { Effects } from './effects.ts';
import { foldIntoPod } from './fold.ts';
import { resolveTaskSpec } from './task-spec.ts';
import { auditIdOf } from './trace.ts';

type RunAction = Extract<Action, { kind: 'runTask' }>;
type LookUpAction = Extract<Action, { kind: 'lookUpTask' }>;

/** Runs the pod's attempt, unless the pod has moved on since that was decided. */
export async function runTask(action: RunAction, effects: Effects): Promise<void> {
  const pod = await effects.store.get<Pod>(action.pod);
  if (!pod || !isCurrent(pod, action)) return;
  const launched = await tryRun(pod, action.attempt, effects);
  await foldIntoPod(action.pod, action.podUid, launched, effects);
}

/**
 * Asks what became of an attempt; one that nobody knows is missing. One that was answered for has
 * been there: while it is young, it is not believed to be gone for not being found (S5).
 */
export async function lookUpTask(action: LookUpAction, effects: Effects): Promise<void> {
  const { pod, podUid, attempt } = action;
  const [task] = await effects.runtime.describe([taskIdOf(podUid, attempt)]);
  await foldIntoPod(
    pod,
    podUid,
    (current, nowMs) => {
      if (task) return observeTask(current, task, nowMs);
      if (isAnswered(current) && mayBeUnlisted(current, nowMs)) return undefined;
      return observeMissing(current, attempt, nowMs);
    },
    effects,
  );
}

function isCurrent(pod: Pod, { podUid, attempt }: RunAction): boolean {
  return pod.metadata.uid === podUid && pod.control?.attempt === attempt && mayHaveTask(pod);
}

type Fold = (pod: Pod, nowMs: number) => Pod | undefined;

/**
 * What is to be folded into the pod: the task's state, or why there is none. Other errors are the
 * caller's.
 */
async function tryRun(pod: Pod, attempt: number, effects: Effects): Promise<Fold> {
  const { store, runtime } = effects;
  try {
    const task: TaskState = await runtime.run(await resolveTaskSpec(pod, store));
    tellLaunch(pod, attempt, effects);
    return (current, nowMs) => observeTask(current, task, nowMs);
  } catch (error) {
    const failure = failureOf(error);
    if (!failure) throw error;
    tellRefusal(pod, attempt, failure, effects);
    return (current, nowMs) => observeLaunchFailure(current, attempt, failure, nowMs);
  }
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
  const { namespace, name, uid } = pod.metadata;
  const auditId = auditIdOf(pod);
  const task = taskIdOf(uid, attempt);
  return { auditId, pod: `${namespace}/${name}`, task, node: pod.spec.nodeName };
}

function failureOf(error: unknown): LaunchFailure | undefined {
  if (error instanceof NoCapacity) {
    return { kind: 'noCapacity', reason: 'NoCapacity', message: error.message };
  }
  if (error instanceof TaskRejected) {
    return { kind: 'rejected', reason: error.reason, message: error.message };
  }
  return undefined;
}
