/** reconcile queue → one key's controller → outcome in SQS's terms. */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { workOnKey } from '../../shared/control/work-on.ts';
import type { Plane } from '../_kit/plane.ts';
import { concluded, eachMessage } from '../_kit/sqs.ts';

export function reconcilerHandler({ effects, routes }: Plane) {
  return (event: SQSEvent): Promise<SQSBatchResponse> =>
    eachMessage(event, async (body, record) => {
      const outcome = await workOnKey(body, effects, routes);
      return concluded(outcome, record, routes.reconcileQueue);
    });
}
