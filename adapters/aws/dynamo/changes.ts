/**
 * What changed after a version: the journal says what may have, the objects themselves say what
 * did.
 *
 * A write takes its version, and is announced, before it commits, so that a reader at a version may
 * not see all writes below it. Invariants:
 *  L1 A reader looks back `OVERLAP_MS` behind its version: longer than a write takes (W1, C1) and
 *     clocks differ together. What it finds there and has shown is not shown again.
 *  L2 A version to continue from is never ahead of the time by more than `AHEAD_MS`: else the
 *     overlap would not reach back to now.
 *  L3 An object is shown in its present state: never one older than was shown.
 *  L4 `previous` and `earlier` hold every state in which the reader may have seen the object last.
 *  L5 An answer holds each write that committed before the question: it was announced before it,
 *     and a state older than what was announced is read again, strongly.
 */
import type { Change } from '../../../shared/api/change.ts';
import { versionNumber } from '../../../shared/api/versions.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { ChangeWaiters } from '../../../shared/ports/change-waiters.ts';
import { type ChangeBatch, type ChangesQuery, Expired } from '../../../shared/ports/store.ts';
import { ATTEMPT_MS } from './calls.ts';
import type { Entry, Journal } from './journal.ts';
import type { Reads } from './reads.ts';
import type { State } from './recent.ts';
import type { Scope, Shown, ShownObjects } from './shown.ts';
import type { Tokens } from './tokens.ts';
import { VERSIONS_PER_MS, type Versions } from './versions.ts';
import { STALE_MS } from './writes.ts';

/** How far ahead of the reader's clock another's may be. AWS keeps functions' within some 10 ms. */
export const AHEAD_MS = 1_000;
/** A writer's preparations and attempt, and clocks that differ, on both sides. */
export const OVERLAP_MS = STALE_MS + ATTEMPT_MS + 2 * AHEAD_MS;

/** How often the table is asked while a watch waits: soon at first, then each second. */
const FIRST_LOOK_MS = 250;
const LAST_LOOK_MS = 1_000;

export interface ChangesOptions {
  readonly journal: Journal;
  readonly reads: Reads;
  readonly versions: Versions;
  readonly shown: Shown;
  readonly tokens: Tokens;
  readonly waiters: ChangeWaiters;
  readonly clock: Clock;
  readonly keptMs: number;
}

/** What was found of an entry: a state that the reader has not been shown. */
interface News {
  readonly sk: string;
  readonly state: State;
}

interface Findings {
  readonly news: readonly News[];
  /** Announced, and not there when it was looked for: about to be written, or refused. */
  readonly awaited: ReadonlyMap<string, number>;
  /** The version up to which all was looked for; undefined when it is all there is. */
  readonly upTo: number | undefined;
}

export class Changes {
  readonly #o: ChangesOptions;

  constructor(options: ChangesOptions) {
    this.#o = options;
  }

  async after(query: ChangesQuery): Promise<ChangeBatch> {
    const { shown, versions } = this.#o;
    const after = versionNumber(query.after);
    const present = versions.present();
    this.#checkKept(after, present);
    const seen = shown.under(query, query.after);
    const entries = await this.#entries(query, after, seen);
    const { news, awaited, upTo } = await this.#look(query, entries, after, seen);
    const last = entries.at(-1)?.version ?? 0;
    const token = this.#token(after, upTo ?? Math.max(present, last), present);
    const handed = news.map(({ sk, state }) => [sk, state.head.version] as const);
    const recent = recentOnes([...(seen?.versions ?? []), ...handed], token);
    const isWhole = seen?.isWhole === true;
    shown.remember(query, String(token), { versions: recent, isWhole, awaited });
    const changes = news
      .toSorted((a, b) => a.state.head.version - b.state.head.version)
      .flatMap(({ sk, state }) => this.#change(query, state, knownOf(seen, sk, after)) ?? []);
    return { changes, resourceVersion: String(token) };
  }

  /** The version of a list that was begun at `present` and showed these: all, if it is whole. */
  listed(query: Scope, present: number, states: readonly State[], isWhole: boolean): string {
    const { tokens, shown } = this.#o;
    const token = tokens.next(present);
    const handed = states.map(({ head }) => [head.place.sk, head.version] as const);
    shown.remember(query, String(token), { versions: recentOnes(handed, token), isWhole });
    return String(token);
  }

  async wait(query: ChangesQuery, signal: AbortSignal): Promise<void> {
    const { waiters, clock } = this.#o;
    for (let lookMs = FIRST_LOOK_MS; !signal.aborted; lookMs = Math.min(lookMs * 2, LAST_LOOK_MS)) {
      const round = new AbortController();
      const stop = () => round.abort();
      signal.addEventListener('abort', stop, { once: true });
      // From before the look, so that a write in between is not missed.
      const written = waiters.wait(query.resource, round.signal);
      try {
        if (await this.#hasNews(query)) return;
        await Promise.race([written, clock.delay(lookMs, round.signal)]);
      } finally {
        signal.removeEventListener('abort', stop);
        stop();
      }
    }
  }

  /**
   * What was announced is taken for news without looking, unless it was not there when it was
   * looked for before. When it can't be told, `changes` is to say why.
   */
  async #hasNews(query: ChangesQuery): Promise<boolean> {
    try {
      const after = versionNumber(query.after);
      this.#checkKept(after, this.#o.versions.present());
      const seen = this.#o.shown.under(query, query.after);
      const entries = await this.#entries(query, after, seen);
      const isAwaited = ({ sk, version }: Entry) => version <= (seen?.awaited?.get(sk) ?? 0);
      if (!entries.every(isAwaited)) return true;
      return (await this.#look(query, entries, after, seen)).news.length > 0;
    } catch {
      return true;
    }
  }

  #checkKept(after: number, present: number): void {
    const oldest = present - this.#o.keptMs * VERSIONS_PER_MS;
    const newest = present + AHEAD_MS * VERSIONS_PER_MS;
    if (after >= oldest && after <= newest) return;
    const problem = `changes after ${after} are not known: they are from ${oldest} to ${newest}`;
    throw new Expired(problem, oldest);
  }

  /** Never below `after`, nor far ahead of the time (L2): an object's version may be. */
  #token(after: number, reached: number, present: number): number {
    const newest = present + (AHEAD_MS / 2) * VERSIONS_PER_MS;
    return this.#o.tokens.next(Math.max(after, Math.min(reached, newest)));
  }

