/** Base64 of bytes and of text, in both directions. */

/** Bytes at a time, so that no call has more arguments than an engine takes. */
const CHUNK = 8192;

export function base64OfBytes(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  }
  return btoa(binary);
}

/** Throws `DOMException` on what is not base64. */
export function bytesOfBase64(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

export function toBase64(text: string): string {
  return base64OfBytes(new TextEncoder().encode(text));
}

export function textOf(base64: string): string {
  return new TextDecoder().decode(bytesOfBase64(base64));
}
