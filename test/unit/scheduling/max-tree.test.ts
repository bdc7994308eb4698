import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MaxTree } from '../../../shared/core/scheduling/max-tree.ts';

const number = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(-Infinity));

/** The first of the highest; none where all are out. */
function slowly(numbers: readonly number[]): number | undefined {
  const most = Math.max(-Infinity, ...numbers);
  return most === -Infinity ? undefined : numbers.indexOf(most);
}

it('has the first of the highest, whatever changes', () => {
  const changes = fc.array(fc.record({ at: fc.nat(40), to: number }), { maxLength: 60 });
  fc.assert(
    fc.property(fc.array(number, { maxLength: 40 }), changes, (given, changed) => {
      const numbers = [...given];
      const tree = new MaxTree((index) => numbers[index] ?? NaN);
      tree.rebuild(numbers.length);
      expect(tree.best).toBe(slowly(numbers));
      for (const { at, to } of changed) {
        if (at >= numbers.length) continue;
        numbers[at] = to;
        tree.update(at);
        expect(tree.best).toBe(slowly(numbers));
      }
    }),
  );
});
