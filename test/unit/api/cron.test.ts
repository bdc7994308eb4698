import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cron, hitsWithin, parseCron } from '../../../shared/api/cron.ts';

function cron(text: string): Cron {
  const parsed = parseCron(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

const at = (text: string) => Date.parse(text);
const MINUTE = 60_000;

describe('a schedule', () => {
  it.each<[string, keyof Cron, readonly number[]]>([
    ['0 9 * * 1-5', 'daysOfWeek', [1, 2, 3, 4, 5]],
    ['*/15 * * * *', 'minutes', [0, 15, 30, 45]],
    ['5-9/2,30 * * * *', 'minutes', [5, 7, 9, 30]],
    ['50/5 * * * *', 'minutes', [50, 55]],
    ['0 0 1 jan-MAR *', 'months', [1, 2, 3]],
    ['0 0 ? * sun,Sat', 'daysOfWeek', [0, 6]],
    ['@hourly', 'minutes', [0]],
    ['@weekly', 'daysOfWeek', [0]],
    ['@yearly', 'months', [1]],
    ['  0  9 * * *', 'hours', [9]],
  ])('%s has %s %j', (text, field, values) => {
    const set = cron(text)[field] as ReadonlySet<number>;
    expect([...set].sort((a, b) => a - b)).toEqual(values);
  });

  it.each([
    ['', 'must have five fields'],
    ['* * * *', 'has 4'],
    ['* * * * * *', 'has 6'],
    ['60 * * * *', 'minute "60" is not within 0 and 59'],
    ['* 24 * * *', 'hour "24"'],
    ['* * 0 * *', 'day of the month "0"'],
    ['* * * 13 *', 'month "13"'],
    ['* * * * 7', 'day of the week "7"'],
    ['9-5 * * * *', 'ends before it begins'],
    ['*/0 * * * *', 'step of 0'],
    ['a * * * *', 'not understood'],
    ['1,,2 * * * *', 'not understood'],
    ['-1 * * * *', 'not understood'],
    ['* * * FOO *', 'not within 1 and 12'],
    ['@every 5m', 'must be one of @yearly'],
    ['@reboot', 'must be one of'],
    ['TZ=UTC * * * * *', 'has 6'],
    ['*'.repeat(300), 'no more than 256'],
  ])('is not %j', (text, complaint) => expect(parseCron(text)).toContain(complaint));
});

describe('a schedule hits', () => {
  // 2030-01-01 is a Tuesday.
  it.each([
    ['0 9 * * *', '2030-01-01T08:59:59Z', '2030-01-01T09:00:00Z', true],
    ['0 9 * * *', '2030-01-01T09:00:00Z', '2030-01-02T08:59:59Z', false],
    ['0 9 * * 1-5', '2030-01-04T09:00:00Z', '2030-01-07T08:59:59Z', false],
    ['0 9 * * 1-5', '2030-01-04T09:00:00Z', '2030-01-07T09:00:00Z', true],
    ['0 0 31 * *', '2030-01-31T00:00:00Z', '2030-03-30T23:59:00Z', false],
    // Both days are restricted: the 15th, and Wednesdays.
    ['0 0 15 * 3', '2030-01-01T00:00:00Z', '2030-01-02T00:00:00Z', true],
    ['0 0 29 2 *', '2030-01-01T00:00:00Z', '2032-02-28T23:59:00Z', false],
    ['0 0 29 2 *', '2030-01-01T00:00:00Z', '2032-02-29T00:00:00Z', true],
    ['0 0 30 2 *', '2030-01-01T00:00:00Z', '2099-01-01T00:00:00Z', false],
    ['0 9 * * *', '2030-01-01T10:00:00Z', '2030-01-01T09:00:00Z', false],
  ])('%s after %s until %s: %s', (text, after, until, hits) => {
    expect(hitsWithin(cron(text), at(after), at(until))).toBe(hits);
  });

  it('in a span if it does in a minute of it', () => {
    const from = at('2030-02-27T00:00:00Z');
    const part = fc.constantFrom('*', '0', '*/7', '3-9');
    const schedule = fc.tuple(
      part,
      part,
      fc.constantFrom('*', '28', '1'),
      fc.constantFrom('*', '4'),
    );
    fc.assert(
      fc.property(
        schedule,
        fc.nat(4 * 1440),
        fc.nat(400),
        ([m, h, day, weekday], start, length) => {
          const one = cron(`${m} ${h} ${day} * ${weekday}`);
          const startMs = from + start * MINUTE;
          const minutes = Array.from({ length }, (_, i) => startMs + i * MINUTE);
          const some = minutes.some((ms) => hitsWithin(one, ms, ms + MINUTE));
          expect(hitsWithin(one, startMs, startMs + length * MINUTE)).toBe(some);
        },
      ),
      { numRuns: 50 },
    );
  });
});
