/**
 * Where an object is in the table: its partition, its place in it, and what the indexes are keyed
 * by. All of it is for ever: another answer for an old object loses the object.
 */
import { type IndexName, indexValues, ownerByName } from '../../../shared/api/change.ts';
import { hash64 } from '../../../shared/api/hash.ts';
import type { AnyObject, ObjectKey, ResourceName } from '../../../shared/api/meta.ts';
import { listPosition, positionKey } from '../../../shared/ports/store-kit.ts';

/** The primary key of an item. */
export interface Place {
  readonly pk: string;
  readonly sk: string;
}

/**
 * A partition takes 1,000 writes a second: what there is a lot of has several. The others have one,
 * so that reading all of them is one query.
 */
const SHARDS: ReadonlyMap<ResourceName, number> = new Map([
  ['pods', 4],
  ['events', 4],
  ['replicasets.apps', 2],
  ['endpointslices.discovery.k8s.io', 2],
  ['nodes', 2],
  ['nodeallocations.nullplane.io', 2],
]);

/**
 * An index entry costs a write like an item: those of one owner or node are written apart. Few,
 * since each part is asked, and pods of ReplicaSets, of which there are many, have no entry.
 */
const INDEX_SHARDS = 2;

/**
 * What is told in which journal. Pods share theirs with what is told of them, so that both are one
 * announcement; all else is written seldom, and who reads four of its resources reads one journal.
 */
const JOURNAL_OF: ReadonlyMap<ResourceName, string> = new Map([
  ['pods', 'pods'],
  ['events', 'pods'],
]);
const OTHERS_JOURNAL = 'others';

/** A part takes 1,000 announcements a second, each of what a process writes at a time. */
const JOURNAL_PARTS: ReadonlyMap<string, number> = new Map([['pods', 2]]);

/**
 * Not indexed, but found by looking at all pods: no node yet, and the nodes without an edge. They
 * hold most pods of an installation, so that their entries would cost much and narrow nothing.
 */
const WIDE_NODES: ReadonlySet<string> = new Set(['', 'fargate', 'fargate-spot']);

const OBJECT = 'o#';
const CHUNK = 'c#';
const ALIAS = 'a#';
const JOURNAL = 'j#';
const END = '\0';

export function placeOf(key: ObjectKey): Place {
  const position = listPosition(key);
  return { pk: partition(key.resource, shardOf(key.resource, position)), sk: OBJECT + position };
}

/** The place of the resource's object that has this sort key. */
export function placeIn(resource: ResourceName, sk: string): Place {
  return { pk: partition(resource, shardOf(resource, positionOf({ sk }))), sk };
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

/**
 * The first and last sort key of a namespace's (or all) objects after a position; of those whose
 * names begin with `names` if it is given, which takes a namespace.
 */
export function objectRange(
  namespace: string | undefined,
  after: string | undefined,
  names: string = '',
) {
  const prefix = objectPrefix(namespace) + names;
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

/** The journal that tells of the resource's writes. */
export function journalOf(resource: ResourceName): string {
  return JOURNAL_OF.get(resource) ?? OTHERS_JOURNAL;
}

/** The partitions of a journal. */
export function journalPartitions(journal: string): string[] {
  return shards(JOURNAL_PARTS.get(journal) ?? 1).map((part) => `${JOURNAL}${journal}#${part}`);
}

/** The key under which an object at this position is in an index. */
export function indexKey(
  index: IndexName,
  resource: ResourceName,
  value: string,
  position: string,
): string {
  const shard = Number((hash64(position) >> 16n) % BigInt(INDEX_SHARDS));
  return `${indexPartition(index, resource, value)}#${shard}`;
}

/** All keys under which objects of this value are in an index. */
export function indexKeys(index: IndexName, resource: ResourceName, value: string): string[] {
  const partition = indexPartition(index, resource, value);
  return shards(INDEX_SHARDS).map((shard) => `${partition}#${shard}`);
}

/**
 * An owner's dependents of all resources are together, so that who wants them all asks once: there
 * is one owner of a uid. What has none is looked for by its resource.
 */
function indexPartition(index: IndexName, resource: ResourceName, value: string): string {
  return index === 'owner' && value !== '' ? value : `${resource}#${value}`;
}

/** Whether objects of this value are in the index at all; if not, all must be looked at. */
export function isIndexed(index: IndexName, value: string): boolean {
  return index !== 'node' || !WIDE_NODES.has(value);
}

/** Whether an item of this partition is an object of the resource, or tells of one. */
export function isOf(resource: ResourceName, pk: string): boolean {
  return pk.startsWith(`${resource}#`) || pk.startsWith(`${ALIAS}${resource}#`);
}

/** The values under which the index is to find the object. */
export function indexedValues(
  index: IndexName,
  resource: ResourceName,
  object: AnyObject,
): string[] {
  const values = new Set(indexValues(index, resource, object));
  const byName = index === 'owner' ? ownerByName(resource, object) : undefined;
  return [...values].filter((value) => isIndexed(index, value) && value !== byName);
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
