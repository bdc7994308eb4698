import { describe, expect, it } from 'vitest';
import type { NodePoolBudget } from '../../../shared/api/kinds/karpenter.ts';
import { disruptionsAllowed } from '../../../shared/core/capacity/consolidation/pool-budgets.ts';
import { pool } from './fixtures.ts';

/** A Tuesday. */
const TEN_PAST_NINE = Date.UTC(2030, 0, 1, 9, 10);

const CASES: readonly {
  readonly what: string;
  readonly budgets: readonly NodePoolBudget[];
  readonly nodes?: number;
  readonly missing?: number;
  readonly allowed: number;
}[] = [
  { what: 'no budget', budgets: [], allowed: 20 },
  { what: 'a number', budgets: [{ nodes: 3 }], allowed: 3 },
  { what: 'a number as text', budgets: [{ nodes: '3' }], allowed: 3 },
  { what: 'a share, rounded up', budgets: [{ nodes: '11%' }], allowed: 3 },
  { what: 'a share of few', budgets: [{ nodes: '10%' }], nodes: 1, allowed: 1 },
  { what: 'the least of all', budgets: [{ nodes: 5 }, { nodes: '10%' }], allowed: 2 },
  { what: 'one for other reasons', budgets: [{ nodes: 0, reasons: ['Drifted'] }], allowed: 20 },
  { what: 'one for this reason', budgets: [{ nodes: 0, reasons: ['Empty'] }], allowed: 0 },
  { what: 'those that are missing count', budgets: [{ nodes: 3 }], missing: 2, allowed: 1 },
  { what: 'never less than none', budgets: [{ nodes: 3 }], missing: 9, allowed: 0 },
  { what: 'what is no number', budgets: [{ nodes: 'some' }], allowed: 0 },
  {
    what: 'one whose time it is',
    budgets: [{ nodes: 0, schedule: '0 9 * * TUE', duration: '8h' }],
    allowed: 0,
  },
  {
    what: 'one whose time is over',
    budgets: [{ nodes: 0, schedule: '0 9 * * TUE', duration: '10m' }],
    allowed: 20,
  },
  {
    what: 'one of another day',
    budgets: [{ nodes: 0, schedule: '0 9 * * WED', duration: '8h' }],
    allowed: 20,
  },
  {
    what: 'one whose schedule can not be read',
    budgets: [{ nodes: 0, schedule: 'at nine', duration: '8h' }],
    allowed: 0,
  },
];

describe('disruption budgets of a pool', () => {
  it.each(CASES)('$what', ({ budgets, nodes = 20, missing = 0, allowed }) => {
    const counts = { nodes, missing };
    const given = pool({ disruption: { budgets } });
    expect(disruptionsAllowed(given, 'Empty', counts, TEN_PAST_NINE)).toBe(allowed);
  });
});
