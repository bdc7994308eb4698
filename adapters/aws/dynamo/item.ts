/**
 * An object as an item: which attributes it has, and what they mean. docs/data-model.md has the
 * table of them.
 *
 * Invariants:
 *  I1 `version` and `uid` are those of the object in the body; a tombstone's are of the deletion.
 *  I2 A tombstone (`deleted`) or an item past its `ttl` is no object: reads pass over it, and a
 *     create takes its place.
 *  I3 `born` is the earliest version of the name that is accounted for: when a state is neither in
 *     `past` nor older than `born`, it was forgotten.
 */
import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { IndexName } from '../../../shared/api/change.ts';
import type { AnyObject, ObjectKey } from '../../../shared/api/meta.ts';
import type { Sealed } from '../../../shared/ports/sealed.ts';
import { encodeBody, encodePast, type PastState } from './codec.ts';
import { indexedValues, indexKey, keyAt, type Place, positionOf } from './keys.ts';

export type Item = Record<string, AttributeValue>;

/** A body in items of its own. `name` is of the version and of what is in it. */
export interface ChunkSet {
  readonly name: string;
  readonly count: number;
}

/** What is decoded of an item without its body. */
export interface Head {
  readonly place: Place;
  readonly key: ObjectKey;
  readonly version: number;
  readonly uid: string;
  readonly born: number;
  readonly isDeleted: boolean;
  /** When the item is no more, though it may still be there. */
  readonly expiresAtMs: number;
  /** Where the body is when it is not in the item. */
  readonly chunks: ChunkSet | undefined;
  readonly body: Uint8Array | undefined;
  readonly past: Uint8Array | undefined;
  /** Further owners, under which aliases find the object. */
  readonly aliases: readonly string[];
}

/** What a write stores. */
export interface Draft {
  readonly key: ObjectKey;
  readonly place: Place;
  readonly sealed: Sealed;
  readonly version: number;
  readonly born: number;
  readonly isDeleted: boolean;
  readonly expiresAtMs?: number;
  /** Newest first. */
  readonly past: readonly PastState[];
}

export interface Packed {
  readonly item: Item;
  /** The body in parts, when it is too large for the item, and the name of their set. */
  readonly set: string;
  readonly chunks: readonly Uint8Array[];
}

/** DynamoDB counts a write in these; room that is left is free. */
const UNIT_BYTES = 1024;
/** Of DynamoDB's 400 KB an item; the rest is for keys, past and owners. */
const MAX_BODY_BYTES = 350 * 1024;
/** States before that are kept with an object, room permitting: what a watch falls behind by. */
export const MAX_PAST_STATES = 4;
/** One is kept although it costs: without it a watch can't tell who left its selection. */
const MAX_PAST_COST_BYTES = 1024;
/** Above this, states are not compared to each other: the window of the compression is 32 KB. */
const MAX_PAST_JSON_BYTES = 32 * 1024;

export function packed(draft: Draft): Packed {
  const { place, version, born, isDeleted, expiresAtMs, sealed, key } = draft;
  const { json, body } = bodyOf(draft);
  const chunks = body.length > MAX_BODY_BYTES ? chunked(body) : [];
  const set = `${version}-${digest(body)}`;
  const item: Item = {
    pk: { S: place.pk },
    sk: { S: place.sk },
    version: { N: String(version) },
    born: { N: String(born) },
    uid: { S: sealed.object.metadata.uid },
    ...(chunks.length > 0
      ? { set: { S: set }, chunks: { N: String(chunks.length) } }
      : { body: { B: body } }),
    ...(isDeleted ? { deleted: { BOOL: true } } : indexAttributes(key, place, sealed.object)),
    ...(expiresAtMs !== undefined && { ttl: { N: String(Math.ceil(expiresAtMs / 1000)) } }),
  };
  const past = packedPast(draft.past, json, UNIT_BYTES - (itemBytes(item) % UNIT_BYTES));
  return { item: past ? { ...item, past: { B: past } } : item, set, chunks };
}

