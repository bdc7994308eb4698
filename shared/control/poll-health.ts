/**
 * Polls what no message tells: on ECS, how the health checks of containers stand, and the end of
 * tasks whose liveness has failed, which ECS leaves to us. One work item for all pods, which comes
 * again while there is a pod to be polled, and else ends: nothing polls while nothing has probes.
 *
 * Invariants:
 *  H1 An answer goes through the same fold as a health message, gated by version (S7).
 *  H2 A task is ended only for a probe that failed in the attempt that the pod now has; asked twice
 *     it ends once.
 */
import type { Change } from '../api/change.ts';
import type { Container } from '../api/kinds/container.ts';
import type { Pod } from '../api/kinds/pod.ts';
import type { KubeObject } from '../api/meta.ts';
import type { TaskState } from '../api/task.ts';
import { currentTaskId, isAnswered, mayHaveTask } from '../core/pod/attempt.ts';
import { isTerminal } from '../core/pod/predicates.ts';
import { event, eventTarget } from '../core/plan.ts';
import type { WorkMessage } from '../ports/queue.ts';
import type { Outcome } from './controller.ts';
import type { Effects } from './effects.ts';
import { hearTasks } from './hear-tasks.ts';
import { listAll } from './list-all.ts';
import { outcomeOf } from './outcome.ts';
import { recordEvent } from './record-event.ts';

/** The group and the body of the one work item, of the reconcile queue. */
export const POLL_HEALTH = 'poll-health';

/**
 * The message of a round. Its cause is the interval that it is due in, so that of all who ask for a
 * round in one interval the first is heard, and rounds never multiply.
 */
export function pollMessage(nowMs: number, delayMs = 0): WorkMessage {
  const interval = Math.floor((nowMs + delayMs) / POLL_INTERVAL_MS);
  const cause = `interval ${interval}`;
  return { group: POLL_HEALTH, body: POLL_HEALTH, cause, ...(delayMs > 0 ? { delayMs } : {}) };
}

/** Whether the change makes its pod one that is to be polled. */
export function beginsPolling({ type, resource, object, previous }: Change): boolean {
  if (type === 'delete' || resource !== 'pods') return false;
  const pod = object as KubeObject as Pod;
  return needsPolling(pod) && !(previous && needsPolling(previous as KubeObject as Pod));
}

/** ECS checks every 5 s at most and by default every 30; a pod's readiness may wait as long. */
export const POLL_INTERVAL_MS = 15_000;

/**
 * Whether the pod's health has to be asked for: a task of it runs, and has probes. A change that
 * makes a pod so is what begins the polling.
 */
export function needsPolling(pod: Pod): boolean {
  if (!mayHaveTask(pod) || !isAnswered(pod) || isTerminal(pod)) return false;
  const runs = pod.status.containerStatuses?.some(({ state }) => state?.running !== undefined);
  return runs === true && containersOf(pod).some(hasProbes);
}

/** One round. Answers `after` while there is a pod to be polled. Never throws. */
export async function pollHealth(effects: Effects): Promise<Outcome> {
  try {
    const pods = await listAll<Pod>(effects.store, { resource: 'pods' });
    const polled = pods.filter(needsPolling);
    if (polled.length === 0) return { type: 'done' };
    const tasks = await hearTasks(polled, effects);
    await endUnhealthy(polled, tasks, effects);
    return { type: 'after', ms: POLL_INTERVAL_MS };
  } catch (thrown) {
    const fields = { error: String(thrown) };
    effects.recorder.log({ level: 'warn', message: 'health not polled', fields });
    const outcome = outcomeOf(thrown);
    // A poll that gives up would leave every pod as it is: it comes again whatever it met.
    return outcome.type === 'terminal' ? { type: 'after', ms: POLL_INTERVAL_MS } : outcome;
  }
}

async function endUnhealthy(
  pods: readonly Pod[],
  tasks: readonly TaskState[],
  effects: Effects,
): Promise<void> {
  const byTask = new Map(pods.map((pod) => [currentTaskId(pod), pod]));
  for (const task of tasks) {
    const pod = byTask.get(task.id);
    const unhealthy = task.containers.filter(({ unhealthy }) => unhealthy !== undefined);
    if (!pod || unhealthy.length === 0) continue;
    await effects.runtime.stop(task.id, pod.spec.terminationGracePeriodSeconds, task.handle);
    for (const { name, unhealthy: why } of unhealthy) await tell(pod, name, why ?? '', effects);
  }
}

/** In the words of a kubelet. */
async function tell(pod: Pod, container: string, why: string, effects: Effects): Promise<void> {
  const about = eventTarget('pods', pod);
  const restarts = `Container ${container} failed liveness probe, will be restarted`;
  await recordEvent(event(about, 'Warning', 'Unhealthy', `Liveness probe failed: ${why}`), effects);
  await recordEvent(event(about, 'Normal', 'Killing', restarts), effects);
}

function containersOf({ spec }: Pod): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

function hasProbes({ startupProbe, livenessProbe, readinessProbe }: Container): boolean {
  return [startupProbe, livenessProbe, readinessProbe].some((probe) => probe !== undefined);
}
