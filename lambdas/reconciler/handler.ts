/** reconcile queue → one key's controller → outcome in SQS's terms. */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { parseWork, reconcile } from '../../shared/control/reconcile.ts';
import { delayedAgain } from '../../shared/control/work.ts';
import type { Plane } from '../_kit/plane.ts';
import { eachMessage } from '../_kit/sqs.ts';

export function reconcilerHandler({ effects, routes }: Plane) {
  return (event: SQSEvent): Promise<SQSBatchResponse> =>
    eachMessage(event, async (body) => {
      const work = parseWork(body, routes.controllers);
      if (!work) {
        // It can never succeed: keeping it would only fill the dead letters.
        effects.recorder.log({ level: 'warn', message: 'unknown work dropped', fields: { body } });
        return true;
      }
      const outcome = await reconcile(work, effects);
      if (outcome.type === 'after') {
        await routes.reconcileQueue.send([delayedAgain({ group: body, body }, outcome.ms)]);
      }
      return outcome.type !== 'retry';
    });
}
