/**
 * A store that keeps the values of Secrets in a vault: what is written to the store below has the
 * keys, with empty values, and in the hidden `control` where the values are. Whoever works on the
 * store below sees keys only; this one puts the values in again. The annotation in which
 * `kubectl apply` repeats a whole Secret goes the same way.
 *
 * Owns: which content an object refers to, and when. Does not own: what is left over in the vault
 * (vault-sweep.ts), or how values are kept (the vault).
 *
 * Invariants:
 *  V1 Values are in the vault before an object refers to them: what a crash leaves behind is
 *     garbage in the vault, never an object without values (S6).
 *  V2 Each write of values has an id of its own. So nobody can refer again to what was given up,
 *     and what is removed was either given up or belongs to a write that is long over.
 *  V3 A write that leaves the values as they are does not touch the vault.
 *  V4 What is shown with empty values is gone: states before a change, and deleted objects. What
 *     exists is shown with all of its values or not at all.
 */
import { keyOf } from '../api/change.ts';
import type { Change, Expected } from '../api/change.ts';
import type { AnyObject, KubeObject, ObjectKey, ResourceName } from '../api/meta.ts';
import { compareVersions } from '../api/meta.ts';
import { type VaultedValues, vaultedValues } from '../api/vault-ref.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type { Recorder } from '../ports/recorder.ts';
import {
  AlreadyExists,
  type ChangeBatch,
  type ChangesQuery,
  Conflict,
  type ListQuery,
  type Page,
  type Store,
  TooLarge,
  Unavailable,
} from '../ports/store.ts';
import { type SecretValues, type Vault, VaultTooLarge, VaultUnavailable } from '../ports/vault.ts';
import { delegating } from './delegating.ts';
import { inParallel } from './in-parallel.ts';
import { RevealedContents } from './revealed-contents.ts';
import { namesOf, RETIRED_FOR_MS, revealed, sealed, valuesOf } from './sealed-secret.ts';

export interface VaultedOptions {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly recorder: Recorder;
}

export const SECRETS: ResourceName = 'secrets';

/**
 * A write that began longer ago is given up, since the sweep takes what nothing refers to after two
 * hours. No function of ours lives this long.
 */
const MAX_WRITE_MS = 20 * 60_000;

/** An object whose values are just being replaced or removed is read again so often. */
const MAX_READS = 3;

/** Objects that are looked at again one by one, at a time. */
const CONCURRENT_READS = 8;

/** The store with values: for who serves clients. Everybody else works on the store below. */
export function vaultedStore(store: Store, options: VaultedOptions): Store {
  const secrets = new VaultedSecrets(store, options);
  const other = delegating(store);
  return {
    ...other,
    get: async <T extends KubeObject>(key: ObjectKey) =>
      key.resource === SECRETS ? ((await secrets.get(key)) as T | undefined) : store.get<T>(key),
    list: async <T extends KubeObject>(query: ListQuery) =>
      query.resource === SECRETS
        ? ((await secrets.list(query)) as Page<KubeObject> as Page<T>)
        : store.list<T>(query),
    create: async <T extends KubeObject>(resource: ResourceName, object: T) =>
      resource === SECRETS
        ? ((await secrets.create(object as unknown as AnyObject)) as KubeObject as T)
        : store.create(resource, object),
    update: async <T extends KubeObject>(resource: ResourceName, object: T) =>
      resource === SECRETS
        ? ((await secrets.update(object as unknown as AnyObject)) as KubeObject as T)
        : store.update(resource, object),
    remove: async <T extends KubeObject>(key: ObjectKey, expected: Expected) =>
      key.resource === SECRETS
        ? ((await secrets.remove(key, expected)) as KubeObject as T)
        : store.remove<T>(key, expected),
    changes: (query) =>
      query.resource === SECRETS ? secrets.changes(query) : store.changes(query),
  };
}

/**
 * The store below, for everybody else: a guard, so that no value comes into the table by a way
 * round the vault. Who changes a Secret here writes it as it was read, without values.
 */
