/**
 * The table. Owns how it is kept: encrypted, with every second of the last 35 days to go back to,
 * and not deleted by accident. Its keys and indexes are the store's (`shared/api/names.ts`).
 */
import { Fn, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  type Attribute,
  AttributeType,
  BillingMode,
  type ITable,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { TABLE } from '../shared/api/names.ts';
import type { Options } from './options.ts';

export class Storage extends Construct {
  readonly tableName: string;
  readonly tableArn: string;
  readonly indexArns: readonly string[];
  readonly streamArn: string;

  constructor(scope: Construct, id: string, options: Options) {
    super(scope, id);
    const given = options.tableStreamArn;
    const table = given === '' ? this.#own(options) : restored(this, given);
    this.tableName = table.tableName;
    this.tableArn = table.tableArn;
    this.indexArns = TABLE.globalIndexes.map(({ name }) => `${table.tableArn}/index/${name}`);
    this.streamArn = table.tableStreamArn ?? given;
  }

  #own(options: Options): Table {
    const { deletionProtection } = options;
    const table = new Table(this, 'Table', {
      tableName: options.installation,
      partitionKey: attribute(TABLE.partitionKey),
      sortKey: attribute(TABLE.sortKey),
      timeToLiveAttribute: TABLE.timeToLiveAttribute,
      billingMode: BillingMode.PAY_PER_REQUEST,
      stream: StreamViewType[TABLE.streamView],
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection,
      removalPolicy: deletionProtection ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(options.customerManagedKey
        ? { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: this.#key(options) }
        : { encryption: TableEncryption.DEFAULT }),
    });
    addIndexes(table);
    return table;
  }

  /**
   * Usable by whoever may use the table, and through DynamoDB only: the key opens nothing that the
   * table's own permissions do not.
   */
  #key({ installation, deletionProtection }: Options): Key {
    const key = new Key(this, 'Key', {
      alias: `${installation}-table`,
      description: `table of ${installation}`,
      enableKeyRotation: true,
      removalPolicy: deletionProtection ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    const { account, region } = Stack.of(this);
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'ThroughDynamoDb',
        effect: Effect.ALLOW,
        principals: [new AnyPrincipal()],
        actions: ['kms:CreateGrant', 'kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt'],
        resources: ['*'], // in a key's policy: this key
        conditions: {
          StringEquals: {
            'kms:CallerAccount': account,
            'kms:ViaService': `dynamodb.${region}.amazonaws.com`,
          },
        },
      }),
    );
    return key;
  }
}

/** Its name stands in the ARN of its stream: `arn:…:table/NAME/stream/WHEN`. */
function restored(scope: Construct, tableStreamArn: string): ITable {
  const tableName = Fn.select(1, Fn.split('/', tableStreamArn));
  return Table.fromTableAttributes(scope, 'Table', { tableName, tableStreamArn });
}

function addIndexes(table: Table): void {
  for (const { name, partitionKey, sortKey, projection } of TABLE.globalIndexes) {
    table.addGlobalSecondaryIndex({
      indexName: name,
      partitionKey: attribute(partitionKey),
      sortKey: attribute(sortKey),
      projectionType: ProjectionType[projection],
    });
  }
}

function attribute({ name, type }: { readonly name: string; readonly type: 'S' | 'N' }): Attribute {
  return { name, type: type === 'S' ? AttributeType.STRING : AttributeType.NUMBER };
}
