/** Counts and percentages, as limits of disruption are given. */
import type { Faults } from './faults.ts';

const PERCENT_RULE =
  "a valid percent string must be a numeric string followed by an ending '%' " +
  "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** A count or a percentage; its number, if it is one. */
export function checkShare(
  value: number | string,
  field: string,
  faults: Faults,
): number | undefined {
  if (typeof value === 'number') {
    faults.notNegative(field, value);
    return value;
  }
  if (value.length <= 10 && /^[0-9]+%$/.test(value)) return Number(value.slice(0, -1));
  faults.invalid(field, value, PERCENT_RULE);
  return undefined;
}
