/**
 * schedule queue → one pass over a cell. All messages of a batch are the same wake-up: one pass
 * serves them.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { workOnCell } from '../../shared/control/work-on.ts';
import type { Plane } from '../_kit/plane.ts';
import { concluded, eachMessage } from '../_kit/sqs.ts';

export function schedulerHandler({ effects, routes }: Plane) {
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const passed = new Map<string, Promise<boolean>>();
    const pass = async (record: SQSRecord): Promise<boolean> => {
      const outcome = await workOnCell(record.body, effects, routes);
      return concluded(outcome, record, routes.scheduleQueue);
    };
    return eachMessage(event, (body, record) => {
      const running = passed.get(body) ?? pass(record);
      passed.set(body, running);
      return running;
    });
  };
}
