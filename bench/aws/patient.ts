/** The functions without prompt wakes, for comparison: all is left to the table's stream. */
import type { SQSEvent } from 'aws-lambda';
import { type Plane, workOnBatch } from '../../lambdas/_kit/plane.ts';
import { mirroredStore } from '../../shared/control/mirrored-store.ts';
import { CLUSTER_RESOURCES } from '../../shared/control/scheduler.ts';
import { workOnCell, workOnKey } from '../../shared/control/work-on.ts';
import type { Handle } from './queue.ts';

export function patientReconciler(plane: Plane): Handle {
  const { effects, routes } = plane;
  return (event: SQSEvent) =>
    workOnBatch(
      plane,
      'reconcile',
      { event, deadline: undefined, queue: routes.reconcileQueue },
      (body) => workOnKey(body, effects, routes),
    );
}

export function patientScheduler(plane: Plane): Handle {
  const { routes } = plane;
  const store = mirroredStore(plane.effects.store, CLUSTER_RESOURCES);
  const effects = { ...plane.effects, store };
  return (event: SQSEvent) =>
    workOnBatch(
      plane,
      'schedule',
      { event, deadline: undefined, queue: routes.scheduleQueue },
      (body) => workOnCell(body, effects, routes),
    );
}
