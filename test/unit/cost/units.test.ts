/** What DynamoDB counts, by examples of its documentation and by our indexes. */
import { describe, expect, it } from 'vitest';
import { readUnits, refusedUnits, writeUnits } from '../../../bench/cost/units.ts';
import type { Item } from '../../../adapters/aws/dynamo/item.ts';

const item = (fields: Item = {}, bytes = 100): Item => ({
  pk: { S: 'pods#1' },
  sk: { S: 'o#default\0a' },
  version: { N: '12345' },
  body: { B: new Uint8Array(bytes) },
  ...fields,
});

describe('a read', () => {
  it('is a unit for each 4 KB, half of it when it may be old, and never none', () => {
    expect(readUnits(0, true)).toBe(1);
    expect(readUnits(4096, true)).toBe(1);
    expect(readUnits(4097, true)).toBe(2);
    expect(readUnits(10_000, false)).toBe(1.5);
  });
});

describe('a write', () => {
  it('is a unit for each KB of the larger state', () => {
    expect(writeUnits(undefined, item())).toEqual({ table: 1, indexes: {} });
    expect(writeUnits(item({}, 3_100), item({ version: { N: '12346' } })).table).toBe(4);
  });

  it('of an index is one for an entry, at its beginning and its end', () => {
    const owned = item({ owner: { S: 'uid#0' } });
    expect(writeUnits(undefined, owned).indexes).toEqual({ owner: 1 });
    expect(writeUnits(owned, item({ ...owned, version: { N: '12346' } })).indexes).toEqual({});
    expect(writeUnits(owned, item()).indexes).toEqual({ owner: 1 });
  });

  it('moves an entry when its key does, which is two', () => {
    const [old, now] = ['node-a#0', 'node-b#0'].map((node) => item({ node: { S: node } }));
    expect(writeUnits(old, now).indexes).toEqual({ node: 2 });
  });

  it('that is refused is paid for as well', () => {
    expect(refusedUnits(undefined)).toBe(1);
    expect(refusedUnits(item({}, 2_100))).toBe(3);
  });
});
