/**
 * reconcile queue → one key's controller → outcome in SQS's terms. What the work writes wakes the
 * next at once; the stream wakes the rest.
 */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { prompted } from '../../shared/control/prompt.ts';
import { workOnKey } from '../../shared/control/work-on.ts';
import type { Plane } from '../_kit/plane.ts';
import { concluded, eachMessage } from '../_kit/sqs.ts';

export function reconcilerHandler({ effects, routes }: Plane) {
  return (event: SQSEvent): Promise<SQSBatchResponse> =>
    eachMessage(event, async (body, record) => {
      const outcome = await prompted(effects, routes, (under) => workOnKey(body, under, routes));
      return concluded(outcome, record, routes.reconcileQueue);
    });
}
