/**
 * What the adapters of `Vault` must do alike: how a value becomes parts and parts a value. A value
 * that is text stays text, since runtimes hand a part to a process as it is; what can't be text,
 * or can't be kept as such everywhere, becomes base64.
 */
import { base64OfBytes, bytesOfBase64 } from '../api/base64.ts';
import { partName, type VaultEntry, type VaultRef } from '../api/vault-ref.ts';
import type { SecretValues } from './vault.ts';

/** What a part may hold: a standard parameter of SSM's Parameter Store, the smallest vault. */
export const PART_BYTES = 4096;

export interface Parted {
  readonly ref: VaultRef;
  /** By full name; none is empty. */
  readonly texts: ReadonlyMap<string, string>;
}

/** The content in parts of so many bytes at most. */
export function parted(id: string, values: SecretValues, partBytes = PART_BYTES): Parted {
  const texts = new Map<string, string>();
  const entries: VaultEntry[] = [];
  for (const [key, bytes] of values) {
    const text = storableText(bytes);
    const encoding = text === undefined ? 'base64' : 'text';
    const pieces = split(text ?? base64OfBytes(bytes), partBytes);
    const parts = pieces.map((_, i) => wordOf(key) + (pieces.length > 1 ? `/${i}` : ''));
    entries.push({ key, encoding, parts });
    parts.forEach((part, i) => texts.set(`${id}/${part}`, pieces[i] ?? ''));
  }
  return { ref: { id, entries }, texts };
}

/** The content out of its parts; undefined when one of them is missing. */
export function joined(
  ref: VaultRef,
  textOf: (name: string) => string | undefined,
): SecretValues | undefined {
  const values = new Map<string, Uint8Array>();
  for (const { key, encoding, parts } of ref.entries) {
    const texts = parts.map((part) => textOf(partName(ref, part)));
    if (texts.includes(undefined)) return undefined;
    const text = texts.join('');
    values.set(key, encoding === 'text' ? new TextEncoder().encode(text) : bytesOfBase64(text));
  }
  return values;
}

/**
 * The bytes as text; undefined when they are not UTF-8, hold a NUL (no variable can), or `{{`,
 * which SSM takes for a reference to another parameter and refuses.
 */
function storableText(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('{{') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Cuts between characters, never within one. */
function split(text: string, partBytes: number): string[] {
  const bytes = new TextEncoder().encode(text);
  const pieces: string[] = [];
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for (let from = 0; from < bytes.length;) {
    let to = Math.min(from + partBytes, bytes.length);
    while (to < bytes.length && isContinuation(bytes[to])) to--;
    pieces.push(decoder.decode(bytes.subarray(from, to)));
    from = to;
  }
  return pieces;
}

function isContinuation(byte = 0): boolean {
  return (byte & 0b1100_0000) === 0b1000_0000;
}

/** Words that every vault takes in names. Dots alone would be steps of a path. */
const PLAIN = /^(?!\.+$)[A-Za-z0-9._-]{1,253}$/;

/** Different keys have different words: `k/` for those that may stand as they are, `x/` in hex. */
function wordOf(key: string): string {
  if (PLAIN.test(key)) return `k/${key}`;
  const bytes = new TextEncoder().encode(key);
  return `x/${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
