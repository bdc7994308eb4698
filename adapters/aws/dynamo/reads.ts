/**
 * Reads: items as states of objects, one at a time or in the order of lists.
 *
 * Invariant:
 *  R1 A body that is in chunks is whole and of the version that the item names, or it is read
 *     again.
 */
import type { QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { type IndexQuery, indexValues } from '../../../shared/api/change.ts';
import type { AnyObject, ResourceName } from '../../../shared/api/meta.ts';
import { unseal } from '../../../shared/ports/sealed.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import { type ListQuery, Unavailable } from '../../../shared/ports/store.ts';
import type { Calls, Query } from './calls.ts';
import { decodeBody, decodePast } from './codec.ts';
import { type ChunkSet, type Head, headOf, isLive, type Item } from './item.ts';
import {
  chunkPlace,
  indexKeys,
  isIndexed,
  isOf,
  objectRange,
  partitionsOf,
  type Place,
  placeIn,
} from './keys.ts';
import { inOrder, type Source } from './merge.ts';
import type { Recent, State } from './recent.ts';

/** An object is replaced while its chunks are read; not so often in a row. */
const MAX_READS = 5;
/** Index entries whose objects are read at once. */
const GROUP = 200;

export class Reads {
  readonly #calls: Calls;
  readonly #clock: Clock;
  readonly #recent: Recent;
  /** Pages of indexes that are asked for now. */
  readonly #asked = new Map<string, Promise<QueryCommandOutput>>();

  constructor(calls: Calls, clock: Clock, recent: Recent) {
    this.#calls = calls;
    this.#clock = clock;
    this.#recent = recent;
  }

  /** What is at the place: an object or a tombstone. */
  async at(place: Place): Promise<State | undefined> {
    const item = await this.#calls.get(place);
    return item && this.stateOf(item);
  }

  /**
   * The objects and tombstones of a resource, by sort key: in these versions or later ones if they
   * are there, as strongly read as all others. Most are; they are read for half the price.
   */
  async atLeast(
    resource: ResourceName,
    wanted: readonly { readonly sk: string; readonly version: number }[],
  ): Promise<ReadonlyMap<string, State>> {
    const placesOf = (some: typeof wanted) => some.map(({ sk }) => placeIn(resource, sk));
    const states = await this.#allAt(placesOf(wanted), false);
    const late = wanted.filter(({ sk, version }) => {
      return (states.get(sk)?.head.version ?? 0) < version;
    });
    for (const { sk } of late) states.delete(sk);
    for (const [sk, state] of await this.#allAt(placesOf(late))) states.set(sk, state);
    return states;
  }

  /** The objects and tombstones at these places, by sort key. */
  async #allAt(places: readonly Place[], isStrong = true): Promise<Map<string, State>> {
    const states = new Map<string, State>();
    for (const item of await this.#calls.getAll(places, isStrong)) {
      const state = await this.stateOf(item);
      if (state) states.set(item['sk']?.S ?? '', state);
    }
    return states;
  }

  isLive(state: State): boolean {
    return isLive(state.head, this.#clock.nowMs());
  }

  /** The state that an item holds; undefined for what holds none, or has gone since. */
  async stateOf(item: Item): Promise<State | undefined> {
    const head = headOf(item);
    if (!head) return undefined;
    const place = head.place.pk + head.place.sk;
    const known = this.#recent.get(place, head.version);
    if (known) return known;
    if (head.chunks) return this.#chunked(head, head.chunks);
    if (!head.body) return undefined;
    const state = unpacked(head, decodeBody(head.body));
    this.#recent.add(place, state);
    return state;
  }

  async #chunked(first: Head, firstSet: ChunkSet): Promise<State | undefined> {
    let head: Head | undefined = first;
    let set: ChunkSet | undefined = firstSet;
    for (let reads = 0; reads < MAX_READS; reads++) {
      if (!head || !set) return undefined;
      const body: Uint8Array | undefined = await this.#assembled(head.place, set);
      if (body) return unpacked(head, decodeBody(body));
      const item: Item | undefined = await this.#calls.get(head.place);
      head = item && headOf(item);
      if (item && head && !head.chunks) return this.stateOf(item);
      set = head?.chunks;
    }
    throw new Unavailable('a large object was replaced each time that its parts were read');
  }

  /** The whole body; undefined unless all parts of the set are there. */
  async #assembled(place: Place, { name, count }: ChunkSet): Promise<Uint8Array | undefined> {
    const places = Array.from({ length: count }, (_, i) => chunkPlace(place, name, i));
    const found = new Map<string, Uint8Array>();
    for (const item of await this.#calls.getAll(places)) {
      if (item['chunk']?.B) found.set(item['sk']?.S ?? '', item['chunk'].B);
    }
    const parts = places.flatMap(({ sk }) => found.get(sk) ?? []);
    return parts.length === count ? Buffer.concat(parts) : undefined;
  }

  /** The live objects of a query, in order; `limit` only says how many are wanted. */
  async *objects(query: ListQuery): AsyncGenerator<State> {
    const { index, resource } = query;
    if (index && isIndexed(index.name, index.value)) {
      yield* this.#indexed(query, index);
      return;
    }
    for await (const item of inOrder(this.#partitions(query))) {
      const state = await this.stateOf(item);
      if (!state || !this.isLive(state)) continue;
      if (!index || has(index, resource, state.object)) yield state;
    }
  }

  /** All objects of the range, or those of it whose names begin so. */
  #partitions({ resource, namespace, after, limit }: ListQuery, names?: string): Source[] {
    const partitions = partitionsOf(resource);
    const { first, last } = objectRange(namespace, after, names);
    return partitions.map((pk) =>
      this.#calls.query({
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
        FilterExpression: 'attribute_not_exists(deleted)',
        ExpressionAttributeValues: {
          ':pk': { S: pk },
          ':first': { S: first },
          ':last': { S: last },
        },
        ConsistentRead: true,
        ...(limit !== undefined && { Limit: shareOf(limit, partitions.length) }),
      }),
    );
  }

  /** What the index has, and what has no entry since its name tells of its owner. */
  async *#indexed(query: ListQuery, index: IndexQuery): AsyncGenerator<State> {
    const { resource, namespace } = query;
    const names = index.name === 'owner' && resource === 'pods' ? index.names : undefined;
    const within = namespace === undefined ? undefined : names;
    const named = names === undefined ? [] : this.#partitions(query, within);
    let group: (Place | State)[] = [];
    const read = async (): Promise<State[]> => {
      const states = await this.#allAt(group.filter((one) => 'sk' in one));
      const found = group.flatMap((one) => ('sk' in one ? (states.get(one.sk) ?? []) : one));
      group = [];
      // The index lags behind: what it says of an object may have been.
      return found.filter((state) => this.isLive(state) && has(index, resource, state.object));
    };
    const size = Math.min(GROUP, (query.limit ?? GROUP) + 1);
    let last = '';
    for await (const item of inOrder([...named, ...this.#entries(query, index)])) {
      const sk = item['sk']?.S ?? '';
      if (sk === last) continue;
      last = sk;
      const state = await this.stateOf(item);
      group.push(state ?? placeIn(resource, sk));
      if (group.length >= size) yield* await read();
    }
    yield* await read();
  }

  /** An owner's entries are of all resources, in one order: those of others are passed over. */
  #entries(query: ListQuery, index: IndexQuery): Source[] {
    const { resource, namespace, after, limit } = query;
    const { first, last } = objectRange(namespace, after);
    const keys = indexKeys(index.name, resource, index.value);
    return keys.map((key) =>
      this.#ofResource(resource, {
        IndexName: index.name,
        KeyConditionExpression: '#index = :key AND sk BETWEEN :first AND :last',
        ExpressionAttributeNames: { '#index': index.name },
        ExpressionAttributeValues: {
          ':key': { S: key },
          ':first': { S: first },
          ':last': { S: last },
        },
        ...(limit !== undefined && { Limit: shareOf(limit, keys.length) }),
      }),
    );
  }

  async *#ofResource(resource: ResourceName, query: Query): Source {
    let from: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await this.#page(query, from);
      yield Items.filter((item) => isOf(resource, item['pk']?.S ?? ''));
      from = LastEvaluatedKey;
    } while (from);
  }

  /**
   * A page of an index. Who asks while the same is asked shares the answer, as the garbage
   * collector does, which wants the dependents of all resources: an index lags anyway.
   */
  #page(query: Query, from: Item | undefined): Promise<QueryCommandOutput> {
    const text = JSON.stringify([query, from]);
    const known = this.#asked.get(text);
    if (known) return known;
    const asked = this.#calls.page(query, from).finally(() => this.#asked.delete(text));
    this.#asked.set(text, asked);
    return asked;
  }
}

/** The state of an item whose body is this JSON. */
function unpacked(head: Head, json: string): State {
  const { past } = head;
  return {
    head,
    object: unseal(json),
    past: () => (past ? decodePast(past, json) : []),
    jsonLength: json.length,
  };
}

function has({ name, value }: IndexQuery, resource: ResourceName, object: AnyObject): boolean {
  return indexValues(name, resource, object).includes(value);
}

/** What a part is likely to contribute to `limit`, and some more: parts are not quite even. */
function shareOf(limit: number, parts: number): number {
  const even = (limit + 1) / parts;
  return Math.min(Math.ceil(even + 2 * Math.sqrt(even)), MAX_PAGE);
}

/** Far more than fit in an answer. */
const MAX_PAGE = 10_000;
