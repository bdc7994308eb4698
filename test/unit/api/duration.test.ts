import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isPlainDuration,
  parseDuration,
  parseDurationOrNever,
} from '../../../shared/api/duration.ts';

describe('a duration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['720h', 2_592_000_000],
    ['1m1h', 3_660_000],
    ['-5m', -300_000],
    ['+5m', 300_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1.s', 1_000],
    ['100ms', 100],
    ['1500us', 1.5],
    ['1500µs', 1.5],
    ['2000000ns', 2],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBeCloseTo(ms, 6));

  it.each([
    '',
    '-',
    '5',
    'h',
    '1d',
    '1h ',
    ' 1h',
    '1 h',
    '1h-1m',
    '1,5h',
    '1e3s',
    'Never',
    '3000000h',
    '9'.repeat(62) + 'h',
    '1s'.repeat(40),
  ])('is not %j', (text) => expect(parseDuration(text)).toBeUndefined());

  it('may have no end where a field allows that', () => {
    expect(parseDurationOrNever('Never')).toBe(Infinity);
    expect(parseDurationOrNever('never')).toBeUndefined();
    expect(parseDurationOrNever('2m')).toBe(120_000);
  });

  it('adds up over its parts, in whichever order', () => {
    const part = fc.tuple(fc.nat(999), fc.constantFrom('h', 'm', 's', 'ms'));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const texts = parts.map(([amount, unit]) => `${amount}${unit}`);
        const sum = texts.reduce((ms, text) => ms + (parseDuration(text) ?? NaN), 0);
        expect(parseDuration(texts.join(''))).toBe(sum);
        expect(parseDuration(texts.reverse().join(''))).toBe(sum);
      }),
    );
  });

  it('is plain when it is of whole hours, minutes and seconds', () => {
    expect(['1h30m', '0s', '1m1h'].map(isPlainDuration)).toEqual([true, true, true]);
    expect(['1.5h', '-1h', '5ms', '0', ''].map(isPlainDuration)).toEqual(Array(5).fill(false));
  });
});
