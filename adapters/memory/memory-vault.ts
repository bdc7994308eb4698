/** The vault in memory, for tests and simulation. */
import { joined, parted } from '../../shared/ports/vault-kit.ts';
import type { VaultRef } from '../../shared/api/vault-ref.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { SecretValues, Vault, VaultPage } from '../../shared/ports/vault.ts';

const PAGE = 50;

export class MemoryVault implements Vault {
  readonly #clock: Clock;
  readonly #parts = new Map<string, { readonly text: string; readonly writtenAtMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async put(id: string, values: SecretValues): Promise<VaultRef> {
    const { ref, texts } = parted(id, values);
    const writtenAtMs = this.#clock.nowMs();
    for (const [name, text] of texts) this.#parts.set(name, { text, writtenAtMs });
    return ref;
  }

  async get(refs: readonly VaultRef[]): Promise<ReadonlyMap<string, SecretValues>> {
    const found = new Map<string, SecretValues>();
    for (const ref of refs) {
      const values = joined(ref, (name) => this.#parts.get(name)?.text);
      if (values) found.set(ref.id, values);
    }
    return found;
  }

  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) this.#parts.delete(name);
  }

  async list(after = ''): Promise<VaultPage> {
    const names = [...this.#parts.keys()].filter((name) => name > after).sort();
    const parts = names.slice(0, PAGE).map((name) => ({
      name,
      writtenAtMs: this.#parts.get(name)?.writtenAtMs ?? 0,
    }));
    const next = parts.at(-1)?.name;
    return names.length > PAGE && next !== undefined ? { parts, next } : { parts };
  }
}
