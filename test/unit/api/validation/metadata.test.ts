import { describe, expect, it } from 'vitest';
import { type Json, META, updateFaults } from './faults.ts';

describe('metadata', () => {
  const meta = (fields: Json) => ({ metadata: { ...META, ...fields }, data: { a: '1' } });

  it.each<[string, Json, Json, string]>([
    ['a uid', { uid: 'a' }, { uid: 'b' }, 'metadata.uid: Invalid value: "b": field is immutable'],
    ['a name', {}, { name: 'y' }, 'metadata.name: Invalid value: "y": field is immutable'],
    [
      'finalizers of what is being deleted',
      { deletionTimestamp: '2020-01-01T00:00:00Z' },
      { deletionTimestamp: '2020-01-01T00:00:00Z', finalizers: ['a/b'] },
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being ' +
        'deleted, found new finalizers []string{"a/b"}',
    ],
  ])('keeps %s', (_, before, after, message) => {
    expect(updateFaults('configmaps', meta(before), meta(after))).toEqual([message]);
  });

  it('can always lose a finalizer, be the rest valid by now or not', () => {
    const bad = { data: { 'bad key': '1' } };
    const before = { ...bad, metadata: { ...META, finalizers: ['a/b'] } };
    expect(updateFaults('configmaps', before, { ...bad, metadata: META })).toEqual([]);
  });
});
