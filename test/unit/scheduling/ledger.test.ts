import { expect, it } from 'vitest';
import type { NodeAllocation } from '../../../shared/api/kinds/node.ts';
import { enter } from '../../../shared/core/scheduling/ledger.ts';
import { ledger, node, pod, running } from './fixtures.ts';

/** Who is in the ledger that is written as `placed` come to the node. */
function entered(old: NodeAllocation | undefined): readonly string[] {
  const [placed, entered, adopted] = [pod('new'), pod('known'), pod('adopted')];
  const bound = [entered, adopted].map((one) => running('n1', one));
  const pods = new Map([...bound, placed].map((one) => [one.metadata.uid, one]));
  const action = enter(node('n1'), old, [placed], pods, { podsOn: () => bound });
  const written = (action as { object?: unknown } | undefined)?.object as NodeAllocation;
  return written.allocations.map(({ podName }) => podName).sort();
}

it.each<[string, NodeAllocation | undefined]>([
  ['new', undefined],
  ['written', ledger('n1', pod('known'))],
  ['set back', ledger('n1')],
])('a ledger that is %s has all that are bound to its node', (_, old) => {
  expect(entered(old)).toEqual(['adopted', 'known', 'new']);
});
