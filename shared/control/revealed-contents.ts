/**
 * Contents of the vault as they were last read: they never change under their id, so that an update
 * need not read again what it was decided from, nor a watch what it just told. In memory only, and
 * little of it.
 */
import type { VaultRef } from '../api/vault-ref.ts';
import type { SecretValues, Vault } from '../ports/vault.ts';

/** Some hundreds of usual Secrets, and two of the largest. */
const MAX_BYTES = 4 * 1024 * 1024;

export class RevealedContents {
  readonly #vault: Vault;
  /** By id, the least recently used first. */
  readonly #contents = new Map<string, SecretValues>();
  #bytes = 0;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** The contents by id; one that is not in the vault is not in the answer. */
  async of(refs: readonly VaultRef[]): Promise<ReadonlyMap<string, SecretValues>> {
    const unknown = refs.filter(({ id }) => !this.#contents.has(id));
    const read = unknown.length > 0 ? await this.#vault.get(unknown) : new Map<string, never>();
    const found = new Map<string, SecretValues>();
    for (const { id } of refs) {
      const values = this.#contents.get(id) ?? read.get(id);
      if (values) found.set(id, values);
    }
    for (const [id, values] of found) this.#touch(id, values);
    return found;
  }

  keep({ id }: VaultRef, values: SecretValues): void {
    this.#touch(id, values);
  }

  #touch(id: string, values: SecretValues): void {
    this.#drop(id);
    this.#contents.set(id, values);
    this.#bytes += sizeOf(values);
    for (const oldest of this.#contents.keys()) {
      if (this.#bytes <= MAX_BYTES) break;
      this.#drop(oldest);
    }
  }

  #drop(id: string): void {
    const values = this.#contents.get(id);
    if (!values) return;
    this.#contents.delete(id);
    this.#bytes -= sizeOf(values);
  }
}

function sizeOf(values: SecretValues): number {
  let bytes = 0;
  for (const [key, value] of values) bytes += key.length + value.length;
  return bytes;
}
