/**
 * The sweep's look at the runtime: tasks that nobody means are stopped, and pods hear again what
 * their tasks are, which makes up for every health message that was lost. Decisions are
 * core/health/sweep.ts's.
 */
import type { Pod } from '../api/kinds/pod.ts';
import { sweepOfTasks } from '../core/health/sweep.ts';
import type { Effects } from './effects.ts';
import { hearTasks } from './hear-tasks.ts';
import { listAll } from './list-all.ts';

/** Nobody waits for a task that belongs to nobody. */
const LEAKED_GRACE_SECONDS = 30;

export async function sweepTasks(effects: Effects): Promise<void> {
  const { runtime, store } = effects;
  const live = await runtime.list(); // before the pods: see core/health/sweep.ts
  const pods = await listAll<Pod>(store, { resource: 'pods' });
  const { leaked, describe } = sweepOfTasks(live, pods);
  for (const taskId of leaked) await runtime.stop(taskId, LEAKED_GRACE_SECONDS);
  await hearTasks(describe, effects);
}
