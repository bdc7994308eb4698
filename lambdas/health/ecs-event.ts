/** "ECS Task State Change" events as health messages; the translation is the ECS adapter's. */
import { taskStateOf } from '../../adapters/aws/ecs/task-state.ts';
import type { HealthMessage } from '../../shared/api/task.ts';

const TASK_EVENT = 'ECS Task State Change';

/**
 * The health message in an EventBridge envelope; undefined when the event is not about a task of
 * ours.
 */
export function taskMessage(envelope: {
  readonly 'detail-type'?: unknown;
  readonly detail?: unknown;
}): HealthMessage | undefined {
  const { detail } = envelope;
  if (envelope['detail-type'] !== TASK_EVENT) return undefined;
  if (typeof detail !== 'object' || detail === null) return undefined;
  const task = taskStateOf(detail);
  return task && { type: 'task', task };
}
