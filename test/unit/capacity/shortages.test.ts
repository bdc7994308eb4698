import { describe, expect, it } from 'vitest';
import {
  isShort,
  refusalOf,
  SHORT_FOR_MS,
  shortagesOf,
  withRefusal,
  withShortages,
} from '../../../shared/core/capacity/shortages.ts';
import { pool } from './fixtures.ts';

const NOW_MS = 1_000_000;
const spot = (type: string) => ({ type, zone: 'a', capacityType: 'spot' as const });

describe('a shortage', () => {
  const met = withShortages(pool(), [spot('m5.large')], NOW_MS);

  it.each([
    ['of the combination that was met', ['m5.large', 'a', 'spot'], true],
    ['of no other type', ['m5.xlarge', 'a', 'spot'], false],
    ['of no other zone', ['m5.large', 'b', 'spot'], false],
    ['of no other capacity type', ['m5.large', 'a', 'on-demand'], false],
  ] as const)('is %s', (_, [type, zone, capacityType], expected) => {
    expect(isShort([met], NOW_MS)(type, zone, capacityType)).toBe(expected);
  });

  it('holds for all pools, whichever met it', () => {
    const others = [pool({ name: 'other' }), met];
    expect(isShort(others, NOW_MS)('m5.large', 'a', 'spot')).toBe(true);
  });

  it('is forgotten after some minutes', () => {
    const asOf = (nowMs: number) => isShort([met], nowMs)('m5.large', 'a', 'spot');
    expect([asOf(NOW_MS + SHORT_FOR_MS - 1), asOf(NOW_MS + SHORT_FOR_MS)]).toEqual([true, false]);
    const later = withShortages(met, [spot('c5.large')], NOW_MS + SHORT_FOR_MS);
    expect(shortagesOf(later).map(({ type }) => type)).toEqual(['c5.large']);
  });

  it('that is met again is remembered once, from then on', () => {
    const again = withShortages(met, [spot('m5.large')], NOW_MS + 5);
    expect(shortagesOf(again)).toEqual([
      { ...spot('m5.large'), untilMs: NOW_MS + 5 + SHORT_FOR_MS },
    ]);
  });

  it('gives way to later ones where there are very many', () => {
    const many = Array.from({ length: 300 }, (_, i) => spot(`m${i}.large`));
    const kept = shortagesOf(withShortages(pool(), many, NOW_MS));
    expect([kept.length, kept.at(-1)?.type]).toEqual([200, 'm299.large']);
  });
});

describe('a refusal', () => {
  const refused = withRefusal(
    withShortages(pool(), [spot('m5.large')], NOW_MS),
    'VcpuLimitExceeded',
    NOW_MS,
  );

  it('counts for some minutes', () => {
    expect(refusalOf(refused, NOW_MS)?.message).toBe('VcpuLimitExceeded');
    expect(refusalOf(refused, NOW_MS + SHORT_FOR_MS)).toBeUndefined();
  });

  it('leaves what is known of shortages', () => {
    expect(shortagesOf(refused)).toHaveLength(1);
  });
});
