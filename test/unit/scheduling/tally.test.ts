import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Column } from '../../../shared/core/scheduling/cluster.ts';
import { Domains } from '../../../shared/core/scheduling/domains.ts';
import { Tally } from '../../../shared/core/scheduling/tally.ts';
import { node } from './fixtures.ts';

const STEPS = fc.array(
  fc.oneof(
    fc.record({ on: fc.nat(7), amount: fc.constantFrom(1, -1) }),
    fc.constant('asked' as const),
    fc.constant('grown' as const),
  ),
  { maxLength: 60 },
);

describe('the lowest sum of a tally', () => {
  it('is that of all domains, whatever came and went', () => {
    fc.assert(
      fc.property(STEPS, (steps) => {
        let count = 2;
        const domains = new Domains([node('a'), node('b')], (_, index) => index % 5);
        const tally = new Tally(domains);
        const lowest = () => Math.min(...domains.present.map((domain) => tally.sums[domain] ?? 0));
        for (const step of steps) {
          if (step === 'asked') expect(tally.lowest).toBe(lowest());
          else if (step === 'grown') domains.add(node('c'), count++);
          else if (step.on < count) tally.add(step.on, step.amount);
        }
        expect(tally.lowest).toBe(lowest());
      }),
    );
  });
});

describe('a column', () => {
  it('holds what it is told, from wherever it begins', () => {
    const writes = fc.array(fc.tuple(fc.nat(40), fc.integer({ min: -5, max: 5 }), fc.boolean()));
    fc.assert(
      fc.property(writes, (all) => {
        const column = new Column('x');
        const [used, allocatable] = [new Map<number, number>(), new Map<number, number>()];
        for (const [node, amount, isUse] of all) {
          if (isUse) column.use(node, amount);
          else column.setAllocatable(node, amount);
          if (isUse) used.set(node, (used.get(node) ?? 0) + amount);
          else allocatable.set(node, amount);
        }
        for (let node = 0; node <= 41; node++) {
          expect(column.usedAt(node)).toBe(used.get(node) ?? 0);
          expect(column.allocatableAt(node)).toBe(allocatable.get(node) ?? 0);
        }
      }),
    );
  });
});
