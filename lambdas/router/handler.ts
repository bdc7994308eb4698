/**
 * table stream → wake-ups. A stream batch is in order, so that the lowest failed sequence number
 * stands for all that comes after it; a record that can't be read is skipped and logged, since the
 * sweep finds what it would have woken.
 */
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { Change } from '../../shared/api/change.ts';
import { route } from '../../shared/control/router.ts';
import type { Plane } from '../_kit/plane.ts';
import { changeOf } from './stream.ts';

export function routerHandler({ effects, routes }: Plane) {
  const readable = (record: DynamoDBRecord): Change | undefined => {
    try {
      return changeOf(record);
    } catch (error) {
      const fields = { sequenceNumber: record.dynamodb?.SequenceNumber, error: String(error) };
      effects.recorder.log({ level: 'error', message: 'stream record skipped', fields });
      return undefined;
    }
  };
  return async (event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    const changes = event.Records.flatMap((record) => readable(record) ?? []);
    try {
      await route(changes, effects.store, routes);
      return { batchItemFailures: [] };
    } catch (error) {
      effects.recorder.log({
        level: 'warn',
        message: 'routing failed; the batch comes again',
        fields: { error: String(error) },
      });
      const first = event.Records[0]?.dynamodb?.SequenceNumber;
      return { batchItemFailures: first === undefined ? [] : [{ itemIdentifier: first }] };
    }
  };
}
