/**
 * The wire format of protobuf: bytes to numbered fields. Owns tags, numbers and lengths; what the
 * fields mean is decode.ts's.
 *
 * P1. Whatever the bytes are, reading them ends with fields or with a BadRequest.
 * P2. Time and memory are linear in the bytes: a byte is looked at once for each message it is in,
 * and no more fields are read than the budget of the whole body allows.
 */
import { type ApiError, badRequest } from '../errors.ts';

/** What one body may still cost; its messages share it. */
export interface WireBudget {
  fields: number;
}

/** Ten times what an object has that takes all of 1 MiB with names and values of real length. */
export const MAX_FIELDS = 200_000;

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

const MAX_VARINT_BYTES = 10;
const TWO_TO_32 = 2 ** 32;
const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

export function malformed(what: string): ApiError {
  return badRequest(`the body is not valid protobuf: ${what}`);
}

/** Reads the fields of one message, in the order in which they stand. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #budget: WireBudget;
  #at = 0;
  #number = 0;
  #type = 0;
  /** The halves of the number that was read last, both without a sign. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array, budget: WireBudget) {
    this.#bytes = bytes;
    this.#budget = budget;
  }

  /** The number of the next field, whose value must be read before the next call; 0 at the end. */
  next(): number {
    if (this.#at === this.#bytes.length) return 0;
    if (--this.#budget.fields < 0) throw malformed(`it has more than ${MAX_FIELDS} fields`);
    this.#varint();
    this.#type = this.#low & 7;
    this.#number = this.#low >>> 3;
    if (this.#high !== 0 || this.#number === 0) throw malformed('a field has no valid number');
    return this.#number;
  }

  /** Throws on what is no safe integer, as for JSON (J3). */
  int64(): number {
    this.#expect(VARINT);
    this.#varint();
    const value = (this.#high | 0) * TWO_TO_32 + this.#low;
    if (Number.isSafeInteger(value)) return value;
    throw malformed(`the number of field ${this.#number} is out of range`);
  }

  int32(): number {
    const value = this.int64();
    if (value >= INT32_MIN && value <= INT32_MAX) return value;
    throw malformed(`the number of field ${this.#number} is out of range`);
  }

  bool(): boolean {
    this.#expect(VARINT);
    this.#varint();
    return this.#low !== 0 || this.#high !== 0;
  }

  /** The bytes themselves, not a copy: a message, a text, or data. */
  bytes(): Uint8Array {
    this.#expect(LENGTH_DELIMITED);
    this.#varint();
    return this.#take(this.#high === 0 ? this.#low : Infinity);
  }

  /** Passes over a value; says whether there was more to it than a zero. */
  skip(): boolean {
    switch (this.#type) {
      case VARINT:
        return this.bool();
      case LENGTH_DELIMITED:
        return this.bytes().length > 0;
      case FIXED_64:
        return this.#take(8).some((byte) => byte !== 0);
      case FIXED_32:
        return this.#take(4).some((byte) => byte !== 0);
      default:
        throw malformed(`field ${this.#number} has the unknown wire type ${this.#type}`);
    }
  }

  #expect(type: number): void {
    if (this.#type === type) return;
    throw malformed(`field ${this.#number} has wire type ${this.#type} instead of ${type}`);
  }

  #take(length: number): Uint8Array {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw malformed('it ends in the middle of a field');
    this.#at = start + length;
    return this.#bytes.subarray(start, this.#at);
  }

  /** Seven bits a byte, the low ones first; the fifth byte has bits of both halves. */
  #varint(): void {
    let low = 0;
    let high = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw malformed('it ends in the middle of a number');
      const bits = byte & 0x7f;
      if (i < 5) low |= bits << (7 * i);
      if (i === 4) high = bits >>> 4;
      if (i > 4) high |= bits << (7 * i - 32);
      if (byte < 0x80) {
        // The tenth byte holds the last of 64 bits.
        if (i === MAX_VARINT_BYTES - 1 && byte > 1) break;
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw malformed('a number has more than 64 bits');
  }
}
