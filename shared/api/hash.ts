/**
 * Hashes for names: short, stable for ever, spelled in letters that form no words. Not for
 * security.
 */

/** Kubernetes' alphabet of generated names. */
export const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

const FNV_OFFSET = { high: 0xcbf29ce4, low: 0x84222325 };
/** The prime is 2^40 + 435. */
const FNV_PRIME_LOW = 435;
const FNV_PRIME_SHIFT = 40 - 32;
const TWO_TO_32 = 2 ** 32;

/**
 * FNV-1a, 64 bits (Fowler, Noll, Vo), over UTF-16 code units. In two halves, since a multiplication
 * of BigInts for each character is ten times as slow.
 */
export function hash64(text: string): bigint {
  let { high, low } = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) {
    const mixed = (low ^ text.charCodeAt(i)) >>> 0;
    const product = mixed * FNV_PRIME_LOW; // 41 bits at most: exact
    const carry = Math.floor(product / TWO_TO_32);
    high = (Math.imul(high, FNV_PRIME_LOW) + carry + (mixed << FNV_PRIME_SHIFT)) >>> 0;
    low = product >>> 0;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}

/** `length` (at most 12) characters of the name alphabet that stand for the text. */
export function nameHash(text: string, length: number): string {
  const base = BigInt(NAME_ALPHABET.length);
  let rest = hash64(text);
  let name = '';
  for (let i = 0; i < length; i++) {
    name += NAME_ALPHABET[Number(rest % base)] ?? '';
    rest /= base;
  }
  return name;
}

/** JSON with sorted keys: the same value gives the same text, whatever order it was written in. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(',')}}`;
}

/** Whether two JSON values are the same, whatever the order of their keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = Object.entries(a).filter(([, v]) => v !== undefined);
  const right = b as Record<string, unknown>;
  const count = Object.values(right).filter((v) => v !== undefined).length;
  return left.length === count && left.every(([key, v]) => sameJson(v, right[key]));
}