/** A tombstone is one item: of an object that would not fit, it keeps what names and selects it. */
function bodyOf({ sealed, isDeleted }: Draft): { json: string; body: Uint8Array } {
  const body = encodeBody(sealed.json);
  if (!isDeleted || body.length <= MAX_BODY_BYTES) return { json: sealed.json, body };
  const { apiVersion, kind, metadata } = sealed.object;
  const { name, namespace, uid, resourceVersion, creationTimestamp, labels } = metadata;
  const kept = { name, namespace, uid, resourceVersion, creationTimestamp, labels };
  const json = JSON.stringify({ apiVersion, kind, metadata: kept });
  return { json, body: encodeBody(json) };
}

export function headOf(item: Item): Head | undefined {
  const place = { pk: item['pk']?.S ?? '', sk: item['sk']?.S ?? '' };
  const key = keyAt(place);
  if (!key || !item['version']) return undefined;
  const ttl = item['ttl']?.N;
  return {
    place,
    key,
    version: Number(item['version'].N),
    born: Number(item['born']?.N ?? 0),
    uid: item['uid']?.S ?? '',
    isDeleted: item['deleted']?.BOOL === true,
    expiresAtMs: ttl === undefined ? Infinity : Number(ttl) * 1000,
    chunks: item['set']?.S ? chunkSetOf(item['set'].S, item) : undefined,
    body: item['body']?.B,
    past: item['past']?.B,
    aliases: (item['also']?.SS ?? []).map((text) => text.slice(1)),
  };
}

/** Whether the item holds an object, at this time (I2). */
export function isLive(head: Pick<Head, 'isDeleted' | 'expiresAtMs'>, nowMs: number): boolean {
  return !head.isDeleted && nowMs < head.expiresAtMs;
}

/** The size that DynamoDB counts: names and values. Numbers take a byte for two digits. */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => {
    return sum + utf8Bytes(name) + valueBytes(value);
  }, 0);
}

function valueBytes({ S, N, B, SS }: AttributeValue): number {
  if (S !== undefined) return utf8Bytes(S);
  if (N !== undefined) return Math.ceil(N.length / 2) + 1;
  if (B !== undefined) return B.length;
  return SS?.reduce((sum, text) => sum + utf8Bytes(text), 3) ?? 1;
}

/** The first owner is found by the item itself, the others by aliases. */
function indexAttributes(key: ObjectKey, place: Place, object: AnyObject): Item {
  const { resource } = key;
  const [owner, ...others] = indexedValues('owner', resource, object);
  const [node] = indexedValues('node', resource, object);
  const at = (index: IndexName, value: string) => {
    return { S: indexKey(index, resource, value, positionOf(place)) };
  };
  return {
    ...(owner !== undefined && { owner: at('owner', owner) }),
    ...(others.length > 0 && { also: { SS: others.map(aliasText) } }),
    ...(node !== undefined && { node: at('node', node) }),
  };
}

/** A set holds no empty text in older tables; `''` is an owner's value (an orphan). */
const aliasText = (owner: string) => `=${owner}`;

function chunkSetOf(name: string, item: Item): ChunkSet {
  return { name, count: Number(item['chunks']?.N ?? 0) };
}

/** Tells bodies of one version apart: two processes may take the same version at once. */
function digest(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex').slice(0, 16);
}

function chunked(body: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < body.length; start += MAX_BODY_BYTES) {
    chunks.push(body.subarray(start, start + MAX_BODY_BYTES));
  }
  return chunks;
}

/** As many states as fit in the room that is paid for anyway; at least one, if it is small. */
function packedPast(
  past: readonly PastState[],
  json: string,
  roomBytes: number,
): Uint8Array | undefined {
  if (json.length > MAX_PAST_JSON_BYTES) return undefined;
  for (let count = Math.min(past.length, MAX_PAST_STATES); count > 0; count--) {
    const bytes = encodePast(past.slice(0, count), json);
    const limit = count > 1 ? roomBytes - 'past'.length : MAX_PAST_COST_BYTES;
    if (bytes && bytes.length <= limit) return bytes;
  }
  return undefined;
}

function utf8Bytes(text: string): number {
  return Buffer.byteLength(text);
}
