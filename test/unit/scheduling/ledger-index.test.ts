import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeAllocation } from '../../../shared/api/kinds/node.ts';
import { LedgerIndex } from '../../../shared/core/scheduling/ledger-index.ts';

const UIDS = ['a', 'b', 'c', 'd'];
const NODES = ['n1', 'n2', 'n3'];

const ledger = (name: string, uids: readonly string[]) =>
  ({
    metadata: { name },
    allocations: uids.map((podUid) => ({ podUid })),
  }) as unknown as NodeAllocation;

/** A ledger's next version; without uids, it is gone. */
const step = fc.record({
  node: fc.constantFrom(...NODES),
  uids: fc.option(fc.uniqueArray(fc.constantFrom(...UIDS)), { nil: undefined }),
});

describe('in which ledgers a pod is', () => {
  it('is what the ledgers say, whatever became of them', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const ledgers = new Map<string, NodeAllocation>();
        const index = new LedgerIndex([]);
        for (const { node, uids } of steps) {
          const next = uids && ledger(node, uids);
          index.change(ledgers.get(node), next);
          if (next) ledgers.set(node, next);
          else ledgers.delete(node);
          const anew = new LedgerIndex(ledgers.values());
          for (const uid of UIDS) {
            const has = [...ledgers.values()].flatMap(({ metadata, allocations }) =>
              allocations.some(({ podUid }) => podUid === uid) ? [metadata.name] : [],
            );
            expect([...index.nodesOf(uid)].sort()).toEqual(has.sort());
            expect([...anew.nodesOf(uid)].sort()).toEqual(has);
          }
        }
      }),
    );
  });
});
