/**
 * Watches: a stream of what changes in a selection. Owns event types, bookmarks, keep-alives and
 * the end of the stream; the store owns that no change is missed.
 *
 * Invariants:
 *  W1 Every change of a selected object after the starting version is told, in the store's order,
 *     or the stream ends with 410 (D5). A repeat of the same version is allowed.
 *  W2 What leaves the selection is told as DELETED, what enters it as ADDED.
 *  W3 Nothing is produced before the client took what came before it: a slow client holds at most
 *     one batch.
 */
import { type ApiError, expired, invalidRequest } from '../../api/errors.ts';
import { type Change, keyOf } from '../../api/change.ts';
import { type AnyObject, keyText } from '../../api/meta.ts';
import type { ApiResponse } from '../../api/http.ts';
import { type ChangeBatch, type ChangesQuery, Expired } from '../../ports/store.ts';
import type { Context } from './context.ts';
import { listAll } from './list.ts';
import { negotiate } from './negotiate.ts';
import { includeObjectParameter, showEventObject, type View } from './representation.ts';
import { stream } from './responses.ts';
import { isTrue, type ResourceRoute } from './routes.ts';
import { type Selection, selectionOf } from './selection.ts';
import { versionParameter } from './versions.ts';

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

interface WatchEvent {
  readonly type: EventType;
  readonly object: AnyObject;
}

interface Watch {
  readonly context: Context;
  readonly route: ResourceRoute;
  readonly selection: Selection;
  readonly view: View;
  readonly bookmarks: boolean;
  /** The current state comes first and is closed by a bookmark that says so (WatchList). */
  readonly initialEvents: boolean;
  readonly fromVersion: string | undefined;
  readonly endsAtMs: number;
}

/** Changes that are read at once; with W3 the most that a watch holds. */
const BATCH_SIZE = 500;
const BOOKMARK_INTERVAL_MS = 60_000;
/** Below the idle limits of the gateways and proxies between here and the client. */
const KEEP_ALIVE_MS = 30_000;
/** As kube-apiserver at most; clients that know how to resume do so. */
export const DEFAULT_MAX_STREAM_MS = 60 * 60_000;
const INITIAL_EVENTS_END = { 'k8s.io/initial-events-end': 'true' };

export async function watch(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  const session = openWatch(context, route);
  // The first read comes before the answer, so that a version that is too old is a plain 410.
  const start = await startOf(session);
  return stream('application/json', lines(session, start));
}

function openWatch(context: Context, route: ResourceRoute): Watch {
  const { request, deps, nowMs } = context;
  const { query } = request;
  const representation = negotiate(request.headers['accept']);
  return {
    context,
    route,
    selection: selectionOf(query, route),
    view: { type: route.type, representation, nowMs, includeObject: includeObjectParameter(query) },
    bookmarks: isTrue(query.get('allowWatchBookmarks')),
    initialEvents: initialEventsParameter(query),
    fromVersion: versionParameter(query),
    endsAtMs: nowMs + Math.min(timeoutMs(query), deps.maxStreamMs ?? DEFAULT_MAX_STREAM_MS),
  };
}

function initialEventsParameter(query: URLSearchParams): boolean {
  const given = query.get('sendInitialEvents');
  const match = query.get('resourceVersionMatch') ?? '';
  if (given === null) {
    if (match === '') return false;
    throw invalidRequest(
      'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless ' +
        'sendInitialEvents is provided',
    );
  }
  if (match === 'NotOlderThan') return isTrue(given);
  throw invalidRequest(
    'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch ' +
      'to NotOlderThan',
  );
}

function timeoutMs(query: URLSearchParams): number {
  const given = query.get('timeoutSeconds') ?? '';
  if (given === '' || given === '0') return Infinity;
  if (!/^[0-9]{1,9}$/.test(given)) {
    throw invalidRequest(`timeoutSeconds: Invalid value: ${JSON.stringify(given)}`);
  }
  return Number(given) * 1000;
}

