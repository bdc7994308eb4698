/** What the table's stream brings of a change, in the form in which a function is handed it. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { AttributeValue as ImageValue, DynamoDBRecord } from 'aws-lambda';
import { type Item, packed } from '../../../adapters/aws/dynamo/item.ts';
import { placeOf } from '../../../adapters/aws/dynamo/keys.ts';
import { type Change, keyOf } from '../../../shared/api/change.ts';
import type { AnyObject, ResourceName } from '../../../shared/api/meta.ts';

type Image = Record<string, ImageValue>;

export function streamRecord({ type, resource, object, previous }: Change): DynamoDBRecord {
  const before = previous && imageOf(itemOf(resource, previous, false));
  return {
    dynamodb: {
      SequenceNumber: object.metadata.resourceVersion,
      ...(before && { OldImage: before }),
      NewImage: imageOf(itemOf(resource, object, type === 'delete')),
    },
  };
}

export function itemOf(resource: ResourceName, object: AnyObject, isDeleted: boolean): Item {
  const key = keyOf(resource, object);
  const version = Number(object.metadata.resourceVersion);
  const sealed = { object, json: JSON.stringify(object) };
  const place = placeOf(key);
  return packed({ key, place, sealed, version, born: version, isDeleted, past: [] }).item;
}

export function imageOf(item: Item): Image {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, inJson(value)]));
}

function inJson(value: AttributeValue): ImageValue {
  if (value.B === undefined) return value as ImageValue;
  return { B: Buffer.from(value.B).toString('base64') };
}
