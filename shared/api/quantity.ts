/**
 * Quantities (`500m`, `1.5Gi`, `1e3`): exact arithmetic on text, never on floating point.
 *
 * Q1. A quantity counts in whole nanos; what is finer is rounded away from zero, as Kubernetes
 * does.
 * Q2. Every function is linear in the text, and a text of more than 64 characters is no quantity.
 * Q3. The canonical form of a canonical form is itself.
 */

/** Kubernetes has no limit; every value that fits in 63 bits can be written in far less. */
const MAX_LENGTH = 64;

/**
 * More than this power of ten is above the largest quantity, or below one nano, in any 64
 * characters.
 */
const MAX_EXPONENT = 100;

const NANOS_PER_UNIT = 1_000_000_000n;
const NANOS_PER_MILLI = 1_000_000n;

/** The largest quantity that Kubernetes keeps; larger ones are cut down to it. */
const MAX_NANOS = (2n ** 63n - 1n) * NANOS_PER_UNIT;

type Format = 'decimal' | 'binary' | 'exponent';

const DECIMAL_SUFFIXES: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
const SUFFIX_OF_EXPONENT = new Map([...DECIMAL_SUFFIXES].map(([suffix, power]) => [power, suffix]));
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;

interface Quantity {
  readonly nanos: bigint;
  readonly format: Format;
}

/** Whether the text is a quantity. */
export function isQuantity(text: string): boolean {
  return parse(text) !== undefined;
}

/**
 * Thousandths, rounded up: `0.1` is 100, `1` is 1000. Throws RangeError for what is no quantity.
 */
export function milliValue(quantity: string | number): number {
  return simpleMillis(quantity) ?? Number(roundUp(must(quantity).nanos, NANOS_PER_MILLI));
}

/**
 * Units, rounded up: bytes of memory, counts of devices. Throws RangeError for what is no quantity.
 */
export function wholeValue(quantity: string | number): number {
  return Number(roundUp(must(quantity).nanos, NANOS_PER_UNIT));
}

/** Negative if `a` is less than `b`, 0 if they are the same amount (`1` and `1000m` are). */
export function compareQuantities(a: string | number, b: string | number): number {
  const difference = must(a).nanos - must(b).nanos;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The form that Kubernetes prints: a whole number with the largest suffix that keeps it exact. */
export function canonicalQuantity(quantity: string | number): string {
  const { nanos, format } = must(quantity);
  if (nanos === 0n) return '0';
  return (format === 'binary' ? binaryText(nanos) : undefined) ?? decimalText(nanos, format);
}

function must(quantity: string | number): Quantity {
  const parsed = parse(String(quantity));
  if (!parsed) throw new RangeError(`not a quantity: ${JSON.stringify(quantity)}`);
  return parsed;
}

/**
 * Nearly all CPU quantities are a few digits with `m` or nothing: worth a path without big
 * integers.
 */
function simpleMillis(quantity: string | number): number | undefined {
  if (typeof quantity === 'number') return undefined;
  const millis = quantity.endsWith('m');
  const digits = millis ? quantity.length - 1 : quantity.length;
  if (digits === 0 || digits > 9) return undefined;
  let value = 0;
  for (let i = 0; i < digits; i++) {
    const digit = digitAt(quantity, i);
    if (digit < 0) return undefined;
    value = value * 10 + digit;
  }
  return millis ? value : value * 1000;
}

function parse(text: string): Quantity | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const start = text.startsWith('-') || text.startsWith('+') ? 1 : 0;
  const wholeEnd = skipDigits(text, start);
  const point = text[wholeEnd] === '.';
  const end = point ? skipDigits(text, wholeEnd + 1) : wholeEnd;
  const fraction = point ? text.slice(wholeEnd + 1, end) : '';
  const digits = text.slice(start, wholeEnd) + fraction;
  if (digits === '') return undefined;
  const unit = unitOf(text.slice(end));
  if (!unit) return undefined;
  const size = nanosOf(BigInt(digits), unit, fraction.length);
  return { nanos: text.startsWith('-') ? -size : size, format: unit.format };
}

interface Unit {
  readonly format: Format;
  readonly powerOf10: number;
  readonly powerOf1024: number;
}

function unitOf(suffix: string): Unit | undefined {
  const decimal = DECIMAL_SUFFIXES.get(suffix);
  if (decimal !== undefined) return { format: 'decimal', powerOf10: decimal, powerOf1024: 0 };
  const binary = BINARY_SUFFIXES.findIndex((known) => known === suffix);
  if (binary > 0) return { format: 'binary', powerOf10: 0, powerOf1024: binary };
  if (suffix[0] !== 'e' && suffix[0] !== 'E') return undefined;
  const signed = suffix[1] === '-' || suffix[1] === '+';
  const start = signed ? 2 : 1;
  if (start === suffix.length || skipDigits(suffix, start) !== suffix.length) return undefined;
  const size = Math.min(Number(suffix.slice(start)), MAX_EXPONENT);
  return { format: 'exponent', powerOf10: suffix[1] === '-' ? -size : size, powerOf1024: 0 };
}

function nanosOf(digits: bigint, unit: Unit, fractionDigits: number): bigint {
  const power = unit.powerOf10 - fractionDigits + 9;
  const scaled = digits * 1024n ** BigInt(unit.powerOf1024);
  const nanos = power >= 0 ? scaled * 10n ** BigInt(power) : roundUp(scaled, 10n ** BigInt(-power));
  return nanos > MAX_NANOS ? MAX_NANOS : nanos;
}

/** Undefined when a binary suffix would lose precision or gain nothing; decimals are used then. */
function binaryText(nanos: bigint): string | undefined {
  let whole = nanos / NANOS_PER_UNIT;
  if (whole * NANOS_PER_UNIT !== nanos || (whole < 1024n && whole > -1024n)) return undefined;
  let power = 0;
  while (whole % 1024n === 0n && power < BINARY_SUFFIXES.length - 1) {
    whole /= 1024n;
    power++;
  }
  return `${whole}${BINARY_SUFFIXES[power] ?? ''}`;
}

function decimalText(nanos: bigint, format: Format): string {
  let mantissa = nanos;
  let power = -9;
  while (mantissa % 1000n === 0n && power < 18) {
    mantissa /= 1000n;
    power += 3;
  }
  if (format === 'exponent') return power === 0 ? `${mantissa}` : `${mantissa}e${power}`;
  return `${mantissa}${SUFFIX_OF_EXPONENT.get(power) ?? ''}`;
}

/** Away from zero, so that a little of something never becomes nothing. */
function roundUp(value: bigint, unit: bigint): bigint {
  const whole = value / unit;
  if (whole * unit === value) return whole;
  return value < 0n ? whole - 1n : whole + 1n;
}

function skipDigits(text: string, from: number): number {
  let at = from;
  while (digitAt(text, at) >= 0) at++;
  return at;
}

/** The value of the digit at a position; -1 where there is none. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at) - 48;
  return code >= 0 && code <= 9 ? code : -1;
}
