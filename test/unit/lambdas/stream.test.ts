/** The table's stream, record by record. */
import { randomBytes } from 'node:crypto';
import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { changeOf } from '../../../adapters/aws/dynamo/stream.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { imageOf, itemOf, streamRecord } from './stream-record.ts';

function pod(resourceVersion: string, fields: object = {}): AnyObject {
  const creationTimestamp = '2030-01-01T00:00:00Z';
  const metadata = { name: 'a', namespace: 'x', uid: 'u', resourceVersion, creationTimestamp };
  return { apiVersion: 'v1', kind: 'Pod', metadata, ...fields };
}

const image = (object: AnyObject, isDeleted = false) => imageOf(itemOf('pods', object, isDeleted));
const removal = (object: AnyObject, isDeleted: boolean): DynamoDBRecord => ({
  eventName: 'REMOVE',
  dynamodb: { OldImage: image(object, isDeleted) },
});

describe('table stream records', () => {
  it('of a new item are a put without a past', () => {
    const change = changeOf(streamRecord({ type: 'put', resource: 'pods', object: pod('1') }));
    expect(change).toEqual({ type: 'put', resource: 'pods', object: pod('1') });
  });

  it('of a changed item carry the state before', () => {
    const change = { type: 'put', resource: 'pods', object: pod('2'), previous: pod('1') } as const;
    expect(changeOf(streamRecord(change))).toEqual(change);
  });

  it('of a tombstone are a deletion with the last state', () => {
    const change = { type: 'delete', resource: 'pods', object: pod('3'), previous: pod('2') };
    expect(changeOf(streamRecord(change as never))).toEqual(change);
  });

  it('of a namesake in the place of a tombstone are a put without a past', () => {
    const images = { OldImage: image(pod('3'), true), NewImage: image(pod('4')) };
    const change = changeOf({ dynamodb: images });
    expect(change).toEqual({ type: 'put', resource: 'pods', object: pod('4') });
  });

  it('of an object that is too large to be in them name it', () => {
    const large = pod('5', { data: randomBytes(1024 * 1024).toString('base64') });
    const change = changeOf(streamRecord({ type: 'put', resource: 'pods', object: large }));
    expect(change).toEqual({ key: { resource: 'pods', namespace: 'x', name: 'a' } });
  });

  it('of items that ended of themselves tell of nothing', () => {
    const byTime = { principalId: 'dynamodb.amazonaws.com', type: 'Service' };
    expect(changeOf(removal(pod('3'), true))).toBeUndefined();
    expect(changeOf({ ...removal(pod('3'), true), userIdentity: byTime })).toBeUndefined();
    expect(changeOf({ ...removal(pod('3'), false), userIdentity: byTime })).toBeUndefined();
  });

  it('of an item that somebody removed by hand are a deletion', () => {
    const change = changeOf(removal(pod('3'), false));
    expect(change).toEqual({ type: 'delete', resource: 'pods', object: pod('3') });
  });

  it('of items that hold no object are passed over', () => {
    const chunk = { pk: { S: 'pods#1' }, sk: { S: 'c#x\0a\0v\x000' }, chunk: { B: 'AAAA' } };
    const alias = { pk: { S: 'a#pods#1#o' }, sk: { S: 'o#x\0a' }, version: { N: '1' } };
    for (const item of [chunk, alias, { pk: { S: 'x' } }]) {
      expect(changeOf({ dynamodb: { NewImage: item } })).toBeUndefined();
    }
    expect(changeOf({})).toBeUndefined();
  });

  it('of a body that can not be read are an error', () => {
    const broken = { ...image(pod('1')), body: { B: 'AAAA' } };
    expect(() => changeOf({ dynamodb: { NewImage: broken } })).toThrow();
  });
});
