/**
 * reconcile queue → one key's controller → outcome in SQS's terms. What the work writes wakes the
 * next at once; the stream wakes the rest.
 */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { listMirroringStore } from '../../shared/control/mirrored-store.ts';
import { prompted } from '../../shared/control/prompt.ts';
import { workOnKey } from '../../shared/control/work-on.ts';
import { type Deadline, type Plane, workOnBatch } from '../_kit/plane.ts';
import { concluded } from '../_kit/sqs.ts';

export function reconcilerHandler(plane: Plane) {
  const { routes } = plane;
  const store = listMirroringStore(plane.effects.store, plane.effects.clock);
  const effects = { ...plane.effects, store };
  return (event: SQSEvent, deadline?: Deadline): Promise<SQSBatchResponse> =>
    workOnBatch(plane, 'reconcile', { event, deadline }, async (body, record) => {
      const outcome = await prompted(effects, routes, (under) => workOnKey(body, under, routes));
      return concluded(outcome, record, routes.reconcileQueue);
    });
}
