import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Expression,
  matchesExpression,
  matchesQuery,
  matchesSelector,
  parseFieldSelector,
  parseLabelSelector,
  selectorText,
} from '../../../shared/api/selectors.ts';

describe('label selectors as text', () => {
  it.each<[string, { [key: string]: string }, boolean]>([
    ['', {}, true],
    ['a=1', { a: '1' }, true],
    ['a==1', { a: '2' }, false],
    ['a!=1', {}, true],
    ['a!=1', { a: '1' }, false],
    ['a=', { a: '' }, true],
    ['a', { a: '1' }, true],
    ['a', {}, false],
    ['!a', {}, true],
    ['! a', { a: '1' }, false],
    ['a in (1, 2)', { a: '2' }, true],
    ['a in (1,2)', {}, false],
    ['a in (,1)', { a: '' }, true],
    ['a notin (1)', {}, true],
    ['a notin (1)', { a: '1' }, false],
    ['a>1', { a: '2' }, true],
    ['a<1', { a: '2' }, false],
    ['a>1', { a: '1.5' }, false],
    ['a<1', { a: '' }, false],
    ['a<1', {}, false],
    ['example.com/a=x,b in (c),!d', { 'example.com/a': 'x', b: 'c' }, true],
    ['in=notin', { in: 'notin' }, true],
    ['constructor', {}, false],
    ['!constructor', {}, true],
  ])('%j on %j is %j', (text, labels, expected) => {
    expect(matchesQuery(parseLabelSelector(text), labels)).toBe(expected);
  });

  it.each([
    ['a=1,', "unable to parse requirement: found '', expected: identifier after ,"],
    [',', "unable to parse requirement: found ',', expected: identifier"],
    ['a in 1', "unable to parse requirement: found '1', expected: ("],
    ['a in (1', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a=1 b', "unable to parse requirement: found 'b', expected: ',' or the end"],
    ['a>x', "unable to parse requirement: for 'Gt' operator, the value must be an integer"],
  ])('%j is refused: %s', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message);
  });

  it('are refused or parsed, and never more', () => {
    const char = fc.constantFrom('a', '1', '=', '!', '(', ')', ',', ' ', 'in', '<', '\\', 'é');
    fc.assert(
      fc.property(
        fc.array(char).map((chars) => chars.join('')),
        (text) => {
          for (const parse of [parseLabelSelector, parseFieldSelector]) {
            try {
              parse(text);
            } catch (error) {
              expect(error).toMatchObject({ name: 'ApiError', status: { code: 400 } });
            }
          }
        },
      ),
    );
  });
});

describe('label selectors as objects', () => {
  it('select nothing when absent and everything when empty', () => {
    expect(matchesSelector(undefined, {})).toBe(false);
    expect(matchesSelector({}, undefined)).toBe(true);
  });

  it('mean what their text means', () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const value = fc.constantFrom('1', '2', '');
    const expression = fc.oneof(
      fc.record({
        key,
        operator: fc.constantFrom('In' as const, 'NotIn' as const),
        values: fc.array(value, { minLength: 1, maxLength: 2 }),
      }),
      fc.record({ key, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
    );
    const selector = fc.record({
      matchLabels: fc.dictionary(key, value),
      matchExpressions: fc.array(expression, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(selector, fc.dictionary(key, value), (given, labels) => {
        const query = parseLabelSelector(selectorText(given));
        expect(matchesQuery(query, labels)).toBe(matchesSelector(given, labels));
      }),
    );
  });
});

describe('requirements of node selectors', () => {
  it.each<[Expression, { [key: string]: string }, boolean]>([
    [{ key: 'a', operator: 'Gt', values: ['9'] }, { a: '10' }, true],
    [{ key: 'a', operator: 'Gt', values: ['10'] }, { a: '10' }, false],
    [{ key: 'a', operator: 'Lt', values: ['10'] }, { a: '-9' }, true],
    [{ key: 'a', operator: 'Lt', values: ['10'] }, { a: 'x' }, false],
    [{ key: 'constructor', operator: 'Exists' }, {}, false],
  ])('%j on %j is %j', (expression, labels, expected) => {
    expect(matchesExpression(expression, labels)).toBe(expected);
  });
});

describe('field selectors', () => {
  it('have terms with operators and escapes', () => {
    expect(parseFieldSelector('metadata.name=a,spec.nodeName!=b,x==c\\,d\\=e,')).toEqual([
      { path: 'metadata.name', operator: '=', value: 'a' },
      { path: 'spec.nodeName', operator: '!=', value: 'b' },
      { path: 'x', operator: '=', value: 'c,d=e' },
    ]);
  });

  it.each(['a', 'a=\\x', 'a=1,b'])('%j is refused', (text) => {
    expect(() => parseFieldSelector(text)).toThrow('invalid field selector');
  });
});
