/** The reader of the wire format: exact on what is valid, bounded and clear on what is not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../../shared/api/errors.ts';
import { parseProtobuf } from '../../../../shared/api/protobuf/decode.ts';
import { MAX_FIELDS, WireReader } from '../../../../shared/api/protobuf/wire.ts';
import { envelope, field, message, varintField } from './wire-writer.ts';

const readerOf = (bytes: Uint8Array) => new WireReader(bytes, { fields: MAX_FIELDS });
const SEED = 20_300_101;

function refusal(read: () => unknown): number {
  try {
    read();
  } catch (error) {
    if (error instanceof ApiError) return error.status.code;
    throw error;
  }
  return 0;
}

describe('the wire format', () => {
  it('gives back every number that JSON can hold', () => {
    const numbers = fc.maxSafeInteger();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 29 - 1 }), numbers, (number, value) => {
        const reader = readerOf(varintField(number, BigInt(value)));
        expect([reader.next(), reader.int64(), reader.next()]).toEqual([number, value, 0]);
      }),
      { seed: SEED },
    );
  });

  it.each([2n ** 53n, -(2n ** 53n), 2n ** 63n, 2n ** 32n * 2n ** 31n])('refuses %d', (value) => {
    const reader = readerOf(varintField(1, value));
    reader.next();
    expect(refusal(() => reader.int64())).toBe(400);
  });

  it('refuses numbers beyond 32 bits where there are 32', () => {
    for (const [value, code] of [
      [2n ** 31n - 1n, 0],
      [-(2n ** 31n), 0],
      [2n ** 31n, 400],
    ] as const) {
      const reader = readerOf(varintField(1, value));
      reader.next();
      expect([value, refusal(() => reader.int32())]).toEqual([value, code]);
    }
  });

  it('gives back fields of any bytes, in their order', () => {
    const fields = fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.uint8Array()));
    fc.assert(
      fc.property(fields, (given) => {
        const reader = readerOf(message(...given.map(([number, bytes]) => field(number, bytes))));
        const found: [number, Uint8Array][] = [];
        for (let n = reader.next(); n !== 0; n = reader.next()) found.push([n, reader.bytes()]);
        expect(found).toEqual(given);
      }),
      { seed: SEED },
    );
  });

  it.each([
    ['a number that does not end', [0x08, 0x80]],
    ['a number of eleven bytes', [0x08, ...Array<number>(10).fill(0x80), 0x01]],
    ['a number of 65 bits', [0x08, ...Array<number>(9).fill(0xff), 0x02]],
    ['the field number zero', [0x00, 0x01]],
    ['a field number of more than 32 bits', [0xf8, 0xff, 0xff, 0xff, 0xff, 0x01, 0x01]],
    ['a length beyond the end', [0x0a, 0x02, 0x00]],
    ['a length of 64 bits', [0x0a, ...Array<number>(9).fill(0xff), 0x01]],
    ['a fixed number that is cut off', [0x0d, 0x00, 0x00]],
    ['a group', [0x0b, 0x0c]],
    ['an unknown wire type', [0x0f]],
  ])('refuses %s', (_what, bytes) => {
    const reader = readerOf(Uint8Array.from(bytes));
    expect(
      refusal(() => {
        while (reader.next() !== 0) reader.skip();
      }),
    ).toBe(400);
  });

  it('passes over what it does not know, and says whether it was more than a zero', () => {
    const fixed = (type: number, length: number, last: number) =>
      Uint8Array.from([(9 << 3) | type, ...Array<number>(length - 1).fill(0), last]);
    const all = [varintField(9, 0n), field(9, ''), fixed(1, 8, 0), fixed(5, 4, 0)];
    const some = [varintField(9, 1n), field(9, 'x'), fixed(1, 8, 1), fixed(5, 4, 1)];
    const reader = readerOf(message(...all, ...some));
    const found: boolean[] = [];
    while (reader.next() !== 0) found.push(reader.skip());
    expect(found).toEqual([false, false, false, false, true, true, true, true]);
  });
});

describe('hostile bodies', () => {
  const kinds = fc.constantFrom('Pod', 'Service', 'Event', 'Node', 'ConfigMap', 'Binding');

  it('of random bytes end with a value or with a Status', () => {
    fc.assert(
      fc.property(kinds, fc.uint8Array({ maxLength: 300 }), (kind, bytes) => {
        expect([0, 400, 413, 415]).toContain(refusal(() => parseProtobuf(bytes)));
        expect([0, 400]).toContain(refusal(() => parseProtobuf(envelope('v1', kind, bytes))));
      }),
      { numRuns: 2000, seed: SEED },
    );
  });

  it('of random fields do as well, however they are nested', () => {
    const { tree } = fc.letrec<{ tree: Uint8Array }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.uint8Array({ maxLength: 5 }),
        fc
          .tuple(fc.integer({ min: 1, max: 45 }), fc.bigInt(-5n, 2n ** 64n))
          .map(([n, v]) => varintField(n, v)),
        fc
          .array(fc.tuple(fc.integer({ min: 1, max: 45 }), tie('tree')), { maxLength: 4 })
          .map((fields) => message(...fields.map(([number, bytes]) => field(number, bytes)))),
      ),
    }));
    fc.assert(
      fc.property(kinds, tree, (kind, bytes) => {
        expect([0, 400]).toContain(refusal(() => parseProtobuf(envelope('v1', kind, bytes))));
      }),
      { numRuns: 2000, seed: SEED },
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('of more fields than the budget are refused', () => {
    const empty = new Uint8Array(MAX_FIELDS * 2 + 2);
    for (let i = 0; i < empty.length; i += 2) empty[i] = (14 << 3) | 2;
    expect(refusal(() => parseProtobuf(envelope('v1', 'Event', empty)))).toBe(400);
  });

  const repeated = (part: Uint8Array) => {
    const times = Math.floor(1_000_000 / part.length);
    const bytes = new Uint8Array(times * part.length);
    for (let i = 0; i < times; i++) bytes.set(part, i * part.length);
    return bytes;
  };
  const manyKeys = message(
    ...Array.from({ length: 60_000 }, (_, i) => field(2, field(1, `key-${i}`))),
  );

  // What takes more than linear time takes minutes for these.
  it.each([
    ['unknown fields', 'Pod', repeated(message(field(900, 'x'.repeat(10))))],
    ['volumes of nothing', 'Pod', field(2, repeated(field(1, 'x'.repeat(10))))],
    ['levels as deep as they get', 'Pod', field(2, repeated(field(2, field(15, field(8, '')))))],
    ['keys', 'ConfigMap', manyKeys],
    ['one text', 'ConfigMap', field(2, message(field(1, 'k'), field(2, 'x'.repeat(1_000_000))))],
    ['owned fields', 'Pod', field(1, field(17, field(7, field(1, '['.repeat(1_000_000)))))],
  ])('of one megabyte of %s are done with at once', (_what, kind, bytes) => {
    expect([0, 400]).toContain(refusal(() => parseProtobuf(envelope('v1', kind, bytes))));
  });
});
