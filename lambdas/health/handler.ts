/**
 * health queue → what tasks and nodes say of themselves. A message is an EventBridge envelope (ECS,
 * EC2) or a health message as it is (any agent: docs/health-messages.md). What is neither is
 * dropped with a log line: it comes from outside and can never succeed.
 */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { HealthMessage } from '../../shared/api/task.ts';
import { handleHealth } from '../../shared/control/health.ts';
import { type Deadline, type Plane, workOnBatch } from '../_kit/plane.ts';
import { taskMessage } from './ecs-event.ts';
import { type Envelope, instanceMessage } from './instance-event.ts';

/** Names of events in a log line are short; what pretends to be one need not be. */
const SHOWN_CHARACTERS = 100;

export function healthHandler(plane: Plane) {
  const { effects } = plane;
  return (event: SQSEvent, deadline?: Deadline): Promise<SQSBatchResponse> =>
    workOnBatch(plane, 'health', { event, deadline }, async (body) => {
      const { message, problem, level = 'warn' } = decode(body);
      if (message === undefined) {
        const fields = { problem };
        effects.recorder.log({ level, message: 'unknown health message dropped', fields });
        return { type: 'done' };
      }
      return handleHealth(message, effects);
    });
}

interface Decoded {
  readonly message?: unknown;
  readonly problem?: string;
  readonly level?: 'info' | 'warn';
}

function decode(body: string): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { problem: 'not JSON' };
  }
  if (typeof value !== 'object' || value === null) return { problem: 'not an object' };
  return 'detail-type' in value ? decodeEvent(value) : { message: value };
}

/** Of an event that is ours, not everything is: another cluster's tasks, a state in between. */
function decodeEvent(envelope: Envelope): Decoded {
  const message: HealthMessage | undefined = taskMessage(envelope) ?? instanceMessage(envelope);
  const shown = String(envelope['detail-type']).slice(0, SHOWN_CHARACTERS);
  if (message) return { message };
  return { problem: `nothing for us in an event "${shown}"`, level: 'info' };
}
