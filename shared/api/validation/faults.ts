/**
 * Collects what is wrong with an object, field by field, in the words of the Kubernetes API server.
 */
import type { CauseReason, StatusCause } from '../errors.ts';
import type { Complaints } from '../names.ts';

/**
 * A client can do nothing with a longer list; an object with a thousand faults costs no more than
 * this.
 */
const MAX_FAULTS = 100;

/** Values are shown in messages up to this length. */
const MAX_SHOWN_CHARS = 200;

/** The largest number in Kubernetes' int32 fields. */
export const MAX_INT32 = 2147483647;

export class Faults {
  readonly causes: StatusCause[] = [];

  invalid(field: string, value: unknown, detail: string): void {
    this.add('FieldValueInvalid', field, `Invalid value: ${shown(value)}: ${detail}`);
  }

  required(field: string, detail = ''): void {
    this.add('FieldValueRequired', field, detail ? `Required value: ${detail}` : 'Required value');
  }

  notSupported(field: string, value: unknown, supported: readonly string[]): void {
    const list = supported.map((text) => JSON.stringify(text)).join(', ');
    const message = `Unsupported value: ${shown(value)}: supported values: ${list}`;
    this.add('FieldValueNotSupported', field, message);
  }

  duplicate(field: string, value: unknown): void {
    this.add('FieldValueDuplicate', field, `Duplicate value: ${shown(value)}`);
  }

  notFound(field: string, value: unknown): void {
    this.add('FieldValueNotFound', field, `Not found: ${shown(value)}`);
  }

  forbidden(field: string, detail: string): void {
    this.add('FieldValueForbidden', field, `Forbidden: ${detail}`);
  }

  tooLong(field: string, maxBytes: number): void {
    const message = `Too long: may not be more than ${maxBytes} bytes`;
    this.add('FieldValueTooLong', field, message);
  }

  tooMany(field: string, count: number, most: number): void {
    this.add('FieldValueTooMany', field, `Too many: ${count}: must have at most ${most} items`);
  }

  /** One fault for each complaint about a text. */
  complaints(field: string, value: unknown, complaints: Complaints): void {
    for (const complaint of complaints) this.invalid(field, value, complaint);
  }

  /** The number, if it is there, is at least 0. */
  notNegative(field: string, value: number | undefined): void {
    if (value !== undefined && value < 0) {
      this.invalid(field, value, 'must be greater than or equal to 0');
    }
  }

  /** The number, if it is there, is within bounds. */
  between(field: string, value: number | undefined, low: number, high: number): void {
    if (value !== undefined && (value < low || value > high)) {
      this.invalid(field, value, `must be between ${low} and ${high}, inclusive`);
    }
  }

  port(field: string, value: number | undefined): void {
    this.between(field, value, 1, 65535);
  }

  /** Every later occurrence of a value is a fault of its own. */
  unique(fieldOf: (index: number) => string, values: readonly (string | undefined)[]): void {
    const seen = new Set<string>();
    for (const [index, value] of values.entries()) {
      if (value === undefined || value === '') continue;
      if (seen.has(value)) this.duplicate(fieldOf(index), value);
      seen.add(value);
    }
  }

  private add(reason: CauseReason, field: string, message: string): void {
    if (this.causes.length < MAX_FAULTS) this.causes.push({ reason, message, field });
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}
