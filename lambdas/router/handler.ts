/**
 * table stream → wake-ups. A batch is in order, so that the lowest failed sequence number stands
 * for all that comes after it; a record that can't be read is skipped and logged, since the sweep
 * finds what it would have woken.
 */
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { changeOf, type Touched } from '../../adapters/aws/dynamo/stream.ts';
import type { Change } from '../../shared/api/change.ts';
import { route } from '../../shared/control/router.ts';
import type { Plane } from '../_kit/plane.ts';

export function routerHandler(plane: Plane) {
  return ({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> =>
    routeRecords(Records, plane);
}

async function routeRecords(
  records: readonly DynamoDBRecord[],
  { effects, routes }: Plane,
): Promise<DynamoDBBatchResponse> {
  const told = records.flatMap((record) => readable(record, effects) ?? []);
  try {
    const changes = (await Promise.all(told.map((change) => whole(change, effects)))).flat();
    await route(changes, effects.store, routes);
    return { batchItemFailures: [] };
  } catch (error) {
    const fields = { error: String(error) };
    const message = 'routing failed; the batch comes again';
    effects.recorder.log({ level: 'warn', message, fields });
    const first = records[0]?.dynamodb?.SequenceNumber;
    return { batchItemFailures: first === undefined ? [] : [{ itemIdentifier: first }] };
  }
}

/** Of an object that is too large for a record, the present state; none when it has gone since. */
async function whole(change: Change | Touched, { store }: Plane['effects']): Promise<Change[]> {
  if (!('key' in change)) return [change];
  const object = await store.get(change.key);
  return object ? [{ type: 'put', resource: change.key.resource, object }] : [];
}

function readable(
  record: DynamoDBRecord,
  { recorder }: Plane['effects'],
): Change | Touched | undefined {
  try {
    return changeOf(record);
  } catch (error) {
    const fields = { sequenceNumber: record.dynamodb?.SequenceNumber, error: String(error) };
    recorder.log({ level: 'error', message: 'stream record skipped', fields });
    return undefined;
  }
}
