/**
 * The end of a pod: its task is asked to stop, and the object goes once the end of the task was
 * seen.
 *
 * Invariants:
 *  E1 A pod is removed only when no task of it can be alive (S5): an intent with no known answer is
 *     resolved first, never forgotten.
 *  E2 A stop that was lost is repeated, at the end of the grace period and not before.
 */
import type { Pod } from '../../api/kinds/pod.ts';
import { parseTime } from '../../api/time.ts';
import { removal } from '../deletion.ts';
import { type Action, blocked, inOrder, NOTHING, type Plan } from '../plan.ts';
import {
  askedUntilMs,
  currentTaskId,
  hasNoTask,
  isAnswered,
  mayHaveTask,
  stopOf,
} from './attempt.ts';

/** How long after the grace period a task may take to be reported as ended. */
const STOP_MARGIN_MS = 10_000;
/**
 * How often a task is killed again that should be dead. Rarely: it is for stops that got lost
 * twice.
 */
const KILL_RECHECK_MS = 60_000;

export function planStop(
  pod: Pod,
  node: 'ready' | 'unreachable' | 'gone',
  resolution: () => Plan,
  nowMs: number,
): Plan {
  if (!mayHaveTask(pod)) return planRemoval(pod, nowMs);
  // Nothing can be told to the node; its return or its end wakes the pod.
  if (node === 'unreachable') return blocked(`node ${pod.spec.nodeName} is unreachable`);
  if (!isAnswered(pod)) return resolution();
  const taskId = currentTaskId(pod) ?? '';
  const endMs = endOfGrace(pod, nowMs);
  const killAtMs = endMs + (graceSeconds(pod) === 0 ? 0 : STOP_MARGIN_MS);
  const { stopAskedAtMs } = pod.control ?? {};
  if (stopAskedAtMs === undefined && nowMs < killAtMs) return planFirstStop(pod, endMs, nowMs);
  if (nowMs < killAtMs) {
    return { ...blocked('waits for the task to stop'), againAfterMs: killAtMs - nowMs };
  }
  return planKill(pod, taskId);
}

function planRemoval(pod: Pod, nowMs: number): Plan {
  if (pod.metadata.deletionTimestamp === undefined) return NOTHING;
  if (!hasNoTask(pod, nowMs)) {
    const waits = blocked('its launch was refused, and may be asked for elsewhere');
    return { ...waits, againAfterMs: (askedUntilMs(pod) ?? nowMs) - nowMs };
  }
  const finalizers = pod.metadata.finalizers ?? [];
  if (finalizers.length > 0) return blocked(`waits for finalizers ${finalizers.join(', ')}`);
  return inOrder(removal('pods', pod));
}

function planFirstStop(pod: Pod, endMs: number, nowMs: number): Plan {
  const seconds = Math.max(0, Math.ceil((endMs - nowMs) / 1000));
  const stop = stopOf(pod, Math.min(seconds, graceSeconds(pod)));
  return { ...inOrder(stop), againAfterMs: Math.max(0, endMs - nowMs) + STOP_MARGIN_MS };
}

/** The grace is over. The look-up learns of an end whose message got lost. */
function planKill(pod: Pod, taskId: string): Plan {
  const { attempt = 1 } = pod.control ?? {};
  const key = {
    resource: 'pods',
    namespace: pod.metadata.namespace ?? '',
    name: pod.metadata.name,
  };
  const kill = stopOf(pod, 0);
  const look: Action = {
    ...{ kind: 'lookUpTask', pod: key, podUid: pod.metadata.uid, attempt, taskId },
  };
  return { ...inOrder(kill, look), againAfterMs: KILL_RECHECK_MS };
}

function graceSeconds({ metadata, spec }: Pod): number {
  return metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds;
}

/**
 * A deleted pod says itself when it is to be gone. Of a failed one, the grace counts from the first
 * stop.
 */
function endOfGrace(pod: Pod, nowMs: number): number {
  const atMs = parseTime(pod.metadata.deletionTimestamp);
  return atMs ?? (pod.control?.stopAskedAtMs ?? nowMs) + graceSeconds(pod) * 1000;
}
