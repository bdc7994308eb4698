/**
 * What every function holds: the outside, the routes, and when failed messages come again. Composed
 * once per cold start.
 */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Effects } from '../../shared/control/effects.ts';
import type { Routes } from '../../shared/control/router.ts';
import type { Queue } from '../../shared/ports/queue.ts';
import { eachMessage, type Visibility, type Work } from './sqs.ts';

export type QueueName = 'reconcile' | 'schedule' | 'health';

export interface Plane {
  readonly effects: Effects;
  readonly routes: Routes;
  /** Without it, failed messages come again after their queue's visibility timeout. */
  readonly visibility?: { readonly [name in QueueName]: Visibility };
  /** Has an event come to the health function again, by its queue. Throws where that fails. */
  readonly hearAgain?: (event: object) => Promise<void>;
}

/** The part of Lambda's context that is used. */
export interface Deadline {
  getRemainingTimeInMillis(): number;
}

export interface Given {
  readonly event: SQSEvent;
  readonly deadline: Deadline | undefined;
  /** Where what is due later is sent; none of it when absent. */
  readonly queue?: Queue;
}

/** Works on a batch of a queue, and measures how old it was and how long it took. */
export async function workOnBatch(
  plane: Plane,
  name: QueueName,
  given: Given,
  work: Work,
): Promise<SQSBatchResponse> {
  const { clock, recorder } = plane.effects;
  const { event, deadline, queue } = given;
  const startMs = clock.nowMs();
  const dimensions = { Queue: name };
  const measure = (metric: string, value: number): void =>
    recorder.measure({ name: metric, value, unit: 'Milliseconds', dimensions });
  const sentMs = event.Records.map(({ attributes }) => Number(attributes.SentTimestamp));
  measure('QueueAge', Math.max(0, startMs - Math.min(startMs, ...sentMs)));
  const visibility = plane.visibility?.[name];
  const answer = await eachMessage(event, work, {
    recorder,
    ...(visibility ? { visibility } : {}),
    ...(queue ? { queue } : {}),
    ...(deadline ? { remainingMs: () => deadline.getRemainingTimeInMillis() } : {}),
  });
  measure('BatchDuration', clock.nowMs() - startMs);
  return answer;
}
