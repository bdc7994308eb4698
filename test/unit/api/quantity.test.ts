import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalQuantity,
  compareQuantities,
  isQuantity,
  milliValue,
  wholeValue,
} from '../../../shared/api/quantity.ts';

describe('quantities', () => {
  it.each<[string | number, string, number, number]>([
    ['0', '0', 0, 0],
    ['100m', '100m', 100, 1],
    ['1000m', '1', 1000, 1],
    ['1.5', '1500m', 1500, 2],
    ['.5', '500m', 500, 1],
    ['5.', '5', 5000, 5],
    ['1000', '1k', 1_000_000, 1000],
    ['1024Mi', '1Gi', 1_073_741_824_000, 1_073_741_824],
    ['0.5Ki', '512', 512_000, 512],
    ['0.1Gi', '107374182400m', 107_374_182_400, 107_374_183],
    ['1025Ki', '1025Ki', 1_049_600_000, 1_049_600],
    ['-1.5Gi', '-1536Mi', -1_610_612_736_000, -1_610_612_736],
    ['12e2', '1200', 1_200_000, 1200],
    ['100e2', '10e3', 10_000_000, 10_000],
    ['1E', '1E', 1e21, 1e18],
    ['1e-3', '1e-3', 1, 1],
    ['0.1n', '1n', 1, 1],
    ['1e30', '9223372036854775807', 9_223_372_036_854_775_807_000, 9_223_372_036_854_775_807],
    [0.25, '250m', 250, 1],
    [2, '2', 2000, 2],
  ])('%s is written %s, is %d thousandths and %d units', (quantity, canonical, milli, whole) => {
    expect(canonicalQuantity(quantity)).toBe(canonical);
    expect(milliValue(quantity)).toBe(milli);
    expect(wholeValue(quantity)).toBe(whole);
  });

  it.each(['', '.', '-', 'm', '1Kii', '1ki', '1ee', '1e', '1.2.3', '0x1', ' 1', '1 ', '１', 'e3'])(
    '%j is none',
    (text) => {
      expect(isQuantity(text)).toBe(false);
      expect(() => milliValue(text)).toThrow(RangeError);
    },
  );

  it('of more than 64 characters are none', () => {
    expect(isQuantity('1'.repeat(64))).toBe(true);
    expect(isQuantity('1'.repeat(65))).toBe(false);
  });

  const suffix = fc.constantFrom(
    ...['', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'P', 'E', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'E-2'],
  );
  const quantity = fc
    .tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.option(fc.nat(999)), suffix)
    .map(([whole, fraction, unit]) => `${whole}${fraction === null ? '' : `.${fraction}`}${unit}`);

  it('keep their amount when they are written canonically, and are then as short as can be', () => {
    fc.assert(
      fc.property(quantity, (text) => {
        const canonical = canonicalQuantity(text);
        expect(compareQuantities(canonical, text)).toBe(0);
        expect(canonicalQuantity(canonical)).toBe(canonical);
      }),
    );
  });

  it('are ordered as their numbers are', () => {
    fc.assert(
      fc.property(quantity, quantity, (a, b) => {
        const order = compareQuantities(a, b);
        expect(order + compareQuantities(b, a)).toBe(0);
        if (order < 0) expect(milliValue(a)).toBeLessThanOrEqual(milliValue(b));
      }),
    );
  });
});
