/**
 * What the sweep does about tasks: compares those that the runtime knows with those that pods mean.
 * Pure. Events are hints and may be lost; this is what makes good for it (L2).
 *
 * Invariant: the order of reading makes the answer safe. Tasks are listed before pods are, so that
 * a task without a pod has lost it, rather than not having it yet (its intent comes first).
 */
import type { Pod } from '../../api/kinds/pod.ts';
import type { TaskState } from '../../api/task.ts';
import { currentTaskId, isAnswered, mayHaveTask } from '../pod/attempt.ts';

export interface TaskSweep {
  /** Tasks that nobody means: to be stopped. */
  readonly leaked: readonly string[];
  /** Pods whose tasks are to be described: the answers go through `observeTask`. */
  readonly describe: readonly Pod[];
}

/**
 * A task younger than this may be missing from a look-up: services that list tasks lag behind those
 * that start them, by seconds up to minutes.
 */
export const YOUNG_TASK_MS = 300_000;

/** Live tasks (listed first) against all pods (listed after). */
export function sweepOfTasks(live: readonly string[], pods: readonly Pod[]): TaskSweep {
  const byUid = new Map(pods.map((pod) => [pod.metadata.uid, pod]));
  const byTask = new Map(pods.map((pod) => [currentTaskId(pod), pod]));
  const podOf = (id: string) => byTask.get(id) ?? byUid.get(podUidOf(id));
  const leaked = live.filter((id) => !isMeant(podOf(id), id));
  return { leaked, describe: pods.filter((pod) => mayHaveTask(pod) && isAnswered(pod)) };
}

/** The present attempt's task; or a later one's, when the store was restored from a backup. */
function isMeant(pod: Pod | undefined, taskId: string): boolean {
  if (!pod) return false;
  if (currentTaskId(pod) === taskId) return mayHaveTask(pod);
  return Number(taskId.slice(pod.metadata.uid.length + 1)) > (pod.control?.attempt ?? 0);
}

/** The inverse of `taskIdOf`. */
function podUidOf(taskId: string): string {
  return taskId.slice(0, taskId.lastIndexOf('-'));
}

/** The pods whose task is not among the described ones and is old enough to be missed. */
export function missingTasks(
  asked: readonly Pod[],
  described: readonly TaskState[],
  nowMs: number,
): readonly Pod[] {
  const known = new Set(described.map(({ id }) => id));
  return asked.filter((pod) => !mayBeUnlisted(pod, nowMs) && !known.has(currentTaskId(pod) ?? ''));
}

/** Whether the pod's task is so young that it may be there although no look-up finds it. */
export function mayBeUnlisted({ control }: Pod, nowMs: number): boolean {
  // Launches that are throttled come minutes after their intent.
  const launchedAtMs = control?.answeredAtMs ?? control?.intentAtMs ?? 0;
  return nowMs - launchedAtMs < YOUNG_TASK_MS;
}
