/**
 * Writes: an attempt under a version of its own, repeated where its answer was lost, and what has
 * to be written before it (its announcement, chunks of large bodies, aliases of owners) and cleared
 * away after it.
 *
 * Invariants:
 *  W1 Each attempt has a version above the object's last and above those tried before it; it is
 *     done within `STALE_MS` and `ATTEMPT_MS` of the time that its version tells, or never.
 *  W2 What a base item refers to is there before it. What is left over refers to nothing that is
 *     live, and is not read.
 *  W3 Each attempt is announced before it is made (J1).
 */
import type { Clock } from '../../../shared/ports/clock.ts';
import type { ResourceName } from '../../../shared/api/meta.ts';
import { BACK_OFF_MS, type Calls, type Condition, unavailable } from './calls.ts';
import { decodeBody, decodePast } from './codec.ts';
import { isNotNow, isRefused, refusedBy } from './errors.ts';
import { type Draft, type Head, headOf, type Item, type Packed, packed } from './item.ts';
import type { Journal } from './journal.ts';
import {
  aliasPlace,
  chunkPlace,
  chunkPrefix,
  chunkSet,
  indexKey,
  type Place,
  positionOf,
} from './keys.ts';
import type { Versions } from './versions.ts';

export interface Intent {
  readonly place: Place;
  /** The new version is above this one. */
  readonly above: number;
  readonly condition: Condition;
  readonly draft: (version: number) => Draft;
}

/** The condition of the write did not hold, and it is not because the write was done before. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly current: Item | undefined;
  constructor(current: Item | undefined) {
    super('the condition does not hold');
    this.current = current;
  }
}

/** A version that is older than this when all is ready is not used any more (W1). */
export const STALE_MS = 1_000;

interface Attempt {
  readonly draft: Draft;
  readonly packed: Packed;
  readonly aliases: readonly string[];
}

export interface WritesOptions {
  readonly calls: Calls;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly versions: Versions;
}

export class Writes {
  readonly #calls: Calls;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #versions: Versions;

  constructor({ calls, journal, clock, versions }: WritesOptions) {
    this.#calls = calls;
    this.#journal = journal;
    this.#clock = clock;
    this.#versions = versions;
  }

  /** What was written. Throws `Refused`, or `Unavailable` when it is not known to have happened. */
  async write(intent: Intent): Promise<Draft> {
    const tried: Attempt[] = [];
    for (;;) {
      const attempt = this.#prepared(intent, tried);
      try {
        const replaced = await this.#once(attempt, intent);
        await this.#clearAfter(attempt, replaced, tried);
        return attempt.draft;
      } catch (error) {
        if (isRefused(error)) return this.#settled(refusedBy(error), tried);
        if (!isNotNow(error)) throw error;
        const waitMs = BACK_OFF_MS[tried.length - 1];
        if (waitMs === undefined) throw unavailable(error);
        await this.#clock.delay(waitMs);
      }
    }
  }

  #prepared({ above, draft: draftOf }: Intent, tried: Attempt[]): Attempt {
    const last = tried.at(-1)?.draft.version ?? 0;
    const draft = draftOf(this.#versions.next(Math.max(above, last)));
    const it = packed(draft);
    const attempt = { draft, packed: it, aliases: headOf(it.item)?.aliases ?? [] };
    tried.push(attempt);
    return attempt;
  }

  async #once(attempt: Attempt, intent: Intent): Promise<Item | undefined> {
    const startMs = this.#clock.nowMs();
    await this.#writeBefore(attempt);
    if (this.#clock.nowMs() - startMs > STALE_MS) throw new TimeoutError();
    return this.#calls.put(attempt.packed.item, intent.condition);
  }

  async #writeBefore({ draft, packed: { chunks, set }, aliases }: Attempt): Promise<void> {
    const { place, key, version } = draft;
    const announced = this.#journal.announce(key, version);
    const parts = chunks.map((chunk, i) => {
      const { pk, sk } = chunkPlace(place, set, i);
      return this.#calls.put({ pk: { S: pk }, sk: { S: sk }, chunk: { B: chunk } });
    });
    const others = aliases.map((owner) => this.#writeAlias(place, key.resource, owner, version));
    await Promise.all([announced, ...parts, ...others]);
  }

