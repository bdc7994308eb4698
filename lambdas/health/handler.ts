/**
 * health queue → what tasks and nodes say of themselves. A message is an EventBridge envelope (ECS)
 * or a health message as it is (any agent). What is neither is dropped with a log line: it comes
 * from outside and can never succeed.
 */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { handleHealth } from '../../shared/control/health.ts';
import type { Plane } from '../_kit/plane.ts';
import { eachMessage } from '../_kit/sqs.ts';
import { taskMessage } from './ecs-event.ts';

export function healthHandler({ effects }: Plane) {
  return (event: SQSEvent): Promise<SQSBatchResponse> =>
    eachMessage(event, async (body) => {
      const message = decode(body);
      if (message === undefined) {
        effects.recorder.log({ level: 'warn', message: 'unknown health message dropped' });
        return true;
      }
      const outcome = await handleHealth(message, effects);
      return outcome.type !== 'retry';
    });
}

function decode(body: string): unknown {
  try {
    const value = JSON.parse(body) as Record<string, unknown> | null;
    if (typeof value !== 'object' || value === null) return undefined;
    return 'detail-type' in value ? taskMessage(value) : value;
  } catch {
    return undefined;
  }
}
