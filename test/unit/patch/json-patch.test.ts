import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applyJsonPatch,
  MAX_PATCH_OPERATIONS,
} from '../../../shared/control/apiserver/patch/json-patch.ts';
import { applyMergePatch } from '../../../shared/control/apiserver/patch/merge-patch.ts';

describe('JSON patch', () => {
  it.each<[string, unknown, unknown[], unknown]>([
    ['adds a field', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    ['adds to a list', [1, 3], [{ op: 'add', path: '/1', value: 2 }], [1, 2, 3]],
    ['appends', { l: [1] }, [{ op: 'add', path: '/l/-', value: 2 }], { l: [1, 2] }],
    ['removes', { a: 1, b: [1, 2] }, [{ op: 'remove', path: '/b/0' }], { a: 1, b: [2] }],
    ['replaces', { a: { b: 1 } }, [{ op: 'replace', path: '/a/b', value: 2 }], { a: { b: 2 } }],
    ['replaces all', { a: 1 }, [{ op: 'replace', path: '', value: [] }], []],
    ['moves', { a: { x: 1 } }, [{ op: 'move', from: '/a/x', path: '/b' }], { a: {}, b: 1 }],
    ['copies', { a: [1] }, [{ op: 'copy', from: '/a', path: '/b' }], { a: [1], b: [1] }],
    [
      'tests',
      { a: [{ b: 1 }] },
      [{ op: 'test', path: '/a/0', value: { b: 1 } }],
      { a: [{ b: 1 }] },
    ],
    ['takes absent for null', {}, [{ op: 'test', path: '/a', value: null }], {}],
    ['reads escapes', { 'a/b~c': 1 }, [{ op: 'remove', path: '/a~1b~0c' }], {}],
    ['reads ~01 as ~1', { '~1': 1 }, [{ op: 'remove', path: '/~01' }], {}],
  ])('%s', (_, document, patch, expected) => {
    const before = structuredClone(document);
    expect(applyJsonPatch(document, patch)).toEqual(expected);
    expect(document).toEqual(before);
  });

  it.each<[string, unknown, number]>([
    ['a failing test', [{ op: 'test', path: '/a', value: 2 }], 422],
    ['a missing path', [{ op: 'remove', path: '/b' }], 422],
    ['a replacement of nothing', [{ op: 'replace', path: '/b', value: 1 }], 422],
    ['an index beyond the end', [{ op: 'add', path: '/l/9', value: 1 }], 422],
    ['an index with a leading zero', [{ op: 'remove', path: '/l/00' }], 422],
    ['a move into itself', [{ op: 'move', from: '/o', path: '/o/x' }], 422],
    ['an inherited field', [{ op: 'remove', path: '/constructor' }], 422],
    ['a path to a prototype', [{ op: 'add', path: '/__proto__/x', value: 1 }], 400],
    ['an unknown operation', [{ op: 'merge', path: '/a' }], 400],
    ['an operation without a value', [{ op: 'add', path: '/a' }], 400],
    ['an object for a list', { spec: {} }, 400],
  ])('refuses %s', (_, patch, code) => {
    const document = { a: 1, l: [1], o: {} };
    expect(() => applyJsonPatch(document, patch)).toThrow(
      expect.objectContaining({ status: expect.objectContaining({ code }) as unknown }),
    );
    expect({}).not.toHaveProperty('x');
  });

  it('refuses too many operations', () => {
    const patch = Array(MAX_PATCH_OPERATIONS + 1).fill({ op: 'test', path: '', value: {} });
    expect(() => applyJsonPatch({}, patch)).toThrow(/allowed maximum operations/);
  });

  it('refuses copies that double a document without end', () => {
    const patch = Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '', path: `/${i}` }));
    expect(() => applyJsonPatch({ a: 'x'.repeat(100) }, patch)).toThrow(/rejected our request/);
  });

  it('refuses copies that deepen a document without end', () => {
    const patch = Array(100).fill({ op: 'copy', from: '', path: '/a' });
    expect(() => applyJsonPatch({}, patch)).toThrow(/rejected our request/);
  });

  it('undoes what it did', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (given, value) => {
        const document = { ...given };
        delete document['new'];
        const there = applyJsonPatch(document, [{ op: 'add', path: '/new', value }]);
        expect(applyJsonPatch(there, [{ op: 'remove', path: '/new' }])).toEqual(document);
      }),
    );
  });

  it('answers anything with a document or an ApiError', () => {
    const op = fc.record({
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
      path: fc.constantFrom('', '/', '/a', '/a/0', '/a/-', '/b/c', '/__proto__', 'a', '/~2'),
      from: fc.constantFrom('', '/a', '/b/c', '/zz'),
      value: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.array(op, { maxLength: 6 }), (patch) => {
        try {
          applyJsonPatch({ a: [1, 2], b: { c: {} } }, patch);
        } catch (error) {
          expect(error).toMatchObject({ name: 'ApiError' });
        }
      }),
    );
  });
});

describe('merge patch', () => {
  it.each<[string, unknown, unknown, unknown]>([
    ['sets', { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    ['deletes on null', { a: 1, b: 2 }, { a: null }, { b: 2 }],
    ['merges objects', { a: { b: 1 } }, { a: { c: 2 } }, { a: { b: 1, c: 2 } }],
    ['replaces lists', { a: [1, 2] }, { a: [3] }, { a: [3] }],
    ['replaces what is no object', { a: 1 }, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
    ['ignores inherited fields', {}, { constructor: { a: 1 } }, { constructor: { a: 1 } }],
  ])('%s', (_, document, patch, expected) => {
    expect(applyMergePatch(document, patch)).toEqual(expected);
  });

  const plain = fc.letrec((tie) => ({
    value: fc.oneof(fc.integer(), fc.array(fc.integer(), { maxLength: 2 }), tie('object')),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
  })).object;

  it('is idempotent', () => {
    fc.assert(
      fc.property(plain, plain, (document, patch) => {
        const once = applyMergePatch(document, patch);
        expect(applyMergePatch(once, patch)).toEqual(once);
      }),
    );
  });
});
