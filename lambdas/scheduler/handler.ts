/**
 * schedule queue → one pass over a cell. All messages of a batch are the same wake-up: one pass
 * serves them.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { mirroredStore } from '../../shared/control/mirrored-store.ts';
import { prompted } from '../../shared/control/prompt.ts';
import { CLUSTER_RESOURCES } from '../../shared/control/scheduler.ts';
import { workOnCell } from '../../shared/control/work-on.ts';
import type { Plane } from '../_kit/plane.ts';
import { concluded, eachMessage } from '../_kit/sqs.ts';

export function schedulerHandler({ effects: given, routes }: Plane) {
  const effects = { ...given, store: mirroredStore(given.store, CLUSTER_RESOURCES) };
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const passed = new Map<string, Promise<boolean>>();
    const pass = async (record: SQSRecord): Promise<boolean> => {
      const { body } = record;
      const outcome = await prompted(effects, routes, (under) => workOnCell(body, under, routes));
      return concluded(outcome, record, routes.scheduleQueue);
    };
    return eachMessage(event, (body, record) => {
      const running = passed.get(body) ?? pass(record);
      passed.set(body, running);
      return running;
    });
  };
}
