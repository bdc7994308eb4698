import type { SQSEvent } from 'aws-lambda';

/** A batch of a standard queue, each message received for the first time. */
export function sqsEvent(bodies: readonly string[]): SQSEvent {
  const Records = bodies.map((body, i) => ({
    messageId: `m${i}`,
    body,
    attributes: { ApproximateReceiveCount: '1' },
  }));
  return { Records } as unknown as SQSEvent;
}
