/** The node that loses least is found whatever was hoped of each, as long as no hope is too low. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Candidate,
  leastLosing,
  leastLoss,
  lossOf,
  type Prospects,
} from '../../../shared/core/scheduling/loss.ts';

interface Drawn {
  /** Of the victims; none where judging finds that it does not help. */
  readonly priorities: readonly number[] | undefined;
  /** So many of them were hoped for at the least; undefined where it was judged before. */
  readonly hoped: number | undefined;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  priorities: fc.option(fc.array(fc.constantFrom(0, 5, 10), { minLength: 1, maxLength: 4 }), {
    nil: undefined,
  }),
  hoped: fc.option(fc.nat({ max: 2 }), { nil: undefined }),
});

const victimsOf = (priorities: readonly number[]) =>
  priorities.map((priority) => ({ priority, startMs: 0 }));

function candidateOf({ priorities }: Drawn, node: number): Candidate | undefined {
  if (!priorities) return undefined;
  return { node, victims: [], ...lossOf(victimsOf(priorities), 0) };
}

/** The least important of them, and the latest. */
function hopeOf({ priorities = [10], hoped = 0 }: Drawn) {
  const least = [...priorities].sort((a, b) => a - b).slice(0, hoped);
  return { ...lossOf(victimsOf(least), 0), startedAtMs: 1 };
}

/** The order of kube-scheduler, written out; no budget is broken here. */
const byLoss = (a: Candidate, b: Candidate) =>
  a.highestPriority - b.highestPriority ||
  a.prioritySum - b.prioritySum ||
  a.count - b.count ||
  b.startedAtMs - a.startedAtMs ||
  a.node - b.node;

describe('the least loss', () => {
  it('is that of all nodes judged one by one, and the first of equals', () => {
    fc.assert(
      fc.property(fc.array(drawn, { maxLength: 60 }), (nodes) => {
        const candidates = nodes.map(candidateOf);
        const prospects: Prospects = nodes.map((one, node) =>
          one.hoped === undefined ? candidates[node] : hopeOf(one),
        );
        const found = leastLosing(prospects, (node) => candidates[node]);
        const known = candidates.filter((one) => one !== undefined);
        const [least] = [...known].sort(byLoss);
        expect(found?.node).toBe(least?.node);
        expect(leastLoss(known)?.node).toBe(least?.node);
      }),
    );
  });

  it('judges one node where hopes come true', () => {
    const nodes = Array.from({ length: 100 }, (): Drawn => ({ priorities: [0], hoped: 1 }));
    const judged: number[] = [];
    const prospects: Prospects = nodes.map(() => lossOf([{ priority: 0, startMs: 0 }], 0));
    leastLosing(prospects, (node) => {
      judged.push(node);
      return candidateOf(nodes[node] as Drawn, node);
    });
    expect(judged).toEqual([0]);
  });
});
