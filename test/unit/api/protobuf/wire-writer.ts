/** Writes the wire format, for tests: the counterpart of what is tested, and as small as can be. */

export function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(fields.flatMap((bytes) => [...bytes]));
}

/** The 64 bits of a number, seven in a byte, the low ones first. */
export function varint(value: bigint): number[] {
  const bits = BigInt.asUintN(64, value);
  const low = Number(bits & 0x7fn);
  return bits < 0x80n ? [low] : [low | 0x80, ...varint(bits >> 7n)];
}

export function varintField(number: number, value: bigint): Uint8Array {
  return Uint8Array.from([...varint(BigInt(number) << 3n), ...varint(value)]);
}

/** A text, or the bytes of anything else that has a length. */
export function field(number: number, content: string | Uint8Array): Uint8Array {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const head = [...varint((BigInt(number) << 3n) | 2n), ...varint(BigInt(bytes.length))];
  const out = new Uint8Array(head.length + bytes.length);
  out.set(head);
  out.set(bytes, head.length);
  return out;
}

export function envelope(
  apiVersion: string,
  kind: string,
  raw: Uint8Array,
  contentEncoding = '',
): Uint8Array {
  const typeMeta = message(field(1, apiVersion), field(2, kind));
  const magic = new TextEncoder().encode('k8s\0');
  return message(magic, field(1, typeMeta), field(2, raw), field(3, contentEncoding));
}
