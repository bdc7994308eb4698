/**
 * schedule queue → one pass over a cell. All messages of a batch are the same wake-up: one pass
 * serves them.
 */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { mirroredStore } from '../../shared/control/mirrored-store.ts';
import { passMemories } from '../../shared/control/pass-memories.ts';
import { prompted } from '../../shared/control/prompt.ts';
import { CLUSTER_RESOURCES } from '../../shared/control/scheduler.ts';
import { workOnCell } from '../../shared/control/work-on.ts';
import { type Deadline, type Plane, workOnBatch } from '../_kit/plane.ts';

export function schedulerHandler(plane: Plane) {
  const { routes } = plane;
  const store = mirroredStore(plane.effects.store, CLUSTER_RESOURCES);
  const effects = { ...plane.effects, store, passMemory: passMemories() };
  return (event: SQSEvent, deadline?: Deadline): Promise<SQSBatchResponse> => {
    const given = { event, deadline, queue: routes.scheduleQueue };
    return workOnBatch(plane, 'schedule', given, (body) =>
      prompted(effects, routes, (under) => workOnCell(body, under, routes)),
    );
  };
}
