/**
 * reconcile queue → one key's controller → outcome in SQS's terms. What the work writes wakes the
 * next at once; the stream wakes the rest.
 */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { memoised } from '../../shared/control/memoised.ts';
import { type Change, keyOf } from '../../shared/api/change.ts';
import { listMirroringStore } from '../../shared/control/mirrored-store.ts';
import { noting } from '../../shared/control/noting.ts';
import { prompted } from '../../shared/control/prompt.ts';
import { workOnKey } from '../../shared/control/work-on.ts';
import { type Deadline, type Plane, workOnBatch } from '../_kit/plane.ts';

export function reconcilerHandler(plane: Plane) {
  const { routes } = plane;
  const mirrored = listMirroringStore(plane.effects.store, plane.effects.clock);
  return (event: SQSEvent, deadline?: Deadline): Promise<SQSBatchResponse> => {
    // Begun after all that the messages tell of: what one reads of others serves all.
    const shared = memoised(mirrored);
    const forget = ({ resource, object }: Change): void => shared.forget(keyOf(resource, object));
    const effects = { ...plane.effects, store: noting(mirrored, forget) };
    const given = { event, deadline, queue: routes.reconcileQueue };
    return workOnBatch(plane, 'reconcile', given, (body) =>
      prompted(effects, routes, (under) => workOnKey(body, under, routes, shared)),
    );
  };
}
