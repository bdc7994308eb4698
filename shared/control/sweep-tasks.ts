/**
 * The sweep's look at the runtime: tasks that nobody means are stopped, and pods hear again what
 * their tasks are, which makes up for every health message that was lost. Decisions are
 * core/health/sweep.ts's.
 */
import type { Pod } from '../api/kinds/pod.ts';
import { keyOf } from '../api/change.ts';
import type { TaskState } from '../api/task.ts';
import { missingTasks, sweepOfTasks } from '../core/health/sweep.ts';
import { currentTaskId } from '../core/pod/attempt.ts';
import { observeMissing, observeTask } from '../core/pod/observe.ts';
import type { Effects } from './effects.ts';
import { foldIntoPod } from './fold.ts';
import { listAll } from './list-all.ts';

/** As many as ECS describes at a time. */
const DESCRIBED_AT_A_TIME = 100;

/** Nobody waits for a task that belongs to nobody. */
const LEAKED_GRACE_SECONDS = 30;

export async function sweepTasks(effects: Effects): Promise<void> {
  const { runtime, store } = effects;
  const live = await runtime.list(); // before the pods: see core/health/sweep.ts
  const pods = await listAll<Pod>(store, { resource: 'pods' });
  const { leaked, describe } = sweepOfTasks(live, pods);
  for (const taskId of leaked) await runtime.stop(taskId, LEAKED_GRACE_SECONDS);
  for (let from = 0; from < describe.length; from += DESCRIBED_AT_A_TIME) {
    await hearAgain(describe.slice(from, from + DESCRIBED_AT_A_TIME), effects);
  }
}

async function hearAgain(pods: readonly Pod[], effects: Effects): Promise<void> {
  const ids = pods.flatMap((pod) => currentTaskId(pod) ?? []);
  const tasks = await effects.runtime.describe(ids);
  const missing = new Set(missingTasks(pods, tasks, effects.clock.nowMs()));
  const byUid = new Map(tasks.map((task) => [task.podUid, task]));
  for (const pod of pods) {
    const task = byUid.get(pod.metadata.uid);
    if (task || missing.has(pod)) await foldAnswer(pod, task, effects);
  }
}

function foldAnswer(pod: Pod, task: TaskState | undefined, effects: Effects): Promise<unknown> {
  const attempt = pod.control?.attempt ?? 0;
  return foldIntoPod(
    keyOf('pods', pod),
    pod.metadata.uid,
    (current, nowMs) =>
      task ? observeTask(current, task, nowMs) : observeMissing(current, attempt, nowMs),
    effects,
  );
}
