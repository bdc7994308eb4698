/** The table's definition in the terms of DynamoDB's API; the data is `TABLE` in shared/api. */
import type { CreateTableCommandInput, KeySchemaElement } from '@aws-sdk/client-dynamodb';
import { TABLE } from '../../../shared/api/names.ts';

type Attribute = { readonly name: string; readonly type: 'S' | 'N' };

/** What `CreateTable` takes. Time to live is a call of its own: `TABLE.timeToLiveAttribute`. */
export function tableDefinition(name: string): CreateTableCommandInput {
  const { partitionKey, sortKey, globalIndexes } = TABLE;
  const attributes: Attribute[] = [
    partitionKey,
    sortKey,
    ...globalIndexes.map((index) => index.partitionKey),
  ];
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: attributes.map((attribute) => ({
      AttributeName: attribute.name,
      AttributeType: attribute.type,
    })),
    KeySchema: keySchema(partitionKey, sortKey),
    GlobalSecondaryIndexes: globalIndexes.map((index) => ({
      IndexName: index.name,
      KeySchema: keySchema(index.partitionKey, index.sortKey),
      Projection: { ProjectionType: index.projection },
    })),
    StreamSpecification: { StreamEnabled: true, StreamViewType: TABLE.streamView },
  };
}

function keySchema(partition: Attribute, sort: Attribute): KeySchemaElement[] {
  return [
    { AttributeName: partition.name, KeyType: 'HASH' },
    { AttributeName: sort.name, KeyType: 'RANGE' },
  ];
}
