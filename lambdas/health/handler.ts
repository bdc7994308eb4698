/**
 * What tasks and nodes say of themselves, and timers that are due. Events of tasks invoke the
 * function one by one; one that fails goes into the health queue, to be tried again there. The
 * queue holds EventBridge envelopes (of ECS and EC2), health messages as they are (of any agent:
 * docs/health-messages.md), and what is due later. What is none of them is dropped with a log line:
 * it comes from outside and can never succeed.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { timerOf } from '../../adapters/aws/sqs/timer.ts';
import type { HealthMessage } from '../../shared/api/task.ts';
import type { Outcome } from '../../shared/control/controller.ts';
import { handleHealth } from '../../shared/control/health.ts';
import { type Deadline, type Plane, workOnBatch } from '../_kit/plane.ts';
import { forwardTimers } from '../_kit/timers.ts';
import { taskMessage } from './ecs-event.ts';
import { type Envelope, instanceMessage } from './instance-event.ts';

/** Names of events in a log line are short; what pretends to be one need not be. */
const SHOWN_CHARACTERS = 100;

export function healthHandler(plane: Plane) {
  const [ofQueue, ofEvent] = [healthQueueHandler(plane), taskEventHandler(plane)];
  return async (event: SQSEvent | Envelope, deadline?: Deadline) =>
    'Records' in event ? ofQueue(event, deadline) : ofEvent(event);
}

/** An event that invokes the function. Throws when it can be heard neither now nor again. */
export function taskEventHandler(plane: Plane) {
  return async (event: Envelope): Promise<void> => {
    const outcome = await hear(decodeEvent(event), plane);
    if (outcome.type === 'retry') await hearAgain(event, outcome.error, plane);
  };
}

export function healthQueueHandler(plane: Plane) {
  return ({ Records }: SQSEvent, deadline?: Deadline): Promise<SQSBatchResponse> =>
    hearBatch(Records, plane, deadline);
}

async function hearBatch(
  records: readonly SQSRecord[],
  plane: Plane,
  deadline: Deadline | undefined,
): Promise<SQSBatchResponse> {
  const { reconcileQueue: reconcile, scheduleQueue: schedule } = plane.routes;
  const isTimer = ({ body, messageId }: SQSRecord) => timerOf(body, messageId) !== undefined;
  const { timers = [], messages = [] } = Object.groupBy(records, (record) =>
    isTimer(record) ? 'timers' : 'messages',
  );
  const { recorder } = plane.effects;
  const given = { event: { Records: messages }, deadline };
  const answers = await Promise.all([
    forwardTimers({ Records: timers }, { reconcile, schedule }, recorder, plane.visibility?.health),
    messages.length > 0
      ? workOnBatch(plane, 'health', given, (body) => hear(decode(body), plane))
      : { batchItemFailures: [] },
  ]);
  return { batchItemFailures: answers.flatMap(({ batchItemFailures }) => batchItemFailures) };
}

async function hear(decoded: Decoded, { effects }: Plane): Promise<Outcome> {
  const { message, problem, level = 'warn' } = decoded;
  if (message !== undefined) return handleHealth(message, effects);
  effects.recorder.log({ level, message: 'unknown health message dropped', fields: { problem } });
  return { type: 'done' };
}

/** In the queue it is tried as often, and as soon, as all else; Lambda waits a minute. */
async function hearAgain(event: Envelope, error: Error, { hearAgain: again }: Plane) {
  if (!again) throw error;
  await again(event);
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
  return 'detail-type' in value ? decodeEvent(value) : { message: withoutHandle(value) };
}

/** Who is no runtime does not say which of its tasks is a pod's. */
function withoutHandle(value: object): unknown {
  const { task } = value as { readonly task?: unknown };
  if (typeof task !== 'object' || task === null) return value;
  return { ...value, task: { ...task, handle: undefined } };
}

/** Of an event that is ours, not everything is: another cluster's tasks, a state in between. */
function decodeEvent(envelope: Envelope): Decoded {
  const message: HealthMessage | undefined = taskMessage(envelope) ?? instanceMessage(envelope);
  const shown = String(envelope['detail-type']).slice(0, SHOWN_CHARACTERS);
  if (message) return { message };
  return { problem: `nothing for us in an event "${shown}"`, level: 'info' };
}
