/** Requirements as sets: what they allow, against the meaning that selectors give them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allows,
  ANYTHING,
  expressionsOf,
  intersect,
  intersects,
  isPossible,
  type Requirement,
  type RequirementExpression,
  requirementOf,
  requirementText,
  valueCount,
} from '../../../shared/api/requirement.ts';
import { matchesExpression } from '../../../shared/api/selectors.ts';

const KEY = 'k';
const VALUES = ['a', 'b', '1', '2', '3', '10', '-4', '02', ''];
const value = fc.constantFrom(...VALUES);
const integer = fc.constantFrom('0', '1', '2', '3', '9', '10', 'x');

const expression: fc.Arbitrary<RequirementExpression> = fc.oneof(
  fc.record({
    key: fc.constant(KEY),
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc.array(value, { minLength: 1, maxLength: 4 }),
    minValues: fc.constantFrom(0, 2),
  }),
  fc.record({
    key: fc.constant(KEY),
    operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const),
  }),
  fc.record({
    key: fc.constant(KEY),
    operator: fc.constantFrom('Gt' as const, 'Lt' as const),
    values: integer.map((one) => [one]),
  }),
);

/** Sets of some depth, so that every form of them comes up. */
const requirement = fc
  .array(expression, { minLength: 1, maxLength: 3 })
  .map((all) => all.map(requirementOf).reduce(intersect));

const labelled = fc.option(value, { nil: undefined });
const labelsOf = (one: string | undefined) => (one === undefined ? {} : { [KEY]: one });

const plain = (one: Requirement) => ({ ...one, values: [...one.values].sort() });

describe('a requirement', () => {
  it('allows what the expression matches', () => {
    fc.assert(
      fc.property(expression, labelled, (one, given) => {
        const matches = matchesExpression(one, labelsOf(given));
        expect(allows(requirementOf(one), given)).toBe(matches);
      }),
    );
  });

  it.each<[RequirementExpression, boolean, number]>([
    [{ key: KEY, operator: 'In', values: ['a', 'b', 'a'] }, true, 2],
    [{ key: KEY, operator: 'In', values: [] }, false, 0],
    [{ key: KEY, operator: 'NotIn', values: ['a'] }, true, Infinity],
    [{ key: KEY, operator: 'Exists' }, true, Infinity],
    [{ key: KEY, operator: 'DoesNotExist' }, true, 0],
    [{ key: KEY, operator: 'Gt', values: ['5'] }, true, Infinity],
    [{ key: KEY, operator: 'Lt', values: ['x'] }, false, 0],
  ])('%j: possible %s, %d values', (one, possible, count) => {
    expect(isPossible(requirementOf(one))).toBe(possible);
    expect(valueCount(requirementOf(one))).toBe(count);
  });
});

describe('an intersection', () => {
  it('allows what both allow', () => {
    fc.assert(
      fc.property(requirement, requirement, labelled, (a, b, given) => {
        expect(allows(intersect(a, b), given)).toBe(allows(a, given) && allows(b, given));
      }),
    );
  });

  it('is commutative, associative and idempotent, as data', () => {
    fc.assert(
      fc.property(requirement, requirement, requirement, (a, b, c) => {
        expect(plain(intersect(a, b))).toEqual(plain(intersect(b, a)));
        expect(plain(intersect(intersect(a, b), c))).toEqual(plain(intersect(a, intersect(b, c))));
        expect(plain(intersect(a, a))).toEqual(plain(a));
        expect(plain(intersect(a, ANYTHING))).toEqual(plain(a));
      }),
    );
  });

  it('is foretold by whether they intersect', () => {
    fc.assert(
      fc.property(requirement, requirement, (a, b) => {
        expect(intersects(a, b)).toBe(isPossible(intersect(a, b)));
      }),
    );
  });

  it.each<[string, readonly Omit<RequirementExpression, 'key'>[], boolean]>([
    [
      'disjoint lists',
      [
        { operator: 'In', values: ['a'] },
        { operator: 'In', values: ['b'] },
      ],
      false,
    ],
    [
      'a list and all of it excluded',
      [
        { operator: 'In', values: ['a'] },
        { operator: 'NotIn', values: ['a'] },
      ],
      false,
    ],
    ['there and not there', [{ operator: 'Exists' }, { operator: 'DoesNotExist' }], false],
    [
      'none of two lists',
      [{ operator: 'NotIn', values: ['a'] }, { operator: 'DoesNotExist' }],
      true,
    ],
    [
      'bounds with an integer between',
      [
        { operator: 'Gt', values: ['3'] },
        { operator: 'Lt', values: ['5'] },
      ],
      true,
    ],
    [
      'bounds with none between',
      [
        { operator: 'Gt', values: ['3'] },
        { operator: 'Lt', values: ['4'] },
      ],
      false,
    ],
    [
      'bounds that cross',
      [
        { operator: 'Gt', values: ['5'] },
        { operator: 'Lt', values: ['5'] },
      ],
      false,
    ],
    [
      'a list outside of the bounds',
      [
        { operator: 'In', values: ['1', '2'] },
        { operator: 'Gt', values: ['2'] },
      ],
      false,
    ],
  ])('of %s', (_what, all, possible) => {
    const both = all.map((one) => requirementOf({ key: KEY, ...one })).reduce(intersect);
    expect(isPossible(both)).toBe(possible);
  });

  it('keeps the larger minimum of values', () => {
    const of = (minValues: number) =>
      requirementOf({ key: KEY, operator: 'In', values: ['a', 'b', 'c'], minValues });
    expect(intersect(of(3), of(2)).minValues).toBe(3);
    expect(requirementOf({ key: KEY, operator: 'Exists', minValues: 4 }).minValues).toBe(4);
  });
});

describe('expressions', () => {
  it('of a requirement mean it', () => {
    fc.assert(
      fc.property(requirement, (one) => {
        const again = expressionsOf(KEY, one).map(requirementOf).reduce(intersect, ANYTHING);
        expect(plain(again)).toEqual(plain(one));
      }),
    );
  });

  it.each<[readonly Omit<RequirementExpression, 'key'>[], string]>([
    [[{ operator: 'In', values: ['b', 'a'] }], 'k In [a b]'],
    [
      [{ operator: 'In', values: ['1', '2', '3', '4', '5', '6', '7'] }],
      'k In [1 2 3 4 5 and 2 others]',
    ],
    [[{ operator: 'Exists' }], 'k Exists'],
    [[{ operator: 'DoesNotExist' }], 'k DoesNotExist'],
    [
      [
        { operator: 'Gt', values: ['3'] },
        { operator: 'Lt', values: ['9'] },
        { operator: 'NotIn', values: ['5', 'x'] },
      ],
      'k Gt 3, Lt 9, NotIn [5]',
    ],
    [[], 'k may be anything'],
  ])('%j reads %s', (all, text) => {
    const one = all.map((e) => requirementOf({ key: KEY, ...e })).reduce(intersect, ANYTHING);
    expect(requirementText(KEY, one)).toBe(text);
  });
});
