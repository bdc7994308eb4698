/**
 * A table in memory that answers the SDK's requests and says what each was counted as. It keeps to
 * what the store sends (five commands, five conditions, three forms of queries) and refuses the
 * rest. What DynamoDB would do at its limits (throttling, splitting) is not here.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Item, itemBytes } from '../../adapters/aws/dynamo/item.ts';
import { compareKeys } from '../../adapters/aws/dynamo/keys.ts';
import { holds } from '../../test/unit/dynamo/fake-dynamodb.ts';
import { entryOf, INDEXES, readUnits, refusedUnits, writeUnits } from './units.ts';

/** An item as it is on the wire: bytes in base64. */
type AttributeValue = Item[string];
type Wire = Record<string, Omit<AttributeValue, 'B'> & { readonly B?: string }>;

export interface Counted {
  /** The command, of a query its index, and the resource: what a line of the report is about. */
  readonly operation: string;
  readonly readUnits: number;
  readonly writeUnits: number;
  /** Those of them that indexes took. */
  readonly indexUnits: number;
}

export interface TableAnswer {
  readonly status: number;
  readonly body: object;
  readonly counted: Counted;
}

/** A change as the stream tells of it. */
export interface StreamEntry {
  readonly shard: number;
  readonly sequence: number;
  readonly before: Wire | undefined;
  readonly after: Wire | undefined;
}

/** A table on demand begins with four partitions, and its stream with a shard for each. */
export const STREAM_SHARDS = 4;

/** A page holds no more, before any filter: DynamoDB API reference, Query. */
const MAX_PAGE_BYTES = 1_048_576;
/** Amazon DynamoDB developer guide, quotas: names and values of an item together. */
const MAX_ITEM_BYTES = 409_600;
/** DynamoDB API reference, BatchGetItem. */
const MAX_BATCH_KEYS = 100;

interface Stored {
  readonly wire: Wire;
  readonly item: Item;
  readonly bytes: number;
}

/** Items in order of a key: by its bytes in UTF-8. */
class Ordered {
  readonly #items = new Map<string, Stored>();
  #keys: string[] | undefined;

  get(key: string): Stored | undefined {
    return this.#items.get(key);
  }

  set(key: string, stored: Stored | undefined): void {
    if ((stored !== undefined) !== this.#items.has(key)) this.#keys = undefined;
    if (stored) this.#items.set(key, stored);
    else this.#items.delete(key);
  }

  /** Those from a key on, in order. */
  *from(first: string): Generator<readonly [string, Stored]> {
    this.#keys ??= [...this.#items.keys()].sort(compareKeys);
    let low = 0;
    for (let high = this.#keys.length; low < high;) {
      const middle = (low + high) >> 1;
      if (compareKeys(this.#keys[middle] ?? '', first) < 0) low = middle + 1;
      else high = middle;
    }
    for (const key of this.#keys.slice(low)) {
      const stored = this.#items.get(key);
      if (stored) yield [key, stored];
    }
  }
}

type Input = Record<string, never> & {
  readonly Item?: Wire;
  readonly Key?: Wire;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeValues?: Wire;
  readonly ReturnValues?: string;
  readonly ReturnValuesOnConditionCheckFailure?: string;
  readonly ProjectionExpression?: string;
  readonly ConsistentRead?: boolean;
  readonly IndexName?: string;
  readonly Limit?: number;
  readonly FilterExpression?: string;
  readonly KeyConditionExpression?: string;
  readonly ExclusiveStartKey?: Wire;
  readonly RequestItems?: Record<string, Batch>;
};

interface Batch {
  readonly Keys: readonly Wire[];
  readonly ConsistentRead?: boolean;
}

export class Table {
  /** By index ('' is the table itself) and partition. */
  readonly #parts = new Map<string, Ordered>();
  readonly #tell: (entry: StreamEntry) => void;
  #sequence = 0;

  constructor(tell: (entry: StreamEntry) => void) {
    this.#tell = tell;
  }

  answer(command: string, input: Input): TableAnswer {
    const { counted, ...answer } = this.#answer(command, input);
    const operation = `${counted.operation} ${resourceOf(input)}`;
    return { ...answer, counted: { ...counted, operation } };
  }

  #answer(command: string, input: Input): TableAnswer {
    switch (command) {
      case 'GetItem':
        return this.#get(input);
      case 'PutItem':
        return this.#write('PutItem', input.Item ?? {}, input, stored(input.Item ?? {}));
      case 'DeleteItem':
        return this.#write('DeleteItem', input.Key ?? {}, input, undefined);
      case 'BatchGetItem':
        return this.#getAll(input);
      case 'Query':
        return this.#query(input);
      default:
        throw new Error(`the table does not know ${command}`);
    }
  }

  /** The bodies of a resource's objects that are not deleted. */
  bodies(resource: string): Uint8Array[] {
    const parts = [...this.#parts].filter(([id]) => id.startsWith(`\u0001${resource}#`));
    const items = parts.flatMap(([, part]) => [...part.from('')].map(([, { item }]) => item));
    return items.flatMap(({ deleted, body }) => (deleted || !body?.B ? [] : [body.B]));
  }

  #part(index: string, key: string): Ordered {
    const id = `${index}\u0001${key}`;
    const part = this.#parts.get(id) ?? new Ordered();
    this.#parts.set(id, part);
    return part;
  }

  #at(key: Wire): Stored | undefined {
    return this.#part('', textOf(key['pk'])).get(textOf(key['sk']));
  }

  #get({ Key = {}, ConsistentRead = false }: Input): TableAnswer {
    const found = this.#at(Key);
    const units = readUnits(found?.bytes ?? 0, ConsistentRead);
    return answered(found ? { Item: found.wire } : {}, read('GetItem', units));
  }

