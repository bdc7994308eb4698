/**
 * The store on DynamoDB: an object an item, a write a conditional put of that item. The table is
 * described in docs/data-model.md.
 *
 * Owns: what a write means, and its errors. The parts own the rest: writes.ts attempts and what
 * surrounds them, journal.ts what was announced, reads.ts lists and bodies, changes.ts watches,
 * keys.ts and item.ts the form.
 *
 * Invariants: W1 to W3 (writes.ts), J1 to J3 (journal.ts), R1 (reads.ts), L1 to L5 (changes.ts), I1
 *  to I3 (item.ts), and
 *  D1 Versions of a name grow, through deletions too: a tombstone is replaced under its version.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expectedOf, type Expected, keyOf } from '../../../shared/api/change.ts';
import type { AnyObject, KubeObject, ObjectKey, ResourceName } from '../../../shared/api/meta.ts';
import { ChangeWaiters } from '../../../shared/ports/change-waiters.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import { seal } from '../../../shared/ports/sealed.ts';
import { checkCreate, checkExpected, listPosition } from '../../../shared/ports/store-kit.ts';
import {
  AlreadyExists,
  type ChangeBatch,
  type ChangesQuery,
  Conflict,
  type ListQuery,
  type Page,
  type Store,
  Unavailable,
} from '../../../shared/ports/store.ts';
import { Calls } from './calls.ts';
import { Changes } from './changes.ts';
import type { PastState } from './codec.ts';
import { type Draft, type Item, MAX_PAST_STATES } from './item.ts';
import { Journal } from './journal.ts';
import { type Place, placeOf } from './keys.ts';
import { Reads } from './reads.ts';
import { Recent, type State } from './recent.ts';
import { Shown } from './shown.ts';
import { Tokens } from './tokens.ts';
import { timeOf, Versions } from './versions.ts';
import { type Intent, Refused, Writes } from './writes.ts';

export interface DynamoStoreOptions {
  /** With one attempt a call (`dynamoDbClient`): the store repeats, under new versions. */
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
  /** How long changes are kept at least: a watch that is older lists again. An hour if absent. */
  readonly keptMs?: number;
  /**
   * How long a write waits for others that are made at the same time, to be announced with them at
   * the price of one. Not at all if absent.
   */
  readonly gatherMs?: number;
}

const DEFAULT_KEPT_MS = 3_600_000;

/**
 * A good `gatherMs` where many are written at a time: answers to reads that were asked for together
 * come some milliseconds apart.
 */
export const GATHER_MS = 4;

/** These end of themselves, and nobody is told: as long after their last write as in Kubernetes. */
const LIFETIMES_MS: ReadonlyMap<ResourceName, number> = new Map([['events', 3_600_000]]);

/** The name of a tombstone is taken and given up by others in between; not so often in a row. */
const MAX_CREATES = 4;

/** In characters: what always fits in an item, and most of what memory is for. */
const MAX_NOTED_LENGTH = 100 * 1024;

export class DynamoStore implements Store {
  readonly #clock: Clock;
  readonly #keptMs: number;
  readonly #recent = new Recent();
  readonly #waiters = new ChangeWaiters();
  readonly #versions: Versions;
  readonly #reads: Reads;
  readonly #writes: Writes;
  readonly #changes: Changes;

