import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differences } from '../../../shared/core/scheduling/differences.ts';

interface Versioned {
  readonly key: string;
}

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
const keyOf = ({ key }: Versioned) => key;
const without = (some: readonly Versioned[], others: readonly Versioned[]) =>
  some.filter((object) => !others.includes(object));

/** Two lists: an object is in one or in both, as it was or in another version, in any order. */
const lists = fc
  .tuple(
    fc.shuffledSubarray(KEYS),
    fc.shuffledSubarray(KEYS),
    fc.func(fc.boolean()) as fc.Arbitrary<(key: string) => boolean>,
  )
  .map(([before, now, isChanged]) => {
    const old = new Map(before.map((key) => [key, { key }]));
    const next = now.map((key) => (isChanged(key) ? undefined : old.get(key)) ?? { key });
    return [[...old.values()], next] as const;
  });

describe('what is another in a list', () => {
  it('is told by the objects themselves, whatever their order', () => {
    fc.assert(
      fc.property(lists, ([before, now]) => {
        const has = (key: string) => before.some((object) => object.key === key);
        const { gone, come } = differences({ list: before, keyOf, has }, now);
        const [left, arrived] = [without(before, now), without(now, before)];
        expect([without(gone, left), without(come, arrived)]).toEqual([[], []]);
        expect([gone.length, come.length]).toEqual([left.length, arrived.length]);
      }),
    );
  });
});
