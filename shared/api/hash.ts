/**
 * Hashes for names: short, stable for ever, spelled in letters that form no words. Not for
 * security.
 */

/** Kubernetes' alphabet of generated names. */
export const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;
const MASK_64 = (1n << 64n) - 1n;

/** FNV-1a, 64 bits (Fowler, Noll, Vo), over UTF-16 code units. */
export function hash64(text: string): bigint {
  let hash = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) {
    hash = ((hash ^ BigInt(text.charCodeAt(i))) * FNV_PRIME) & MASK_64;
  }
  return hash;
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
