/**
 * The journal: which objects are about to be written, and under which versions. Watches read it
 * rather than all objects. It costs less than an index by time would: what a process writes at the
 * same time is one announcement, and no write moves an entry.
 *
 * Owns: announcements, in the partitions of their own that keys.ts names. Does not own what became
 * of a write: who reads the journal reads the object.
 *
 * Invariants:
 *  J1 A write is announced, durably, before it is made (writes.ts): who reads the journal after a
 *     write was made finds it there, for as long as changes are kept.
 *  J2 An announcement is under the highest of its versions: who reads from a version on finds all
 *     that are above it.
 *  J3 No announcement takes the place of another: its key holds a digest of what it says.
 */
import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { ObjectKey, ResourceName } from '../../../shared/api/meta.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import { Expired } from '../../../shared/ports/store.ts';
import type { Calls } from './calls.ts';
import type { Item } from './item.ts';
import { journalOf, journalPartitions, objectPrefix, placeOf } from './keys.ts';
import { timeOf } from './versions.ts';

/** A write that was announced: made, about to be made, or refused. */
export interface Entry {
  readonly sk: string;
  readonly version: number;
}

export interface JournalOptions {
  readonly calls: Calls;
  readonly clock: Clock;
  readonly keptMs: number;
  /** How long an announcement waits for others to share it. */
  readonly gatherMs: number;
}

/** As many as an executor has under way. They take some 3 KB, and 130 KB if all names are long. */
const MAX_TOLD = 256;
/** Of an announcement, unpacked: what reading one may take. */
const MAX_TOLD_BYTES = 256 * 1024;
/** Reading the list anew is no slower than more than this, and no dearer. */
const MAX_ENTRIES = 20_000;
/** Announcements that were unpacked: those of the seconds that each reader looks back. */
const MAX_REMEMBERED = 2_000;
/** Digits of a version, so that keys are in the order of versions. */
const VERSION_DIGITS = 16;

/** What an announcement tells of one write: resource, position, version. */
type Told = readonly [resource: ResourceName, sk: string, version: number];

class Page {
  readonly told: Told[] = [];
  written: Promise<void> = Promise.resolve();
}

export class Journal {
  readonly #o: JournalOptions;
  /** By journal: the announcement that is not sent yet. */
  readonly #open = new Map<string, Page>();
  readonly #unpacked = new Map<string, readonly Told[]>();

  constructor(options: JournalOptions) {
    this.#o = options;
  }

  /** Resolves when the announcement is durable. Throws what DynamoDB answers: see errors.ts. */
  announce(key: ObjectKey, version: number): Promise<void> {
    const journal = journalOf(key.resource);
    const page = this.#open.get(journal) ?? this.#begun(journal);
    page.told.push([key.resource, placeOf(key).sk, version]);
    if (page.told.length === MAX_TOLD) this.#open.delete(journal);
    return page.written;
  }

  /** The newest version announced of each object above a version, in no order. Throws `Expired`. */
  async after(
    version: number,
    resource: ResourceName,
    namespace: string | undefined,
  ): Promise<readonly Entry[]> {
    const newest = new Map<string, number>();
    const prefix = objectPrefix(namespace);
    const take = ([of, sk, announced]: Told): void => {
      if (of !== resource || announced <= version || !sk.startsWith(prefix)) return;
      if ((newest.get(sk) ?? 0) < announced) newest.set(sk, announced);
    };
    let left = MAX_ENTRIES;
    const parts = journalPartitions(journalOf(resource)).map(async (pk) => {
      for await (const items of this.#o.calls.query(queryAfter(pk, version))) {
        for (const item of items) {
          const told = this.#told(item);
          if ((left -= told.length) < 0) throw new Expired('more changed than a list would read');
          told.forEach(take);
        }
      }
    });
    await Promise.all(parts);
    return [...newest].map(([sk, announced]) => ({ sk, version: announced }));
  }

  #begun(journal: string): Page {
    const page = new Page();
    this.#open.set(journal, page);
    page.written = this.#write(journal, page);
    return page;
  }

  async #write(journal: string, page: Page): Promise<void> {
    await this.#o.clock.delay(this.#o.gatherMs);
    if (this.#open.get(journal) === page) this.#open.delete(journal);
    await this.#o.calls.put(this.#item(journal, page.told));
  }

  #item(journal: string, told: readonly Told[]): Item {
    const text = JSON.stringify(told);
    const version = told.reduce((highest, [, , one]) => Math.max(highest, one), 0);
    const digest = createHash('sha256').update(text).digest();
    const parts = journalPartitions(journal);
    const part = parts[(digest[0] ?? 0) % parts.length] ?? '';
    const untilMs = Math.max(timeOf(version), this.#o.clock.nowMs()) + 2 * this.#o.keptMs;
    return {
      pk: { S: part },
      sk: { S: `${sortKey(version)}-${digest.toString('hex').slice(0, 24)}` },
      told: { B: deflateRawSync(text) },
      ttl: { N: String(Math.ceil(untilMs / 1000)) },
    };
  }

  /** What it says never changes, and is read again by each look of the next seconds. */
  #told({ sk, told }: Item): readonly Told[] {
    const known = this.#unpacked.get(sk?.S ?? '');
    if (known) return known;
    const json = inflateRawSync(told?.B ?? new Uint8Array(), { maxOutputLength: MAX_TOLD_BYTES });
    const unpacked = JSON.parse(json.toString('utf8')) as readonly Told[];
    this.#unpacked.set(sk?.S ?? '', unpacked);
    const [oldest] = this.#unpacked.keys();
    if (this.#unpacked.size > MAX_REMEMBERED && oldest !== undefined) this.#unpacked.delete(oldest);
    return unpacked;
  }
}

/** Strongly consistent: J1. */
function queryAfter(pk: string, version: number) {
  return {
    KeyConditionExpression: 'pk = :pk AND sk >= :first',
    ExpressionAttributeValues: { ':pk': { S: pk }, ':first': { S: sortKey(version) } },
    ConsistentRead: true,
  };
}

function sortKey(version: number): string {
  return String(Math.max(0, version)).padStart(VERSION_DIGITS, '0');
}
