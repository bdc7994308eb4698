/**
 * schedule queue → one pass over a cell. All messages of a batch are the same wake-up: one pass
 * serves them.
 */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { schedulePass } from '../../shared/control/scheduler.ts';
import { delayedAgain } from '../../shared/control/work.ts';
import type { Plane } from '../_kit/plane.ts';
import { eachMessage } from '../_kit/sqs.ts';

export function schedulerHandler({ effects, routes }: Plane) {
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const passed = new Map<string, Promise<boolean>>();
    const pass = async (cell: string): Promise<boolean> => {
      const outcome = await schedulePass(cell, effects);
      if (outcome.type === 'after') {
        await routes.scheduleQueue.send([delayedAgain({ group: cell, body: cell }, outcome.ms)]);
      }
      return outcome.type !== 'retry';
    };
    return eachMessage(event, (cell) => {
      const running = passed.get(cell) ?? pass(cell);
      passed.set(cell, running);
      return running;
    });
  };
}
