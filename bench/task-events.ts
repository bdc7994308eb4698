/** Which events of tasks invoke the health function: those that a rule of the stack passes on. */
import { TASK_EVENTS } from '../infra/task-events.ts';
import type { Envelope } from '../test/aws/model/events.ts';

export function isOfTask({ 'detail-type': type }: Envelope): boolean {
  return type === 'ECS Task State Change';
}

export function isTold({ detail }: Envelope): boolean {
  return Object.values(TASK_EVENTS).some((rule) =>
    Object.entries(rule).every(([field, allowed]) =>
      allowed.some((one) =>
        typeof one === 'string'
          ? detail[field] === one
          : detail[field] !== undefined && detail[field] !== one['anything-but'],
      ),
    ),
  );
}
