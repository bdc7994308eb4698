import { expect, it } from 'vitest';
import { MAX_RECEIVES as OF_QUEUES } from '../../../infra/settings.ts';
import { MAX_RECEIVES } from '../../../shared/ports/queue.ts';

// What is said of a message at its last receive is true only while SQS counts as the port does.
it('the queues of an installation give a message up when the port says so', () => {
  expect(OF_QUEUES).toBe(MAX_RECEIVES);
});