  #getAll({ RequestItems = {} }: Input): TableAnswer {
    const [[table, batch] = ['', { Keys: [] }]] = Object.entries<Batch>(RequestItems);
    const { Keys, ConsistentRead = false } = batch;
    const isTwice = new Set(Keys.map((key) => JSON.stringify(key))).size < Keys.length;
    if (Keys.length > MAX_BATCH_KEYS || isTwice) return invalid('BatchGetItem');
    const found = Keys.map((key) => this.#at(key));
    const units = found.reduce((sum, one) => sum + readUnits(one?.bytes ?? 0, ConsistentRead), 0);
    const items = found.flatMap((one) => one?.wire ?? []);
    const body = { Responses: { [table]: items }, UnprocessedKeys: {} };
    return answered(body, read('BatchGetItem', units));
  }

  #write(operation: string, key: Wire, input: Input, after: Stored | undefined): TableAnswer {
    const before = this.#at(key);
    if ((after?.bytes ?? 0) > MAX_ITEM_BYTES) return invalid(operation);
    const { ConditionExpression: expression, ExpressionAttributeValues: values = {} } = input;
    if (expression !== undefined && !holds(expression, decoded(values), before?.item)) {
      const units = refusedUnits(before?.item);
      const isTold = before && input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD';
      const body = { __type: REFUSED, message: 'refused', ...(isTold && { Item: before.wire }) };
      return { status: 400, body, counted: written(`${operation} refused`, units, 0) };
    }
    const { table, indexes } = writeUnits(before?.item, after?.item);
    const indexUnits = Object.values(indexes).reduce((sum, units) => sum + units, 0);
    this.#put(key, before, after);
    const body = before && input.ReturnValues === 'ALL_OLD' ? { Attributes: before.wire } : {};
    return answered(body, written(operation, table + indexUnits, indexUnits));
  }

  #put(key: Wire, before: Stored | undefined, after: Stored | undefined): void {
    const [pk, sk] = [textOf(key['pk']), textOf(key['sk'])];
    this.#part('', pk).set(sk, after);
    for (const index of INDEXES) {
      for (const state of [before, after]) {
        const entry = entryOf(index, state?.item);
        if (!entry || !state) continue;
        const [partition = '', sort = ''] = index.keys.map((name) => textOf(entry[name]));
        const bytes = itemBytes(entry);
        const wire = encoded(entry);
        const kept = state === after ? { wire, item: entry, bytes } : undefined;
        this.#part(index.name, partition).set(`${sort}\u0001${pk}\u0001${sk}`, kept);
      }
    }
    if (isDeepStrictEqual(before?.wire, after?.wire)) return; // what changes nothing is not told
    const shard = createHash('md5').update(pk).digest()[0] ?? 0;
    const told = { before: before?.wire, after: after?.wire };
    this.#tell({ shard: shard % STREAM_SHARDS, sequence: ++this.#sequence, ...told });
  }

  #query(input: Input): TableAnswer {
    const { IndexName: index = '', FilterExpression: filter, Limit: limit = Infinity } = input;
    const items: Wire[] = [];
    let [bytes, looked] = [0, 0];
    let lastSeen: Wire = {};
    let isOver = true;
    for (const { wire, bytes: size } of this.#range(index, input)) {
      isOver = looked === 0 || bytes + size <= MAX_PAGE_BYTES;
      if (!isOver) break;
      looked++;
      bytes += size;
      lastSeen = wire;
      if (filter === undefined || wire['deleted'] === undefined) items.push(projected(wire, input));
      // It stops at the limit without a look at what follows, if anything does.
      isOver = looked < limit;
      if (!isOver) break;
    }
    const units = readUnits(bytes, input.ConsistentRead === true);
    const body = { Items: items, ...(!isOver && { LastEvaluatedKey: startKey(index, lastSeen) }) };
    return answered(body, read(index === '' ? 'Query' : `Query ${index}`, units));
  }

  *#range(index: string, input: Input): Generator<Stored> {
    const { ExpressionAttributeValues: v = {}, ExclusiveStartKey: start } = input;
    const part = this.#part(index, textOf(v[':pk'] ?? v[':key']));
    const first = textOf(v[':first'] ?? v[':prefix'] ?? { S: '' });
    const last = v[':last'] ? textOf(v[':last']) : undefined;
    const prefix = v[':prefix'] ? first : '';
    const after = start && positionIn(index, start);
    for (const [key, stored] of part.from(after ?? first)) {
      const sort = key.split('\u0001')[0] ?? '';
      if (key === after) continue;
      const isPast = last !== undefined && compareKeys(sort, last) > 0;
      if (isPast || !sort.startsWith(prefix)) return;
      yield stored;
    }
  }
}

