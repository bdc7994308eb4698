/**
 * How our containers and volumes are told from others on the same engine: by name, so that creating
 * is idempotent, and by label, so that they are found again. Nothing secret may be in either:
 * anybody who may list containers reads them.
 */
import type { TaskSpec } from '../../shared/api/task.ts';

export const LABEL = {
  instance: 'nullplane.io/instance',
  task: 'nullplane.io/task',
  role: 'nullplane.io/role',
  podUid: 'nullplane.io/pod-uid',
  attempt: 'nullplane.io/attempt',
  namespace: 'nullplane.io/namespace',
  pod: 'nullplane.io/pod',
  node: 'nullplane.io/node',
  container: 'nullplane.io/container',
  /** On a tombstone: the last state of the task, as JSON, and when it ended. */
  state: 'nullplane.io/state',
} as const;

export type Role = 'sandbox' | 'init' | 'main' | 'volume' | 'tombstone';

export function sandboxName(taskId: string): string {
  return `np-${taskId}`;
}

export function containerName(taskId: string, container: string): string {
  return `np-${taskId}-${container}`;
}

export function volumeName(taskId: string, volume: string): string {
  return `np-${taskId}-${volume}`;
}

/** A volume without content, so that it is not mistaken for a data volume by name either. */
export function tombstoneName(taskId: string): string {
  return `np-${taskId}.ended`;
}

export function labelsOf(
  instance: string,
  task: TaskSpec,
  role: Role,
  container?: string,
): Record<string, string> {
  return {
    [LABEL.instance]: instance,
    [LABEL.task]: task.id,
    [LABEL.role]: role,
    [LABEL.podUid]: task.podUid,
    [LABEL.attempt]: String(task.attempt),
    [LABEL.namespace]: task.namespace,
    [LABEL.pod]: task.podName,
    [LABEL.node]: task.nodeName,
    ...(container === undefined ? {} : { [LABEL.container]: container }),
  };
}
