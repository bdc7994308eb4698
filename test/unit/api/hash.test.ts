import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hash64, NAME_ALPHABET, nameHash } from '../../../shared/api/hash.ts';

const MASK_64 = (1n << 64n) - 1n;

/** As the algorithm is written down, a multiplication of 64 bits for each character. */
function plainly(text: string): bigint {
  return [...Array(text.length).keys()].reduce(
    (hash, i) => ((hash ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n) & MASK_64,
    0xcbf29ce484222325n,
  );
}

describe('hash64', () => {
  it.each([
    ['', 0xcbf29ce484222325n],
    ['a', 0xaf63dc4c8601ec8cn],
    ['foobar', 0x85944171f73967e8n],
  ])('of %j is as its authors published it', (text, hash) => {
    expect(hash64(text)).toBe(hash);
  });

  it('is the same in halves as in one', () => {
    const text = fc.string({ unit: 'binary', maxLength: 80 });
    fc.assert(fc.property(text, (t) => hash64(t) === plainly(t)));
  });
});

describe('nameHash', () => {
  it('has the length that is asked for, in letters that form no words', () => {
    const length = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(fc.string(), length, (text, n) => {
        const name = nameHash(text, n);
        expect(name).toHaveLength(n);
        expect([...name].every((letter) => NAME_ALPHABET.includes(letter))).toBe(true);
      }),
    );
  });
});
