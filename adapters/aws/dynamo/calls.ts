/**
 * Calls of DynamoDB: each attempt within its time, reads repeated, batches and pages followed to
 * their end. Its errors come as the port's. It knows keys and items, and nothing of objects.
 *
 * Invariants:
 *  C1 An attempt is over within `ATTEMPT_MS`: a write that is not done by then is given up, so that
 *     readers know how far back a version may still appear (OVERLAP_MS, changes.ts).
 */
import {
  BatchGetItemCommand,
  type BatchGetItemCommandInput,
  type BatchGetItemCommandOutput,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  type KeysAndAttributes,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../../shared/ports/clock.ts';
import { Unavailable } from '../../../shared/ports/store.ts';
import { isNotNow } from './errors.ts';
import type { Item } from './item.ts';
import type { Place } from './keys.ts';

/** Of one attempt; DynamoDB answers in some 10 ms, and a lost packet costs a second. */
export const ATTEMPT_MS = 2_000;
/**
 * Waits between attempts: long enough for a partition to be split or a connection to be made anew,
 * short enough that the caller, who repeats as well, is not held up (B5).
 */
export const BACK_OFF_MS: readonly number[] = [50, 250];

/** DynamoDB's own limit. */
const MAX_BATCH_KEYS = 100;
/** Batches under way at once: connections are kept for others too. */
const MAX_BATCHES_AT_ONCE = 8;
/**
 * How often the rest of a batch is asked for. Each answer holds up to 16 MB, or what the partition
 * could bear.
 */
const MAX_ROUNDS = 20;

export interface CallsOptions {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
}

/** A condition, with its values. */
export interface Condition {
  readonly expression: string;
  readonly values?: Item;
}

interface Answer {
  readonly $metadata: { readonly requestId?: string | undefined };
}

export type Query = Omit<QueryCommandInput, 'TableName' | 'ExclusiveStartKey'>;

export class Calls {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #clock: Clock;
  #requestId = '';

  constructor({ client, table, clock }: CallsOptions) {
    this.#client = client;
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * One attempt. Throws what DynamoDB answers: see errors.ts. Resolves to the item that was
   * replaced.
   */
  async put(item: Item, condition?: Condition): Promise<Item | undefined> {
    const input: PutItemCommandInput = {
      TableName: this.#table,
      Item: item,
      ReturnValues: 'ALL_OLD',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      ...(condition && conditional(condition)),
    };
    const { Attributes } = await this.#attempt((signal) =>
      this.#client.send(new PutItemCommand(input), signal),
    );
    return Attributes;
  }

  /** One attempt. */
  async delete(place: Place, condition?: Condition): Promise<void> {
    const input = {
      TableName: this.#table,
      Key: keyOf(place),
      ...(condition && conditional(condition)),
    };
    await this.#attempt((signal) => this.#client.send(new DeleteItemCommand(input), signal));
  }

  /** Strongly consistent. */
  async get(place: Place): Promise<Item | undefined> {
    const input = { TableName: this.#table, Key: keyOf(place), ConsistentRead: true };
    const { Item: item } = await this.#reading((signal) =>
      this.#client.send(new GetItemCommand(input), signal),
    );
    return item;
  }

  /** The items that are there, in no order: as they are, or for half the price as they were. */
  async getAll(places: readonly Place[], isStrong = true): Promise<Item[]> {
    const batches: Place[][] = [];
    for (let start = 0; start < places.length; start += MAX_BATCH_KEYS) {
      batches.push(places.slice(start, start + MAX_BATCH_KEYS));
    }
    const items: Item[] = [];
    const work = async (): Promise<void> => {
      for (let batch = batches.shift(); batch; batch = batches.shift()) {
        items.push(...(await this.#getBatch(batch, isStrong)));
      }
    };
    await Promise.all(Array.from({ length: MAX_BATCHES_AT_ONCE }, work));
    return items;
  }

  /** One page, from a key on. */
  async page(query: Query, from: Item | undefined): Promise<QueryCommandOutput> {
    const input = {
      ...query,
      TableName: this.#table,
      ...(from && { ExclusiveStartKey: from }),
    };
    return this.#reading((signal) => this.#client.send(new QueryCommand(input), signal));
  }

  /** All items of a query, page by page. */
  async *query(query: Query): AsyncGenerator<Item[]> {
    let from: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await this.page(query, from);
      yield Items;
      from = LastEvaluatedKey;
    } while (from);
  }

  async #getBatch(places: readonly Place[], isStrong: boolean): Promise<Item[]> {
    const items: Item[] = [];
    let rest: KeysAndAttributes | undefined = { Keys: places.map(keyOf), ConsistentRead: isStrong };
    for (let round = 0; rest && round < MAX_ROUNDS; round++) {
      const input: BatchGetItemCommandInput = { RequestItems: { [this.#table]: rest } };
      const { Responses, UnprocessedKeys }: BatchGetItemCommandOutput = await this.#reading(
        (signal) => this.#client.send(new BatchGetItemCommand(input), signal),
      );
      const got = Responses?.[this.#table] ?? [];
      items.push(...got);
      rest = UnprocessedKeys?.[this.#table];
      if (rest && got.length === 0) await this.#clock.delay(backOffMs(round));
    }
    if (rest) throw new Unavailable('DynamoDB left a part of a batch unread, again and again');
    return items;
  }

  async #reading<T extends Answer>(
    call: (options: { abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(call);
      } catch (error) {
        if (!isNotNow(error)) throw error;
        const waitMs = BACK_OFF_MS[attempt];
        if (waitMs === undefined) throw unavailable(error);
        await this.#clock.delay(waitMs);
      }
    }
  }

  /** Of the first answer: no other process has the same. */
  get requestId(): string {
    return this.#requestId;
  }

  async #attempt<T extends Answer>(
    call: (options: { abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const late = new AbortController();
    const over = new AbortController();
    void this.#clock.delay(ATTEMPT_MS, over.signal).then(() => {
      if (!over.signal.aborted) late.abort();
    });
    try {
      const answer = await call({ abortSignal: late.signal });
      this.#requestId ||= answer.$metadata.requestId ?? '';
      return answer;
    } finally {
      over.abort();
    }
  }
}

export function unavailable(cause: unknown): Unavailable {
  const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new Unavailable(text, { cause });
}

function backOffMs(round: number): number {
  return BACK_OFF_MS[Math.min(round, BACK_OFF_MS.length - 1)] ?? 0;
}

function conditional({ expression, values }: Condition) {
  return {
    ConditionExpression: expression,
    ...(values && { ExpressionAttributeValues: values }),
  };
}

function keyOf({ pk, sk }: Place): Item {
  return { pk: { S: pk }, sk: { S: sk } };
}