  /** A newer one is left as it is: it finds the object as well. */
  async #writeAlias(
    place: Place,
    resource: ResourceName,
    owner: string,
    version: number,
  ): Promise<void> {
    const { pk, sk } = aliasPlace(place, owner);
    const item = {
      pk: { S: pk },
      sk: { S: sk },
      owner: { S: indexKey('owner', resource, owner, positionOf(place)) },
      version: { N: String(version) },
    };
    const expression = 'attribute_not_exists(version) OR version < :version';
    await this.#unlessRefused(() =>
      this.#calls.put(item, { expression, values: { ':version': item.version } }),
    );
  }

  /** The condition failed: because this very write was done before, or because of somebody else. */
  async #settled(current: Item | undefined, tried: readonly Attempt[]): Promise<Draft> {
    const own = tried.find((attempt) => isStored(attempt, current));
    if (own) return own.draft;
    await this.#withdraw(tried, (current && headOf(current)?.aliases) ?? []);
    throw new Refused(current);
  }

  /** Nobody refers to what was written for these attempts, but for aliases that were there. */
  async #withdraw(tried: readonly Attempt[], kept: readonly string[]): Promise<void> {
    for (const { draft, packed: it, aliases } of tried) {
      const own = { expression: 'version = :version', version: draft.version };
      const added = aliases.filter((owner) => !kept.includes(owner));
      await this.#forget(draft.place, added, own);
      await this.#quietly(() => this.#clearChunks(draft.place, (set) => set === it.set, it));
    }
  }

  async #clearAfter(
    { draft, packed: it, aliases }: Attempt,
    replaced: Item | undefined,
    tried: readonly Attempt[],
  ): Promise<void> {
    const before = replaced && headOf(replaced);
    const gone = before?.aliases.filter((owner) => !aliases.includes(owner)) ?? [];
    const older = { expression: 'version < :version', version: draft.version };
    await this.#forget(draft.place, gone, older);
    if (!before?.chunks && tried.length === 1) return;
    const isOld = (set: string) => set !== it.set && Number(set.split('-')[0]) <= draft.version;
    await this.#quietly(() => this.#clearChunks(draft.place, isOld, before ?? it));
  }

  async #forget(
    place: Place,
    owners: readonly string[],
    { expression, version }: { readonly expression: string; readonly version: number },
  ): Promise<void> {
    const values = { ':version': { N: String(version) } };
    for (const owner of owners) {
      await this.#quietly(() =>
        this.#unlessRefused(() =>
          this.#calls.delete(aliasPlace(place, owner), { expression, values }),
        ),
      );
    }
  }

  async #clearChunks(
    place: Place,
    isMeant: (set: string) => boolean,
    { chunks }: { readonly chunks: unknown },
  ): Promise<void> {
    const has = Array.isArray(chunks) ? chunks.length > 0 : chunks !== undefined;
    if (!has) return;
    const pages = this.#calls.query({
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ProjectionExpression: 'pk, sk',
      ExpressionAttributeValues: {
        ':pk': { S: place.pk },
        ':prefix': { S: chunkPrefix(place) },
      },
      ConsistentRead: true,
    });
    for await (const items of pages) {
      for (const item of items) {
        const chunk = { pk: place.pk, sk: item['sk']?.S ?? '' };
        if (isMeant(chunkSet(chunk, place))) await this.#calls.delete(chunk);
      }
    }
  }

  /** What is left over is not read (W2): the write it was for is done, or refused, either way. */
  async #quietly(clear: () => Promise<unknown>): Promise<void> {
    try {
      await clear();
    } catch (error) {
      if (!isNotNow(error)) throw error;
    }
  }

  async #unlessRefused(write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
  }
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** Whether the item is, or came after, what the attempt wrote. */
function isStored({ draft, packed: it }: Attempt, current: Item | undefined): boolean {
  const head = current && headOf(current);
  if (!head || head.uid !== draft.sealed.object.metadata.uid) return false;
  if (head.version === draft.version) return isSameBody(head, it);
  return pastOf(head).some(({ version }) => version === draft.version);
}

/** Two processes may take the same version at the same time, but not for the same state. */
function isSameBody({ body, chunks }: Head, it: Packed): boolean {
  const own = it.item['body']?.B;
  if (!body || !own) return chunks?.name === it.set;
  return Buffer.compare(body, own) === 0;
}

function pastOf({ body, past }: Head) {
  return body && past ? decodePast(past, decodeBody(body)) : [];
}
