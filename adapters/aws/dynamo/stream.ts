/**
 * Records of the table's stream as changes. An image is an item as it was or is now; what is not an
 * object's item (chunks, aliases) tells of nothing.
 */
import type { AttributeValue as ImageValue, DynamoDBRecord } from 'aws-lambda';
import type { Change } from '../../../shared/api/change.ts';
import type { AnyObject, ObjectKey } from '../../../shared/api/meta.ts';
import { unseal } from '../../../shared/ports/sealed.ts';
import { decodeBody } from './codec.ts';
import { type Head, headOf, type Item } from './item.ts';

/** An object was put whose state is not in the record: read it. */
export interface Touched {
  readonly key: ObjectKey;
}

/** Who lets items go whose `ttl` is over. */
const REAPER = 'dynamodb.amazonaws.com';

/**
 * What a record tells of; undefined when it is nothing: parts of objects, and items that ended of
 * themselves (a tombstone told of the deletion when it was written). Throws on a body that can't be
 * read.
 */
export function changeOf(record: DynamoDBRecord): Change | Touched | undefined {
  const before = imageOf(record.dynamodb?.OldImage);
  const after = imageOf(record.dynamodb?.NewImage);
  if (!after) return before && !isReaped(record) ? removed(before) : undefined;
  const { key } = after;
  const object = objectOf(after);
  const previous = before && !before.isDeleted ? objectOf(before) : undefined;
  if (!object) return { key };
  return {
    type: after.isDeleted ? 'delete' : 'put',
    resource: key.resource,
    object,
    ...(previous && { previous }),
  };
}

/** The store deletes no item of an object: somebody did it by hand. */
function removed(before: Head): Change | undefined {
  const object = before.isDeleted ? undefined : objectOf(before);
  return object && { type: 'delete', resource: before.key.resource, object };
}

function isReaped({ userIdentity }: DynamoDBRecord): boolean {
  const { principalId } = (userIdentity ?? {}) as { readonly principalId?: string };
  return principalId === REAPER;
}

function objectOf({ body }: Head): AnyObject | undefined {
  return body && unseal(decodeBody(body));
}

/** A function is handed images in JSON: bytes are in base64. */
function imageOf(image: { readonly [name: string]: ImageValue } | undefined): Head | undefined {
  if (!image) return undefined;
  const item: Item = {};
  for (const [name, { S, N, B, BOOL }] of Object.entries(image)) {
    if (S !== undefined) item[name] = { S };
    else if (N !== undefined) item[name] = { N };
    else if (B !== undefined) item[name] = { B: Buffer.from(B, 'base64') };
    else if (BOOL !== undefined) item[name] = { BOOL };
  }
  return headOf(item);
}
