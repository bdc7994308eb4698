/** What a field of a message from outside may be: each kind of value has a bound. */

/** Names and reasons are short; a runtime's message may quote an engine. */
const MAX_TEXT = 4096;

export function isTextUpTo(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most;
}

export function isText(value: unknown): value is string {
  return isTextUpTo(value, MAX_TEXT);
}

export function isOptionalText(value: unknown): boolean {
  return value === undefined || isText(value);
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** The last moment that a Date can hold. */
const LAST_MS = 8.64e15;

export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LAST_MS;
}
