/**
 * Durations as Go writes them (`720h`, `1h30m`, `0s`), which is how Karpenter's kinds hold them,
 * and `Never`. One parser for all fields; which of its forms a field takes is the field's to say.
 * Source: Go's time.ParseDuration; Karpenter's NillableDuration.
 */

/** What a field says that has no end. */
export const NEVER = 'Never';

/** No duration that a person writes is longer. */
const MAX_LENGTH = 64;

/** Go counts in 63 bits of nanoseconds: some 292 years. */
const MAX_MS = (2 ** 63 - 1) / 1e6;

const UNIT_MS: { readonly [unit: string]: number } = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/y;

/** Milliseconds, or undefined for what is no duration. `Never` is none. */
export function parseDuration(text: string): number | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const sign = text.startsWith('-') ? -1 : 1;
  const start = text.startsWith('-') || text.startsWith('+') ? 1 : 0;
  if (text.slice(start) === '0') return 0;
  let ms = 0;
  PART.lastIndex = start;
  do {
    const [, amount, unit] = PART.exec(text) ?? [];
    if (amount === undefined || unit === undefined) return undefined;
    ms += Number(amount) * (UNIT_MS[unit] ?? NaN);
  } while (PART.lastIndex < text.length);
  return ms <= MAX_MS ? sign * ms : undefined;
}

/** Milliseconds; Infinity for `Never`, undefined for what is neither. */
export function parseDurationOrNever(text: string): number | undefined {
  return text === NEVER ? Infinity : parseDuration(text);
}

/** Whole hours, minutes and seconds, the largest first or in any order: `1h30m`. */
export function isPlainDuration(text: string): boolean {
  return text.length <= MAX_LENGTH && /^([0-9]+[smh])+$/.test(text);
}