interface Start {
  /** The state that is told first, as ADDED. */
  readonly items: readonly AnyObject[];
  readonly batch: ChangeBatch;
}

async function startOf(session: Watch): Promise<Start> {
  const { context, route, selection, fromVersion, initialEvents } = session;
  if (fromVersion !== undefined && !initialEvents) {
    return { items: [], batch: await changesAfter(session, fromVersion) };
  }
  const listed = await listAll(context, route, selection);
  return { items: listed.items, batch: { changes: [], resourceVersion: listed.resourceVersion } };
}

function changesQuery({ route }: Watch, after: string): ChangesQuery {
  const { type, namespace } = route;
  return { resource: type.name, ...(namespace && { namespace }), after, limit: BATCH_SIZE };
}

async function changesAfter(session: Watch, after: string): Promise<ChangeBatch> {
  try {
    return await session.context.deps.store.changes(changesQuery(session, after));
  } catch (error) {
    if (error instanceof Expired) throw expired(`too old resource version: ${after}`);
    throw error;
  }
}

/** The stream's lines: events, bookmarks, and an empty line now and then. */
async function* lines(session: Watch, start: Start): AsyncGenerator<string> {
  const tell = eventWriter(session);
  const seen = new Sightings(session.selection);
  for (const object of start.items) {
    seen.add(object);
    yield tell('ADDED', object);
  }
  if (session.initialEvents && session.bookmarks) {
    yield bookmark(session, start.batch.resourceVersion, INITIAL_EVENTS_END);
  }
  try {
    yield* follow(session, start.batch, seen, tell);
  } catch (error) {
    yield failure(session, error);
  }
}

async function* follow(
  session: Watch,
  first: ChangeBatch,
  seen: Sightings,
  tell: (type: EventType, object: AnyObject) => string,
): AsyncGenerator<string> {
  const { clock } = session.context.deps;
  const { signal } = session.context.request;
  let batch = first;
  let bookmarkAtMs = clock.nowMs() + BOOKMARK_INTERVAL_MS;
  while (!signal.aborted) {
    for (const change of batch.changes) {
      for (const { type, object } of seen.eventsOf(change)) yield tell(type, object);
    }
    const nowMs = clock.nowMs();
    const isOver = nowMs >= session.endsAtMs;
    if (session.bookmarks && (isOver || nowMs >= bookmarkAtMs)) {
      yield bookmark(session, batch.resourceVersion);
      bookmarkAtMs = nowMs + BOOKMARK_INTERVAL_MS;
    }
    if (isOver) return;
    if (batch.changes.length === 0) {
      const isNews = await awaitNews(session, batch.resourceVersion, nowMs);
      if (!isNews) yield '\n';
    }
    if (!signal.aborted) batch = await changesAfter(session, batch.resourceVersion);
  }
}

/**
 * Waits for a change, but no longer than until something else is due. False when nothing changed.
 */
