/**
 * Launching and looking up tasks. What the runtime answers is folded into the pod by the same pure
 * functions that health messages go through, so that it does not matter which of the two arrives,
 * or in which order.
 */
import type { Pod } from '../api/kinds/pod.ts';
import { parseBatchTaskId } from '../api/task.ts';
import { mayBeUnlisted } from '../core/health/sweep.ts';
import { currentTaskId, isAnswered, mayHaveTask } from '../core/pod/attempt.ts';
import { observeMissing, observeTask } from '../core/pod/observe.ts';
import type { Action } from '../core/plan.ts';
import type { Effects } from './effects.ts';
import { foldIntoPod } from './fold.ts';
import { runBatch } from './launch-batch.ts';
import { NoCapacity } from '../ports/runtime.ts';
import { type Fold, isRefusal, learned } from './learned.ts';
import { noteShortage } from './note-shortage.ts';
import { resolveTaskSpec } from './task-spec.ts';

type RunAction = Extract<Action, { kind: 'runTask' }>;
type LookUpAction = Extract<Action, { kind: 'lookUpTask' }>;

/** Runs the pod's attempt, unless the pod has moved on since that was decided. */
export async function runTask(action: RunAction, effects: Effects): Promise<void> {
  const pod = await effects.store.get<Pod>(action.pod);
  if (!pod || !isCurrent(pod, action)) return;
  if (parseBatchTaskId(currentTaskId(pod) ?? '')) return runBatch(pod, effects);
  const launched = await tryRun(pod, action.attempt, effects);
  await foldIntoPod(action.pod, action.podUid, launched, effects);
}

/**
 * Asks what became of an attempt; one that nobody knows is missing. One that was answered for has
 * been there: while it is young, it is not believed to be gone for not being found (S5).
 */
export async function lookUpTask(action: LookUpAction, effects: Effects): Promise<void> {
  const { pod, podUid, attempt } = action;
  const [task] = await effects.runtime.describe([action.taskId]);
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

/**
 * What is to be folded into the pod: the task's state, or why there is none. Other errors are the
 * caller's.
 */
async function tryRun(pod: Pod, attempt: number, effects: Effects): Promise<Fold> {
  const { store, runtime } = effects;
  try {
    return learned(pod, attempt, await runtime.run(await resolveTaskSpec(pod, store)), effects);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (error instanceof NoCapacity) await noteShortage(pod.spec.nodeName, error.message, effects);
    return learned(pod, attempt, error, effects);
  }
}
