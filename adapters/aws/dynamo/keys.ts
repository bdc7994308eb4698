/**
 * Where an object is in the table: its partition, its place in it, and what the indexes are keyed
 * by. All of it is for ever: another answer for an old object loses the object.
 */
import { type IndexName, indexValues } from '../../../shared/api/change.ts';
import { hash64 } from '../../../shared/api/hash.ts';
import type { AnyObject, ObjectKey, ResourceName } from '../../../shared/api/meta.ts';
import { listPosition, positionKey } from '../../../shared/ports/store-kit.ts';

/** The primary key of an item. */
export interface Place {
  readonly pk: string;
  readonly sk: string;
}

/**
 * A partition takes 1,000 writes a second and, having a local index, holds 10 GB: what there is a
 * lot of has several. The others have one, so that reading all of them is one query.
 */
const SHARDS: ReadonlyMap<ResourceName, number> = new Map([
  ['pods', 8],
  ['events', 8],
  ['replicasets.apps', 4],
  ['endpointslices.discovery.k8s.io', 4],
  ['nodes', 4],
  ['nodeallocations.nullplane.io', 4],
]);

/** An index entry costs a write like an item: the pods of one owner or node are written apart. */
const INDEX_SHARDS = 4;

/**
 * Not indexed, but found by looking at all pods: no node yet, and the nodes without an edge. They
 * hold most pods of an installation, so that their entries would cost much and narrow nothing.
 */
const WIDE_NODES: ReadonlySet<string> = new Set(['', 'fargate', 'fargate-spot']);

const OBJECT = 'o#';
const CHUNK = 'c#';
const ALIAS = 'a#';
const END = '\0';

export function placeOf(key: ObjectKey): Place {
  const position = listPosition(key);
  return { pk: partition(key.resource, shardOf(key.resource, position)), sk: OBJECT + position };
}

/** The object that is at this place; undefined when it is a place of something else. */
export function keyAt({ pk, sk }: Place): ObjectKey | undefined {
  const end = pk.lastIndexOf('#');
  if (end < 0 || pk.startsWith(ALIAS) || !sk.startsWith(OBJECT)) return undefined;
  return { resource: pk.slice(0, end), ...positionKey(sk.slice(OBJECT.length)) };
}

export function positionOf({ sk }: Pick<Place, 'sk'>): string {
  return sk.slice(OBJECT.length);
}

/** The partitions of a resource. */
export function partitionsOf(resource: ResourceName): string[] {
  return shards(SHARDS.get(resource) ?? 1).map((shard) => partition(resource, shard));
}

/** What the sort keys of a resource's or namespace's objects begin with. */
export function objectPrefix(namespace: string | undefined): string {
  return namespace === undefined ? OBJECT : OBJECT + listPosition({ namespace, name: '' });
}

/** The first and last sort key of a namespace's (or all) objects after a position. */
export function objectRange(namespace: string | undefined, after: string | undefined) {
  const prefix = objectPrefix(namespace);
  const start = after === undefined ? prefix : OBJECT + after + END;
  return { first: compareKeys(start, prefix) < 0 ? prefix : start, last: following(prefix) };
}

/** The first text after all that begin with this one. */
function following(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** What the sort keys of all parts of an object begin with: no name holds its last character. */
export function chunkPrefix(place: Pick<Place, 'sk'>): string {
  return CHUNK + positionOf(place) + END;
}

/** Part `i` of one body of the object: `set` names the body. */
export function chunkPlace({ pk, sk }: Place, set: string, i: number): Place {
  return { pk, sk: `${chunkPrefix({ sk })}${set}${END}${i}` };
}

/** The set that a part belongs to. */
export function chunkSet(chunk: Pick<Place, 'sk'>, owner: Pick<Place, 'sk'>): string {
  return chunk.sk.slice(chunkPrefix(owner).length).split(END)[0] ?? '';
}

/** The item by which an object is found under one more owner. Its sort key is the object's. */
export function aliasPlace({ pk, sk }: Place, owner: string): Place {
  return { pk: `${ALIAS}${pk}#${owner}`, sk };
}

/** The key under which an object at this position is in an index. */
export function indexKey(resource: ResourceName, value: string, position: string): string {
  const shard = Number((hash64(position) >> 16n) % BigInt(INDEX_SHARDS));
  return `${resource}#${value}#${shard}`;
}

/** All keys under which objects of this value are in an index. */
export function indexKeys(resource: ResourceName, value: string): string[] {
  return shards(INDEX_SHARDS).map((shard) => `${resource}#${value}#${shard}`);
}

/** Whether objects of this value are in the index at all; if not, all must be looked at. */
export function isIndexed(index: IndexName, value: string): boolean {
  return index !== 'node' || !WIDE_NODES.has(value);
}

/** The values under which the index is to find the object. */
export function indexedValues(
  index: IndexName,
  resource: ResourceName,
  object: AnyObject,
): string[] {
  const values = new Set(indexValues(index, resource, object));
  return [...values].filter((value) => isIndexed(index, value));
}

/** The table's order of texts: by their bytes in UTF-8, where JavaScript's is by UTF-16. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function shardOf(resource: ResourceName, position: string): number {
  return Number(hash64(position) % BigInt(SHARDS.get(resource) ?? 1));
}

const partition = (resource: ResourceName, shard: number) => `${resource}#${shard}`;
const shards = (count: number) => Array.from({ length: count }, (_, shard) => shard);
