/** How long Fargate counts as short, and what a pass makes of it. */
import { describe, expect, it } from 'vitest';
import type { Node } from '../../../shared/api/kinds/node.ts';
import { helpsOf } from '../../../shared/core/scheduling/helps.ts';
import { NO_CAPACITY_LATELY } from '../../../shared/core/scheduling/capacity-shortages.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { observeRefusal, planShortage, shortForMs } from '../../../shared/core/node/shortage.ts';
import { node, NOW_MS, pod, snapshot } from '../scheduling/fixtures.ts';

const fargate = (name: string) => node(name, { labels: { 'nullplane.io/compute': 'fargate' } });
const SHORT_MS = 180_000;

function refused(atMs = NOW_MS): Node {
  const next = observeRefusal(fargate('fargate'), 'no room', atMs);
  if (!next) throw new Error('a refusal is news to a node that was not short');
  return next;
}

describe('a shortage', () => {
  it('is of services, not of machines, which have ledgers', () => {
    expect(observeRefusal(node('n1'), 'no room', NOW_MS)).toBeUndefined();
  });

  it.each([
    ['at once', 0, SHORT_MS],
    ['to the end', SHORT_MS - 1, 1],
    ['no longer', SHORT_MS, undefined],
  ])('lasts three minutes: %s', (_when, afterMs, leftMs) => {
    expect(shortForMs(refused(), NOW_MS + afterMs)).toBe(leftMs);
  });

  it('is not written for each launch of a burst, and counts from a later one anew', () => {
    expect(observeRefusal(refused(), 'no room', NOW_MS + 20_000)).toBeUndefined();
    const later = observeRefusal(refused(), 'no room', NOW_MS + 40_000);
    expect(later && shortForMs(later, NOW_MS + 40_000)).toBe(SHORT_MS);
  });

  it('is said to be over, which wakes the scheduler; until then it is waited for', () => {
    expect(planShortage(refused(), NOW_MS)).toEqual({
      ...{ stages: [], blocked: [], againAfterMs: SHORT_MS },
    });
    const [action] = planShortage(refused(), NOW_MS + SHORT_MS).stages.flat();
    const over = (action?.kind === 'update' ? action.object : undefined) as unknown as Node;
    expect(over.status.conditions).toMatchObject([{ type: 'NoCapacity', status: 'False' }]);
    const change = { type: 'put', resource: 'nodes', object: over, previous: refused() } as never;
    expect(helpsOf(change)).toEqual(['capacityBack']);
    expect(planShortage(over, NOW_MS + SHORT_MS).stages).toEqual([]);
  });
});

describe('a pass', () => {
  it('places pods elsewhere', () => {
    const nodes = [refused(), fargate('other')];
    const { placements } = schedule(snapshot({ nodes, pods: [pod('a')] }), NOW_MS);
    expect(placements.map((placement) => placement.node)).toEqual(['other']);
  });

  it('says what is short, and is run again at its end', () => {
    const given = snapshot({ nodes: [refused()], pods: [pod('a')] });
    const { unschedulable, againAfterMs } = schedule(given, NOW_MS + 1_000);
    expect(unschedulable[0]?.reasons).toEqual({ [NO_CAPACITY_LATELY]: 1 });
    expect(againAfterMs).toBe(SHORT_MS - 1_000);
    expect(schedule(given, NOW_MS + SHORT_MS).placements).toHaveLength(1);
  });
});