  constructor(options: DynamoStoreOptions) {
    const { client, table, clock, keptMs = DEFAULT_KEPT_MS, gatherMs = 0 } = options;
    const calls = new Calls({ client, table, clock });
    const journal = new Journal({ calls, clock, keptMs, gatherMs });
    this.#clock = clock;
    this.#keptMs = keptMs;
    this.#versions = new Versions(clock);
    this.#reads = new Reads(calls, clock, this.#recent);
    this.#writes = new Writes({ calls, journal, clock, versions: this.#versions });
    this.#changes = new Changes({
      journal,
      reads: this.#reads,
      versions: this.#versions,
      shown: new Shown(),
      tokens: new Tokens(() => calls.requestId),
      waiters: this.#waiters,
      clock,
      keptMs,
    });
  }

  async get<T extends KubeObject = AnyObject>(key: ObjectKey): Promise<T | undefined> {
    const state = await this.#reads.at(placeOf(key));
    return this.#live(state)?.object as T | undefined;
  }

  async list<T extends KubeObject = AnyObject>(query: ListQuery): Promise<Page<T>> {
    const { limit } = query;
    const present = this.#versions.present();
    const states: State[] = [];
    let hasMore = false;
    for await (const state of this.#reads.objects(query)) {
      hasMore = states.length === limit;
      if (hasMore) break;
      states.push(state);
    }
    const isWhole = !hasMore && query.after === undefined && !query.index;
    const items = states.map(({ object }) => object) as KubeObject[] as T[];
    const resourceVersion = this.#changes.listed(query, present, states, isWhole);
    const last = items.at(-1);
    if (!hasMore || !last) return { items, resourceVersion };
    return { items, resourceVersion, next: listPosition(keyOf(query.resource, last)) };
  }

  async create<T extends KubeObject>(resource: ResourceName, object: T): Promise<T> {
    checkCreate(undefined, object);
    const key = keyOf(resource, object);
    let gone: State | undefined;
    for (let creates = 0; creates < MAX_CREATES; creates++) {
      const refused = await this.#put(creation(key, object, gone), 'put');
      if (!(refused instanceof Refused)) return refused as KubeObject as T;
      gone = await this.#stateOf(refused.current);
      const current = this.#live(gone);
      if (current) throw new AlreadyExists(current.object);
    }
    throw new Unavailable('the name is taken and given up again and again');
  }

  async update<T extends KubeObject>(resource: ResourceName, object: T): Promise<T> {
    const key = keyOf(resource, object);
    const before = await this.#expected(key, expectedOf(object));
    const updated = await this.#put(replacement(key, object, before), 'put');
    if (updated instanceof Refused) throw await this.#conflict(updated);
    return updated as KubeObject as T;
  }

  async remove<T extends KubeObject = AnyObject>(key: ObjectKey, expected: Expected): Promise<T> {
    const before = await this.#expected(key, expected);
    const removed = await this.#put(replacement(key, before.object, before), 'delete');
    if (removed instanceof Refused) throw await this.#conflict(removed);
    return removed as KubeObject as T;
  }

  changes(query: ChangesQuery): Promise<ChangeBatch> {
    return this.#changes.after(query);
  }

  waitForChange(query: ChangesQuery, signal: AbortSignal): Promise<void> {
    return this.#changes.wait(query, signal);
  }

  /** The state that a write replaces, as it was read or written here, or read now. */
  async #expected(key: ObjectKey, expected: Expected): Promise<State> {
    const place = placeOf(key);
    const known = this.#recent.get(idOf(place), Number(expected.resourceVersion));
    const state = this.#live(known ?? (await this.#reads.at(place)));
    checkExpected(state?.object, expected);
    return state;
  }

  /** The object as written, or why not. */
  async #put(write: Write, type: 'put' | 'delete'): Promise<AnyObject | Refused> {
    const { key, base } = write;
    const isDeleted = type === 'delete';
    const intent: Intent = {
      place: placeOf(key),
      above: write.above,
      condition: write.condition,
      draft: (version) => {
        const sealed = seal(write.object, version, base);
        const ends = this.#expiry(key.resource, version, isDeleted);
        return {
          ...{ key, place: placeOf(key), version, sealed, isDeleted },
          born: write.born ?? version,
          past: write.past(),
          ...(ends !== undefined && { expiresAtMs: ends }),
        };
      },
    };
    try {
      const draft = await this.#writes.write(intent);
      this.#note(draft);
      return draft.sealed.object;
    } catch (error) {
      if (error instanceof Refused) return error;
      throw error;
    } finally {
      this.#waiters.wake(key.resource);
    }
  }

  /** When the item may go: a tombstone after all that may watch from before it has ended. */
  #expiry(resource: ResourceName, version: number, isDeleted: boolean): number | undefined {
    if (isDeleted) return Math.max(timeOf(version), this.#clock.nowMs()) + 2 * this.#keptMs;
    const lifetimeMs = LIFETIMES_MS.get(resource);
    return lifetimeMs === undefined ? undefined : timeOf(version) + lifetimeMs;
  }

  /** Not what is in chunks: it is large, and of its tombstone only a part is kept. */
  #note(draft: Draft): void {
    if (draft.sealed.json.length > MAX_NOTED_LENGTH) return;
    const { place, version, born, isDeleted, expiresAtMs = Infinity, sealed, past } = draft;
    this.#recent.add(idOf(place), {
      head: { place, version, born, isDeleted, expiresAtMs },
      object: sealed.object,
      past: () => past.slice(0, MAX_PAST_STATES),
      jsonLength: sealed.json.length,
    });
  }

  async #conflict({ current }: Refused): Promise<Conflict> {
    return new Conflict(this.#live(await this.#stateOf(current))?.object);
  }

  async #stateOf(item: Item | undefined): Promise<State | undefined> {
    return item && this.#reads.stateOf(item);
  }

  #live(state: State | undefined): State | undefined {
    return state && this.#reads.isLive(state) ? state : undefined;
  }
}

/** A write before it has a version. */
interface Write extends Pick<Intent, 'above' | 'condition'> {
  readonly key: ObjectKey;
  readonly object: KubeObject;
  /** The state that it shares parts with. */
  readonly base?: AnyObject;
  /** Its own version when absent. */
  readonly born?: number;
  readonly past: () => readonly PastState[];
}

function creation(key: ObjectKey, object: KubeObject, gone: State | undefined): Write {
  if (!gone) {
    const condition = { expression: 'attribute_not_exists(pk)' };
    return { key, object, condition, above: 0, past: () => [] };
  }
  const { version, born } = gone.head;
  return {
    ...{ key, object, above: version, born },
    condition: {
      expression: 'version = :version',
      values: { ':version': { N: String(version) } },
    },
    past: () => [{ version, object: undefined }, ...gone.past()],
  };
}

function replacement(key: ObjectKey, object: KubeObject, before: State): Write {
  const { version, born } = before.head;
  const { uid } = before.object.metadata;
  return {
    ...{ key, object, above: version, base: before.object, born },
    condition: {
      expression: 'uid = :uid AND version = :version',
      values: { ':uid': { S: uid }, ':version': { N: String(version) } },
    },
    past: () => [{ version, object: before.object }, ...before.past()],
  };
}

function idOf({ pk, sk }: Place): string {
  return pk + sk;
}
