import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { changeOf } from '../../../lambdas/router/stream.ts';

const pod = (version: string) => ({
  kind: 'Pod',
  metadata: { name: 'a', resourceVersion: version },
});
const image = (object: object) => ({
  resource: { S: 'pods' },
  body: { S: JSON.stringify(object) },
});

function record(images: { before?: object; after?: object }): DynamoDBRecord {
  return {
    dynamodb: {
      ...(images.before ? { OldImage: image(images.before) } : {}),
      ...(images.after ? { NewImage: image(images.after) } : {}),
    },
  };
}

describe('table stream records', () => {
  it('of a new item are a put without a past', () => {
    const change = changeOf(record({ after: pod('1') }));
    expect(change).toEqual({ type: 'put', resource: 'pods', object: pod('1') });
  });

  it('of a changed item carry the state before', () => {
    const change = changeOf(record({ before: pod('1'), after: pod('2') }));
    expect(change).toMatchObject({ type: 'put', object: pod('2'), previous: pod('1') });
  });

  it('of a removed item carry the last state', () => {
    const change = changeOf(record({ before: pod('2') }));
    expect(change).toEqual({ type: 'delete', resource: 'pods', object: pod('2') });
  });

  it('of items that hold no object are passed over', () => {
    expect(changeOf({ dynamodb: { NewImage: { pk: { S: 'x' } } } })).toBeUndefined();
    expect(changeOf({})).toBeUndefined();
  });
});