/** Partitions are named by their resource; aliases and journals have a mark before it. */
function resourceOf({ Item, Key, ExpressionAttributeValues: v, RequestItems = {} }: Input): string {
  const [first] = Object.values<Batch>(RequestItems).flatMap(({ Keys }) => Keys);
  const key = Item?.['pk'] ?? Key?.['pk'] ?? v?.[':pk'] ?? first?.['pk'];
  if (!key) return 'entries';
  const [name = '', rest = ''] = textOf(key).split('#');
  return name === 'j' ? `journal of ${rest}` : name === 'a' ? rest : name;
}

const REFUSED = 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException';

function positionIn(index: string, key: Wire): string {
  const [pk, sk] = [textOf(key['pk']), textOf(key['sk'])];
  if (index === '') return sk;
  const sort = INDEXES.find(({ name }) => name === index)?.keys[1] ?? '';
  return `${textOf(key[sort])}\u0001${pk}\u0001${sk}`;
}

/** The store asks for names that are no words of DynamoDB's, or for all. */
function projected(wire: Wire, { ProjectionExpression: names }: Input): Wire {
  if (names === undefined) return wire;
  const own = names
    .split(', ')
    .flatMap((name): [string, Wire[string]][] => (wire[name] ? [[name, wire[name]]] : []));
  return Object.fromEntries(own);
}

/** A request that DynamoDB takes for a mistake. */
function invalid(operation: string): TableAnswer {
  const body = { __type: 'com.amazon.coral.validate#ValidationException', message: 'invalid' };
  return { status: 400, body, counted: read(`${operation} invalid`, 0) };
}

function startKey(index: string, wire: Wire): Wire {
  const keys = INDEXES.find(({ name }) => name === index)?.keys ?? [];
  const names = ['pk', 'sk', ...keys];
  return Object.fromEntries(names.flatMap((name) => (wire[name] ? [[name, wire[name]]] : [])));
}

/** Numbers of ours have equally many digits where they are keys, so that they sort as texts. */
function textOf(value: AttributeValue | Wire[string] | undefined): string {
  return value?.S ?? value?.N ?? '';
}

function stored(wire: Wire): Stored {
  const item = decoded(wire);
  return { wire, item, bytes: itemBytes(item) };
}

function decoded(wire: Wire): Item {
  return Object.fromEntries(
    Object.entries(wire).map(([name, value]) => {
      const { B: text } = value;
      return [name, (text === undefined ? value : { B: Buffer.from(text, 'base64') }) as never];
    }),
  );
}

function encoded(item: Item): Wire {
  return item as Wire; // entries of indexes hold no bytes
}

function answered(body: object, counted: Counted): TableAnswer {
  return { status: 200, body, counted };
}

function read(operation: string, units: number): Counted {
  return { operation, readUnits: units, writeUnits: 0, indexUnits: 0 };
}

function written(operation: string, units: number, indexUnits: number): Counted {
  return { operation, readUnits: 0, writeUnits: units, indexUnits };
}
