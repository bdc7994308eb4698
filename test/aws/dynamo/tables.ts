/** Tables for tests: each store gets one of its own, made before its first call is sent. */
import {
  CreateTableCommand,
  type DynamoDBClient,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { dynamoDbClient } from '../../../adapters/aws/clients.ts';
import { tableDefinition } from '../../../adapters/aws/dynamo/table.ts';
import { TABLE } from '../../../shared/api/names.ts';
import type { Emulator } from '../support/emulators.ts';

let tables = 0;

export function clientOf({ endpoint, region }: Emulator): DynamoDBClient {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return dynamoDbClient({ endpoint, region, credentials });
}

/** A client whose calls wait for the table that is made for them. */
export function freshTable(emulator: Emulator): { client: DynamoDBClient; table: string } {
  const table = `store-${process.pid}-${++tables}`;
  const made = makeTable(clientOf(emulator), table);
  const client = clientOf(emulator);
  client.middlewareStack.add(
    (next) => async (args) => {
      await made;
      return next(args);
    },
    { step: 'initialize' },
  );
  return { client, table };
}

async function makeTable(client: DynamoDBClient, table: string): Promise<void> {
  await client.send(new CreateTableCommand(tableDefinition(table)));
  const { timeToLiveAttribute: AttributeName } = TABLE;
  const TimeToLiveSpecification = { AttributeName, Enabled: true };
  await client.send(new UpdateTimeToLiveCommand({ TableName: table, TimeToLiveSpecification }));
}
