/**
 * Where secret values live, encrypted and apart from the table (architecture D10). A content is
 * written once under a name of its own and never changed: who writes anew takes another name.
 * Values are never in an error's text, cause or fields.
 */
import type { VaultRef } from '../api/vault-ref.ts';

/** By key. */
export type SecretValues = ReadonlyMap<string, Uint8Array>;

export interface Vault {
  /**
   * Keeps a content under an id that was never used for another one. Parts are `/`-separated words
   * of letters, digits, dots, dashes and underscores. The same content again is the same write.
   * Throws `VaultTooLarge` before anything is written; after `VaultUnavailable`, some of it may be.
   */
  put(id: string, values: SecretValues): Promise<VaultRef>;
  /**
   * The contents by the refs' ids. One of which something is missing is not in the answer. What
   * `put` has answered is found at once. Throws `VaultUnavailable`.
   */
  get(refs: readonly VaultRef[]): Promise<ReadonlyMap<string, SecretValues>>;
  /** Removes parts by their names (`partNames`); names that are not there are no error. */
  remove(names: readonly string[]): Promise<void>;
  /** A page of the names of all parts, for the sweep. What is recent may be missing. */
  list(after?: string): Promise<VaultPage>;
}

export interface VaultPage {
  readonly parts: readonly { readonly name: string; readonly writtenAtMs: number }[];
  readonly next?: string;
}

/** Not now: throttled, timed out or down. Some of a write may have happened. */
export class VaultUnavailable extends Error {
  override readonly name = 'VaultUnavailable';
}

/** Never, as it is: more, or larger, than the vault takes. */
export class VaultTooLarge extends Error {
  override readonly name = 'VaultTooLarge';
}
