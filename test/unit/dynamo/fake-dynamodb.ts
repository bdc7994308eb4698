/**
 * A table in memory behind the SDK's client, for what no emulator does on demand: answers that are
 * lost, throttling, parts of batches left out, writes that take effect late. It keeps to what the
 * store uses of DynamoDB and refuses the rest.
 */
import type { BatchGetItemCommand } from '@aws-sdk/client-dynamodb';
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { Item } from '../../../adapters/aws/dynamo/item.ts';

export type Command =
  BatchGetItemCommand | DeleteItemCommand | GetItemCommand | PutItemCommand | QueryCommand;

/** What happens to a call: `proceed` lets it take effect. Throw instead of calling it, or after. */
export type Meddle = (command: Command, proceed: () => unknown) => unknown;

const idOf = (item: Item) => `${item['pk']?.S ?? ''}\u0001${item['sk']?.S ?? ''}`;

export class FakeDynamoDb {
  readonly items = new Map<string, Item>();
  readonly calls: Command[] = [];
  meddle: Meddle = (_, proceed) => proceed();
  /** Whether a read that is not strong shows an item as it was before its last write. */
  isStale: () => boolean = () => false;
  readonly #before = new Map<string, Item | undefined>();

  readonly client = {
    send: (command: Command) => this.#send(command),
  } as unknown as DynamoDBClient;

  async #send(command: Command): Promise<unknown> {
    this.calls.push(command);
    await Promise.resolve();
    const answer = await this.meddle(command, () => this.#answer(command));
    return { ...(answer as object), $metadata: { requestId: 'fake' } };
  }

  #answer(command: Command): object {
    if (command instanceof PutItemCommand) return this.#put(command);
    if (command instanceof DeleteItemCommand) return this.#delete(command);
    if (command instanceof QueryCommand) return { Items: this.#query(command.input) };
    if (command instanceof GetItemCommand) {
      const item = this.items.get(idOf(command.input.Key ?? {}));
      return item ? { Item: item } : {};
    }
    const [[table, batch] = ['', {}]] = Object.entries(command.input.RequestItems ?? {});
    const { Keys = [], ConsistentRead = false } = batch;
    const read = (key: Item): Item | undefined =>
      (!ConsistentRead && this.isStale() ? this.#before : this.items).get(idOf(key));
    return {
      Responses: { [table]: Keys.map(read).filter((item) => item !== undefined) },
    };
  }

  #put({ input }: PutItemCommand): object {
    const item = input.Item ?? {};
    const old = this.items.get(idOf(item));
    this.#check(input.ConditionExpression, input.ExpressionAttributeValues ?? {}, old);
    this.#before.set(idOf(item), old);
    this.items.set(idOf(item), item);
    return old ? { Attributes: old } : {};
  }

  #delete({ input }: DeleteItemCommand): object {
    const id = idOf(input.Key ?? {});
    const { ConditionExpression, ExpressionAttributeValues = {} } = input;
    this.#check(ConditionExpression, ExpressionAttributeValues, this.items.get(id));
    this.items.delete(id);
    return {};
  }

  #check(expression: string | undefined, values: Item, item: Item | undefined): void {
    if (expression === undefined || holds(expression, values, item)) return;
    throw new ConditionalCheckFailedException({
      message: 'The conditional request failed',
      $metadata: {},
      ...(item && { Item: item }),
    });
  }

  #query({ IndexName, ExpressionAttributeValues: v = {}, Limit }: QueryCommandInput): Item[] {
    const items = [...this.items.values()].filter((item) => {
      const isInRange = v[':prefix']
        ? sortKey(item).startsWith(v[':prefix'].S ?? '')
        : sortKey(item) >= (v[':first']?.S ?? '') && sortKey(item) <= (v[':last']?.S ?? END);
      const key = IndexName ? same(item, IndexName, v[':key']) : same(item, 'pk', v[':pk']);
      return key && isInRange;
    });
    items.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    if (Limit !== undefined && items.length > Limit) throw new Error('the fake has one page');
    return items;
  }
}

/** Behind all sort keys of ours. */
const END = '\uffff';
const sortKey = (item: Item) => item['sk']?.S ?? '';
const same = (item: Item, name: string, value: Item[string] | undefined) =>
  item[name]?.S !== undefined && item[name].S === value?.S;

/** The conditions that the store writes under. */
export function holds(expression: string, values: Item, item: Item | undefined): boolean {
  const version = Number(item?.['version']?.N);
  const asked = Number(values[':version']?.N);
  switch (expression) {
    case 'attribute_not_exists(pk)':
      return item === undefined;
    case 'version = :version':
      return version === asked;
    case 'version < :version':
      return version < asked;
    case 'attribute_not_exists(version) OR version < :version':
      return item?.['version'] === undefined || version < asked;
    case 'uid = :uid AND version = :version':
      return item?.['uid']?.S === values[':uid']?.S && version === asked;
    default:
      throw new Error(`a condition that the fake does not know: ${expression}`);
  }
}

/** An error of the SDK by its name. */
export function failure(name: string, httpStatusCode = 400): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
}
