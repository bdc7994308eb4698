/** A vaulted store over memory, whose calls can be counted and crashed between. */
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { MemoryVault } from '../../../adapters/memory/memory-vault.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { toBase64 } from '../../../shared/api/base64.ts';
import { vaultedValues } from '../../../shared/api/vault-ref.ts';
import { delegating } from '../../../shared/control/delegating.ts';
import { sweepVault } from '../../../shared/control/vault-sweep.ts';
import { sealedStore, vaultedStore } from '../../../shared/control/vaulted-store.ts';
import type { Store } from '../../../shared/ports/store.ts';
import type { Vault } from '../../../shared/ports/vault.ts';

export const SECRETS = 'secrets';
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export const keyOfSecret = (name: string, namespace = 'default') => ({
  resource: SECRETS,
  namespace,
  name,
});

/** What a crash throws: nobody's error, so that nobody handles it. */
export class Crash extends Error {}

export class World {
  readonly clock = new StepClock();
  /** As the table: sealed. */
  readonly table = new MemoryStore({ clock: this.clock });
  readonly vault = new MemoryVault(this.clock);
  readonly recorder = new MemoryRecorder();
  readonly ids = new SeededIds(3);
  readonly sealed = sealedStore(this.table);
  /** Calls made of the store below and of the vault. */
  readonly calls: string[] = [];
  /** Asked before and after each call of those; may throw. */
  between: (call: string) => void = () => {};

  /** The store as one process has it: with nothing remembered. */
  revealing(): Store {
    const { clock, recorder, ids } = this;
    return vaultedStore(this.#watchedStore(), {
      vault: this.#watchedVault(),
      clock,
      recorder,
      ids,
    });
  }

  sweep(maxRemoved?: number): Promise<number> {
    const { table: store, vault, clock, recorder } = this;
    return sweepVault({
      store,
      vault,
      clock,
      recorder,
      ...(maxRemoved !== undefined && { maxRemoved }),
    });
  }

  /** The names of all parts in the vault. */
  async parts(): Promise<string[]> {
    const names: string[] = [];
    let after: string | undefined;
    do {
      const { parts, next } = await this.vault.list(after);
      names.push(...parts.map(({ name }) => name));
      after = next;
    } while (after !== undefined);
    return names;
  }

  /** S6: the Secrets in the table whose values are not all in the vault. */
  async lost(): Promise<AnyObject[]> {
    const { items } = await this.table.list({ resource: SECRETS });
    const refs = items.flatMap((item) => vaultedValues(item)?.ref ?? []);
    const found = await this.vault.get(refs);
    return items.filter((item) => {
      const ref = vaultedValues(item)?.ref;
      return ref && !found.has(ref.id);
    });
  }

  async #step<T>(name: string, call: () => Promise<T>): Promise<T> {
    this.calls.push(name);
    this.between(`before ${name}`);
    const answer = await call();
    this.between(`after ${name}`);
    return answer;
  }

  #watchedStore(): Store {
    const { table } = this;
    return {
      ...delegating(table),
      get: (key) => this.#step('get', () => table.get(key)),
      create: (resource, object) => this.#step('create', () => table.create(resource, object)),
      update: (resource, object) => this.#step('update', () => table.update(resource, object)),
      remove: (key, expected) => this.#step('remove', () => table.remove(key, expected)),
    };
  }

  #watchedVault(): Vault {
    const { vault } = this;
    return {
      put: (id, values) => this.#step('vault put', () => vault.put(id, values)),
      get: (refs) => this.#step('vault get', () => vault.get(refs)),
      remove: (names) => this.#step('vault remove', () => vault.remove(names)),
      list: (after) => vault.list(after),
    };
  }
}

let uids = 0;

/** A Secret that is yet to be created. */
export function secret(
  name: string,
  texts: { readonly [key: string]: string },
  metadata: object = {},
): AnyObject {
  const data = Object.fromEntries(Object.entries(texts).map(([key, v]) => [key, toBase64(v)]));
  const identity = { name, namespace: 'default', uid: `uid-${uids++}` };
  const given = { ...identity, resourceVersion: '', creationTimestamp: '', ...metadata };
  return { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: given, data };
}

export function dataOf(object: AnyObject | undefined): { readonly [key: string]: string } {
  return (object?.['data'] ?? {}) as { [key: string]: string };
}