  /** What was announced after the version, and not shown under it; oldest first. */
  async #entries(
    { resource, namespace }: ChangesQuery,
    after: number,
    seen: ShownObjects | undefined,
  ): Promise<readonly Entry[]> {
    const entries = await this.#o.journal.after(lookedFrom(after), resource, namespace);
    return entries
      .filter(({ sk, version }) => version > (seen?.versions.get(sk) ?? 0))
      .sort((a, b) => a.version - b.version);
  }

  /** Looks for what was announced, as far as there is to be news. */
  async #look(
    { resource, limit = Infinity }: ChangesQuery,
    entries: readonly Entry[],
    after: number,
    seen: ShownObjects | undefined,
  ): Promise<Findings> {
    const news: News[] = [];
    const awaited = new Map<string, number>();
    let looked = 0;
    while (looked < entries.length && news.length < limit) {
      const some = entries.slice(looked, looked + Math.min(limit - news.length, entries.length));
      looked += some.length;
      const states = await this.#o.reads.atLeast(resource, some);
      for (const { sk, version } of some) {
        const state = states.get(sk);
        if (!state || state.head.version < version) awaited.set(sk, version);
        const known = Math.max(lookedFrom(after), seen?.versions.get(sk) ?? 0);
        if (state && state.head.version > known) news.push({ sk, state });
      }
    }
    const upTo = looked < entries.length ? entries[looked - 1]?.version : undefined;
    return { news, awaited, upTo };
  }

  /** Undefined for what ended of itself: nobody is told of it. */
  #change({ resource }: ChangesQuery, state: State, known: Known): Change | undefined {
    const { object, head } = state;
    if (!head.isDeleted && !this.#o.reads.isLive(state)) return undefined;
    const { previous, earlier } = before(state, known);
    return {
      type: head.isDeleted ? 'delete' : 'put',
      resource,
      object,
      ...(previous && { previous }),
      ...(earlier && { earlier }),
    };
  }
}

/** What the reader has seen of an object: this version, or one that is not older than another. */
type Known = { readonly version: number } | { readonly from: number; readonly after: number };

function knownOf(seen: ShownObjects | undefined, sk: string, after: number): Known {
  const from = lookedFrom(after);
  const version = seen?.versions.get(sk) ?? (seen?.isWhole ? from : undefined);
  return version === undefined ? { from, after } : { version };
}

/** L1. */
function lookedFrom(after: number): number {
  return after - OVERLAP_MS * VERSIONS_PER_MS;
}

/** The states in which the reader may know the object (L4). */
function before(state: State, known: Known): Pick<Change, 'previous' | 'earlier'> {
  const past = state.past();
  const lowest = 'version' in known ? known.version : known.from;
  const likeliest = 'version' in known ? known.version : known.after;
  const reached = past.findIndex(({ version }) => version <= lowest);
  const oldest = past.at(-1)?.version ?? state.head.version;
  const { born } = state.head;
  // Otherwise a state was forgotten that the reader may have seen (I3).
  const isComplete = reached >= 0 || born >= oldest || ('version' in known && born > known.version);
  const candidates = past
    .slice(0, reached < 0 ? past.length : reached + 1)
    .filter(({ version }) => !('version' in known) || version <= known.version);
  // It may have been shown a later one: by a clock ahead, or on a later page of a list.
  const previous = candidates.find(({ version }) => version <= likeliest);
  const earlier = candidates.flatMap((one) => (one === previous ? [] : (one.object ?? [])));
  return {
    ...(previous?.object && { previous: previous.object }),
    ...(!isComplete ? { earlier: 'unknown' } : earlier.length > 0 ? { earlier } : {}),
  };
}

/** What a later look back would find again. */
function recentOnes(
  entries: readonly (readonly [string, number])[],
  token: number,
): ReadonlyMap<string, number> {
  const from = lookedFrom(token);
  return new Map(entries.filter(([, version]) => version > from));
}