async function awaitNews(session: Watch, after: string, nowMs: number): Promise<boolean> {
  const { store, clock } = session.context.deps;
  const { signal } = session.context.request;
  const waiting = new AbortController();
  const stop = () => waiting.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const waitMs = Math.min(KEEP_ALIVE_MS, session.endsAtMs - nowMs);
  try {
    const news = store.waitForChange(changesQuery(session, after), waiting.signal);
    return await Promise.race([
      news.then(() => true),
      clock.delay(waitMs, waiting.signal).then(() => false),
    ]);
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

function eventWriter(session: Watch): (type: EventType, object: AnyObject) => string {
  let first = true;
  return (type, object) => {
    const view = { ...session.view, nowMs: session.context.deps.clock.nowMs() };
    const shown = showEventObject(object, view, first);
    first = false;
    return `${JSON.stringify({ type, object: shown })}\n`;
  };
}

function bookmark(session: Watch, resourceVersion: string, annotations?: object): string {
  const { type, representation } = session.view;
  const metadata = {
    resourceVersion,
    creationTimestamp: null,
    ...(annotations && { annotations }),
  };
  const apiVersion = type.group ? `${type.group}/${type.version}` : type.version;
  const plain = { kind: type.kind, apiVersion, metadata };
  const meta = representation.form === 'object' ? '' : `meta.k8s.io/${representation.version}`;
  const object =
    representation.form === 'table'
      ? {
          kind: 'Table',
          apiVersion: meta,
          metadata: { resourceVersion },
          columnDefinitions: null,
          rows: [
            { cells: [], object: { ...plain, kind: 'PartialObjectMetadata', apiVersion: meta } },
          ],
        }
      : representation.form === 'partial'
        ? { ...plain, kind: 'PartialObjectMetadata', apiVersion: meta }
        : plain;
  return `${JSON.stringify({ type: 'BOOKMARK', object })}\n`;
}

/** The headers are out: what goes wrong from here on is told as an event, and the stream ends. */
function failure({ context }: Watch, error: unknown): string {
  const status = (error as Partial<ApiError>).status;
  if (status === undefined) {
    context.deps.recorder.log({
      level: 'error',
      message: 'watch ended by an error',
      fields: { error: String(error) },
    });
  }
  const object = status ?? expired('the watch was interrupted: list again').status;
  return `${JSON.stringify({ type: 'ERROR', object })}\n`;
}

/**
 * What the client was told of the selection, so that leaving and entering it can be told apart.
 * Only selections that an object can enter and leave are remembered, and of those only the names of
 * what is inside.
 */
class Sightings {
  readonly #selection: Selection;
  readonly #inside = new Set<string>();

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  add(object: AnyObject): void {
    if (!this.#selection.fixed) this.#inside.add(nameOf(object));
  }

  /**
   * The events by which this change shows in the selection; mostly one, none when it is outside.
   */
  eventsOf(change: Change): readonly WatchEvent[] {
    const { object, previous, type } = change;
    const wasTold = this.#wasTold(change);
    const isInside = type === 'put' && this.#selection.matches(object);
    if (!isInside) {
      this.#inside.delete(nameOf(object));
      const last = statesBefore(change).find(this.#selection.matches);
      if (!wasTold && !last) return [];
      // What leaves shows as it was inside, as in Kubernetes; under the version at which it left.
      return [type === 'put' && last ? gone(last, object) : { type: 'DELETED', object }];
    }
    this.add(object);
    const renewed = previous !== undefined && previous.metadata.uid !== object.metadata.uid;
    if (wasTold && renewed) return [gone(previous, object), { type: 'ADDED', object }];
    return [{ type: wasTold ? 'MODIFIED' : 'ADDED', object }];
  }

  /** Whether the client knows it as inside, as far as can be told. */
  #wasTold({ type, object, previous, earlier }: Change): boolean {
    if (!this.#selection.fixed && this.#inside.has(nameOf(object))) return true;
    const before = previous ?? (type === 'delete' ? object : undefined);
    if (before && this.#selection.matches(before)) return true;
    return earlier === 'unknown' && this.#mayHaveMatched(object);
  }

  /**
   * Where the state before is not known any more, an object counts as having been inside: DELETED
   * for what was not there is nothing to a client, what is missed stays with it for ever.
   */
  #mayHaveMatched(object: AnyObject): boolean {
    const { fixed, name, matches } = this.#selection;
    if (fixed) return matches(object);
    return name === undefined || name === object.metadata.name;
  }
}

/** The states in which the client may have seen the object last. */
function statesBefore({ type, object, previous, earlier }: Change): readonly AnyObject[] {
  const before = previous ?? (type === 'delete' ? object : undefined);
  const others = earlier === undefined || earlier === 'unknown' ? [] : earlier;
  return before ? [before, ...others] : others;
}

/** The end of an object for this watch, although another state of its name is stored. */
function gone(previous: AnyObject, next: AnyObject): WatchEvent {
  const { resourceVersion } = next.metadata;
  return {
    type: 'DELETED',
    object: { ...previous, metadata: { ...previous.metadata, resourceVersion } },
  };
}

function nameOf(object: AnyObject): string {
  return keyText(keyOf('', object));
}
