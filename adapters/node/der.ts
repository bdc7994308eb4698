/** DER: the few ASN.1 types that certificates are made of. Writes only. */

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** A value under its tag, with its length before it. */
function tagged(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content]);
}

/** Short lengths are one byte; longer ones say first how many bytes they take. */
function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

export const sequence = (...items: readonly Uint8Array[]) =>
  tagged(TAG.sequence, Buffer.concat(items));

export const set = (...items: readonly Uint8Array[]) => tagged(TAG.set, Buffer.concat(items));

export const octets = (content: Uint8Array) => tagged(TAG.octetString, content);

export const utf8 = (text: string) => tagged(TAG.utf8, Buffer.from(text, 'utf8'));

export const truth = () => tagged(TAG.boolean, Buffer.from([0xff]));

/** Bits, of which the last `unused` do not count. */
export const bits = (content: Uint8Array, unused = 0) =>
  tagged(TAG.bitString, Buffer.concat([Buffer.from([unused]), content]));

/**
 * A number that is not negative, as its bytes: a leading zero keeps it from reading as a negative
 * one.
 */
export function integer(bytes: Uint8Array): Buffer {
  const isNegative = ((bytes[0] ?? 0) & 0x80) !== 0;
  return tagged(TAG.integer, isNegative ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

/** Such as 2.5.29.17. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(TAG.objectId, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Seven bits a byte; all but the last have the highest bit set. */
function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest % 128));
  }
  return bytes;
}

/** A time: with two digits of the year up to 2049, with four from then on (RFC 5280, 4.1.2.5). */
export function time(ms: number): Buffer {
  const date = new Date(ms);
  const digits = date
    .toISOString()
    .replace(/\.\d{3}Z$/, 'Z')
    .replace(/[-:T]/g, '');
  if (date.getUTCFullYear() < 2050) return tagged(TAG.utcTime, Buffer.from(digits.slice(2)));
  return tagged(TAG.generalizedTime, Buffer.from(digits));
}

/** A field of a structure that is known by its number. `constructed`: it holds further values. */
export function context(number: number, content: Uint8Array, constructed = false): Buffer {
  return tagged(0x80 | (constructed ? 0x20 : 0) | number, content);
}
