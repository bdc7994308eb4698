/** The figures of docs/cost.md are those that the recorded counts and the prices give. */
import { describe, expect, it } from 'vitest';
import { billOf, gbSeconds, monthOf } from '../../../bench/cost/bill.ts';
import { readDocument, withTables } from '../../../bench/cost/document.ts';
import type { Counts } from '../../../bench/cost/meter.ts';
import { readRecorded } from '../../../bench/cost/recorded.ts';

const NOTHING: Counts = {
  writeUnits: {},
  indexUnits: {},
  readUnits: {},
  tableCalls: {},
  queueRequests: {},
  invocations: {},
  waitMs: {},
  cpuMs: {},
  logBytes: {},
  apiRequests: {},
  schedules: {},
  ecsCalls: {},
};

describe('docs/cost.md', () => {
  it('shows what the counts and prices give: `npm run bench -- cost --write` renews it', () => {
    const document = readDocument();
    expect(withTables(document, readRecorded())).toBe(document);
  });

  it('has a place for each table', () => {
    expect(() => withTables('', readRecorded())).toThrow('no place for');
  });
});

describe('a bill', () => {
  it('of a month without any work is the waiting at queues, and what watches over them', () => {
    const usage = monthOf(NOTHING);
    // Two FIFO queues and a standard one, five pollers, three waits a minute, 730 hours.
    expect(usage.fifoRequests).toBe(2 * 5 * 3 * 60 * 730);
    expect(usage.standardRequests).toBe(5 * 3 * 60 * 730);
    expect(billOf(usage, true)).toBeLessThan(billOf(usage, false));
  });

  it('is of nothing where what is free is not used up', () => {
    expect(billOf({ invocations: 1_000_000, alarms: 10, dashboards: 1 }, true)).toBe(0);
    expect(billOf({ invocations: 1_000_000, alarms: 10 }, false)).toBeCloseTo(1.2);
    expect(billOf({ writeUnits: 1_000_000 }, true)).toBeCloseTo(0.625);
  });

  it('counts computing with less memory as slower', () => {
    const waits = gbSeconds({ ...NOTHING, waitMs: { reconciler: 1000 } });
    const computes = gbSeconds({ ...NOTHING, cpuMs: { reconciler: 1000 } });
    expect(waits).toBe(1);
    expect(computes).toBeCloseTo(1769 / 1024);
  });
});
