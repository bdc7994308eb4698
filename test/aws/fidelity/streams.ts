/** A table's stream, read over its wire: Lambda hands its records to the product's functions. */
import type { Json, JsonObject } from '../../fidelity/script.ts';

const AUTHORIZATION =
  'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, ' +
  'SignedHeaders=host, Signature=0';

interface Record {
  readonly eventName?: string;
  readonly dynamodb?: {
    readonly SequenceNumber?: string;
    readonly Keys?: JsonObject;
    readonly OldImage?: JsonObject;
    readonly NewImage?: JsonObject;
  };
}

interface Description {
  readonly StreamDescription: { readonly Shards?: readonly { readonly ShardId: string }[] };
}

export async function streamRecords(endpoint: string, table: string): Promise<JsonObject> {
  const ask = async <T>(operation: string, input: object): Promise<T> => {
    const answer = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDBStreams_20120810.${operation}`,
        authorization: AUTHORIZATION,
      },
      body: JSON.stringify(input),
    });
    if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  const { Streams = [] } = await ask<{ Streams?: { StreamArn: string; TableName: string }[] }>(
    'ListStreams',
    { TableName: table },
  );
  const StreamArn = Streams.find(({ TableName }) => TableName === table)?.StreamArn;
  const { StreamDescription } = await ask<Description>('DescribeStream', { StreamArn });
  const records: Record[] = [];
  for (const { ShardId } of StreamDescription.Shards ?? []) {
    const place = { StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
    const { ShardIterator } = await ask<{ ShardIterator: string }>('GetShardIterator', place);
    const { Records = [] } = await ask<{ Records?: Record[] }>('GetRecords', { ShardIterator });
    records.push(...Records);
  }
  return { records: records.map(viewOf) };
}

function viewOf({ eventName = '', dynamodb = {} }: Record): Json {
  const { Keys = {}, OldImage = null, NewImage = null } = dynamodb;
  return { event: eventName, keys: Keys, before: OldImage, after: NewImage };
}
