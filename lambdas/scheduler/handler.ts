/**
 * schedule queue → one pass over a cell. All messages of a batch are the same wake-up: one pass
 * serves them.
 */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { workOnCell } from '../../shared/control/work-on.ts';
import { delayedAgain } from '../../shared/control/work.ts';
import type { Plane } from '../_kit/plane.ts';
import { eachMessage } from '../_kit/sqs.ts';

export function schedulerHandler({ effects, routes }: Plane) {
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const passed = new Map<string, Promise<boolean>>();
    const pass = async (body: string, group: string): Promise<boolean> => {
      const outcome = await workOnCell(body, effects, routes);
      if (outcome.type === 'after') {
        await routes.scheduleQueue.send([delayedAgain({ group, body }, outcome.ms)]);
      }
      return outcome.type !== 'retry';
    };
    return eachMessage(event, (body, { attributes }) => {
      const running = passed.get(body) ?? pass(body, attributes.MessageGroupId ?? body);
      passed.set(body, running);
      return running;
    });
  };
}