export function sealedStore(store: Store): Store {
  const guarded = <T extends KubeObject>(resource: ResourceName, object: T): T => {
    const isBare = resource === SECRETS && hasValues(object as unknown as AnyObject);
    if (isBare) throw new TypeError('the values of a Secret are written through the vault only');
    return object;
  };
  return {
    ...delegating(store),
    create: async (resource, object) => store.create(resource, guarded(resource, object)),
    update: async (resource, object) => store.update(resource, guarded(resource, object)),
  };
}

function hasValues(object: AnyObject): boolean {
  return [...valuesOf(object).values()].some((bytes) => bytes.length > 0);
}

class VaultedSecrets {
  readonly #store: Store;
  readonly #options: VaultedOptions;
  readonly #contents: RevealedContents;

  constructor(store: Store, options: VaultedOptions) {
    this.#store = store;
    this.#options = options;
    this.#contents = new RevealedContents(options.vault);
  }

  /** Throws `Unavailable` when the values of what is stored can't be had. */
  async get(key: ObjectKey): Promise<AnyObject | undefined> {
    for (let read = 1; ; read++) {
      const object = await this.#store.get(key);
      const shown = object && (await this.#revealed([object]))[0];
      if (shown || !object) return shown;
      if (read === MAX_READS) throw this.#lost(object);
    }
  }

  async list(query: ListQuery): Promise<Page<AnyObject>> {
    const page = await this.#store.list(query);
    const items = await this.#revealed(page.items);
    // Given up, or removed, since the page was read.
    await this.#each(items, async (at) => {
      items[at] = await this.get(keyOf(SECRETS, page.items[at] as AnyObject));
    });
    return { ...page, items: items.filter((item) => item !== undefined) };
  }

  async create(object: AnyObject): Promise<AnyObject> {
    // Before anything is put into the vault: a name that is taken is the common failure.
    const current = await this.get(keyOf(SECRETS, object));
    if (current) throw new AlreadyExists(current);
    return this.#write(object, undefined, (draft) => this.#store.create(SECRETS, draft));
  }

  async update(object: AnyObject): Promise<AnyObject> {
    const before = vaultedValues(object);
    return this.#write(object, before, (draft) => this.#store.update(SECRETS, draft));
  }

  /** The last state is without values (V4). The vault's part goes best effort: the sweep's else. */
  async remove(key: ObjectKey, expected: Expected): Promise<AnyObject> {
    const removed = await this.#revealingErrors(this.#store.remove(key, expected));
    try {
      const { vault, clock } = this.#options;
      await vault.remove(namesOf(vaultedValues(removed), clock.nowMs()));
    } catch (error) {
      this.#log('values of a deleted Secret are left to the sweep', removed, error);
    }
    return removed;
  }

  /** Changes that were overtaken, so that their values are gone, are left to the later ones. */
  async changes(query: ChangesQuery): Promise<ChangeBatch> {
    const batch = await this.#store.changes(query);
    const puts = batch.changes.map(({ type, object }) => (type === 'put' ? object : undefined));
    const objects = await this.#revealed(puts);
    const changes: (Change | undefined)[] = batch.changes.map((change, at) => {
      const object = objects[at];
      if (change.type === 'delete') return change;
      return object && { ...change, object };
    });
    const missing = changes.map((change) => change && change.object);
    await this.#each(missing, (at) => this.#checkOvertaken(puts[at] as AnyObject));
    return { ...batch, changes: changes.filter((change) => change !== undefined) };
  }

  async #write(
    object: AnyObject,
    before: VaultedValues | undefined,
    write: (draft: AnyObject) => Promise<AnyObject>,
  ): Promise<AnyObject> {
    const startedAtMs = this.#options.clock.nowMs();
    const values = valuesOf(object);
    const kept = await this.#kept(object, values, before);
    if (this.#options.clock.nowMs() - startedAtMs > MAX_WRITE_MS) {
      throw new Unavailable('the write took too long');
    }
    const written = await this.#revealingErrors(write(sealed(object, kept)));
    return revealed(written, values);
  }

  /** Where the values are, having been put there unless they were there already (V3). */
  async #kept(
    object: AnyObject,
    values: SecretValues,
    before: VaultedValues | undefined,
  ): Promise<VaultedValues | undefined> {
    if (before && (await this.#holds(before, values))) return before;
    if (values.size === 0 && !before) return undefined;
    const { vault, clock, ids } = this.#options;
    const { namespace = '', uid } = object.metadata;
    const ref = await portErrors(vault.put(`${namespace}/${uid}/${ids.uid()}`, values));
    this.#contents.keep(ref, values);
    const nowMs = clock.nowMs();
    // While an older content may be asked for, the one before this is not two hours old.
    const older = before?.previous && before.previous.untilMs > nowMs ? before.previous : undefined;
    const previous = older ?? (before && { ref: before.ref, untilMs: nowMs + RETIRED_FOR_MS });
    return previous ? { ref, previous } : { ref };
  }

  async #holds({ ref }: VaultedValues, values: SecretValues): Promise<boolean> {
    const held = (await portErrors(this.#contents.of([ref]))).get(ref.id);
    return held !== undefined && isSame(held, values);
  }

  /** The objects with their values, in order; undefined where those can't be found. */
  async #revealed(objects: readonly (AnyObject | undefined)[]): Promise<(AnyObject | undefined)[]> {
    const refs = objects.flatMap((object) => (object && vaultedValues(object)?.ref) ?? []);
    const contents = await portErrors(this.#contents.of(refs));
    return objects.map((object) => {
      const vaulted = object && vaultedValues(object);
      if (!vaulted) return object;
      const values = contents.get(vaulted.ref.id);
      return values && revealed(object, values);
    });
  }

  /** Throws `Unavailable` unless something newer than this was written. */
  async #checkOvertaken(object: AnyObject): Promise<void> {
    const { resourceVersion } = object.metadata;
    const current = await this.#store.get(keyOf(SECRETS, object));
    if (!current || compareVersions(current.metadata.resourceVersion, resourceVersion) > 0) return;
    throw this.#lost(object);
  }

  /** Does the work for each place where nothing is. Throws the first failure when all is done. */
  async #each(items: readonly unknown[], work: (at: number) => Promise<void>): Promise<void> {
    const failures: unknown[] = [];
    const places = items.flatMap((item, at) => (item === undefined ? at : []));
    await inParallel(places, CONCURRENT_READS, work, (error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  /** The store's refusals carry the current object; a caller may go on from it. */
  async #revealingErrors(work: Promise<AnyObject>): Promise<AnyObject> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof AlreadyExists) {
        const current = (await this.#revealed([error.current]))[0];
        throw current ? new AlreadyExists(current) : this.#lost(error.current);
      }
      if (!(error instanceof Conflict) || !error.current) throw error;
      const current = (await this.#revealed([error.current]))[0];
      throw current ? new Conflict(current) : this.#lost(error.current);
    }
  }

  #lost(object: AnyObject): Unavailable {
    this.#log('values of a stored Secret are not in the vault', object);
    const { namespace, name } = object.metadata;
    return new Unavailable(`the values of Secret ${namespace}/${name} can't be had`);
  }

  #log(message: string, { metadata }: AnyObject, error?: unknown): void {
    const secret = `${metadata.namespace}/${metadata.name}`;
    const problem = error instanceof Error ? { problem: error.message } : {};
    const fields = { secret, uid: metadata.uid, ...problem };
    this.#options.recorder.log({ level: 'error', message, fields });
  }
}

/** The vault's errors as the store's. */
async function portErrors<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof VaultUnavailable) throw new Unavailable(`vault: ${error.message}`);
    if (error instanceof VaultTooLarge) throw new TooLarge(`vault: ${error.message}`);
    throw error;
  }
}

function isSame(a: SecretValues, b: SecretValues): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([key, bytes]) => {
    const other = b.get(key);
    return other?.length === bytes.length && bytes.every((byte, i) => byte === other[i]);
  });
}
