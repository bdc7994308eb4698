/**
 * Asks the runtime what became of pods' tasks, and folds the answers as health messages are: for
 * the sweep, which makes up for lost ones, and for polls of what no message tells.
 */
import { keyOf } from '../api/change.ts';
import type { Pod } from '../api/kinds/pod.ts';
import type { TaskState } from '../api/task.ts';
import { missingTasks } from '../core/health/sweep.ts';
import { currentTaskId } from '../core/pod/attempt.ts';
import { observeMissing, observeTask } from '../core/pod/observe.ts';
import type { Effects } from './effects.ts';
import { foldIntoPod } from './fold.ts';
import { inParallel } from './in-parallel.ts';

/** As many as ECS describes at a time. */
const DESCRIBED_AT_A_TIME = 100;

/** A read and a write each; most answers are no news and need neither. */
const FOLDED_AT_A_TIME = 16;

/** The answers, after they were folded into their pods. */
export async function hearTasks(
  pods: readonly Pod[],
  effects: Effects,
): Promise<readonly TaskState[]> {
  const answers: TaskState[] = [];
  for (let from = 0; from < pods.length; from += DESCRIBED_AT_A_TIME) {
    answers.push(...(await hearSome(pods.slice(from, from + DESCRIBED_AT_A_TIME), effects)));
  }
  return answers;
}

async function hearSome(pods: readonly Pod[], effects: Effects): Promise<readonly TaskState[]> {
  const ids = pods.flatMap((pod) => currentTaskId(pod) ?? []);
  const tasks = await effects.runtime.describe(ids);
  const missing = new Set(missingTasks(pods, tasks, effects.clock.nowMs()));
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const folds = pods.flatMap((pod) => {
    const task = byId.get(currentTaskId(pod) ?? '');
    return task || missing.has(pod) ? [{ pod, fold: foldOf(pod, task) }] : [];
  });
  const news = folds.filter(({ pod, fold }) => fold(pod, effects.clock.nowMs()) !== undefined);
  const errors: unknown[] = [];
  const write = ({ pod, fold }: (typeof news)[number]): Promise<void> =>
    foldIntoPod(keyOf('pods', pod), pod.metadata.uid, fold, effects).then(() => {});
  await inParallel(news, FOLDED_AT_A_TIME, write, (error) => errors.push(error));
  if (errors.length > 0) throw errors[0];
  return tasks;
}

function foldOf(pod: Pod, task: TaskState | undefined) {
  const attempt = pod.control?.attempt ?? 0;
  return (current: Pod, nowMs: number): Pod | undefined =>
    task ? observeTask(current, task, nowMs) : observeMissing(current, attempt, nowMs);
}
