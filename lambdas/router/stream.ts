/**
 * Table stream records as changes. An item holds its object as JSON text in one attribute, beside
 * the keys, so that the stream needs no knowledge of kinds.
 */
import type { DynamoDBRecord } from 'aws-lambda';
import type { Change } from '../../shared/api/change.ts';
import type { AnyObject } from '../../shared/api/meta.ts';

/** The attributes of an item that holds an object. */
const RESOURCE = 'resource';
const BODY = 'body';

/**
 * The change that a record tells of; undefined for items that hold no object. Throws on text that
 * is not JSON.
 */
export function changeOf(record: DynamoDBRecord): Change | undefined {
  const before = record.dynamodb?.OldImage;
  const after = record.dynamodb?.NewImage;
  const image = after ?? before;
  const resource = image?.[RESOURCE]?.S;
  const body = image?.[BODY]?.S;
  if (resource === undefined || body === undefined) return undefined;
  const old = before?.[BODY]?.S;
  return {
    type: after ? 'put' : 'delete',
    resource,
    object: JSON.parse(body) as AnyObject,
    ...(after && old !== undefined ? { previous: JSON.parse(old) as AnyObject } : {}),
  };
}
