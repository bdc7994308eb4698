/**
 * Lists: chunks of a selection. Owns limit, continue and the list's version; does not own how the
 * list is shown.
 *
 * A page of the store is read as a whole and the chunk may end within it, so that the token names
 * both the page and the last object of the chunk.
 */
import { badRequest, expired, invalidRequest } from '../../api/errors.ts';
import type { AnyObject } from '../../api/meta.ts';
import type { ListQuery } from '../../ports/store.ts';
import type { Context } from './context.ts';
import { type Continuation, continueToken, parseContinueToken } from './continue-token.ts';
import type { ResourceRoute } from './routes.ts';
import { type Selection, selectionOf } from './selection.ts';
import { versionParameter } from './versions.ts';

export interface ListResult {
  readonly items: readonly AnyObject[];
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** Large enough that a list is few calls, small enough that a page is little memory. */
const PAGE_SIZE = 500;
/**
 * The remaining objects are counted up to here; past it the count is left out, as Kubernetes
 * permits.
 */
const MAX_COUNTED = 10_000;

export async function list(context: Context, route: ResourceRoute): Promise<ListResult> {
  const { query } = context.request;
  const selection = selectionOf(query, route);
  const limit = limitParameter(query);
  const token = query.get('continue') ?? '';
  const from = token ? parseContinueToken(token) : undefined;
  const version = versionParameter(query);
  if (token && version !== undefined) {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  const chunk =
    from === undefined && isOneName(route, selection)
      ? await readOne(context, route, selection)
      : await readChunk(context, route, selection, limit, from);
  if (!token) checkVersionMatch(query, chunk.resourceVersion);
  return chunk;
}

/** Everything that is selected, with the version to watch from. */
export async function listAll(
  context: Context,
  route: ResourceRoute,
  selection: Selection,
): Promise<ListResult> {
  return isOneName(route, selection)
    ? readOne(context, route, selection)
    : readChunk(context, route, selection, 0, undefined);
}

/**
 * At most one object can match, and its key is known: `kubectl wait` and `rollout status` ask like
 * this.
 */
function isOneName({ type, namespace }: ResourceRoute, selection: Selection): boolean {
  return selection.name !== undefined && (!type.namespaced || namespace !== '');
}

/** The version is read before the object, so that watching from it misses nothing. */
async function readOne(
  { deps }: Context,
  { type, namespace }: ResourceRoute,
  selection: Selection,
): Promise<ListResult> {
  const resource = type.name;
  const { resourceVersion } = await deps.store.list({ resource, limit: 1 });
  const found = await deps.store.get({ resource, namespace, name: selection.name ?? '' });
  return { items: found && selection.matches(found) ? [found] : [], resourceVersion };
}

function limitParameter(query: URLSearchParams): number {
  const given = query.get('limit') ?? '';
  if (!/^[0-9]{0,9}$/.test(given)) throw badRequest(`invalid limit ${JSON.stringify(given)}`);
  return Number(given);
}

/**
 * Reads are always of now: that satisfies NotOlderThan, and Exact only if nothing has happened
 * since.
 */
function checkVersionMatch(query: URLSearchParams, current: string): void {
  const match = query.get('resourceVersionMatch') ?? '';
  if (match === '') return;
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    throw invalidRequest(
      `resourceVersionMatch: Unsupported value: ${JSON.stringify(match)}: ` +
        'supported values: "Exact", "NotOlderThan"',
    );
  }
  const given = query.get('resourceVersion') ?? '';
  if (given === '') {
    throw invalidRequest(
      'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless ' +
        'resourceVersion is provided',
    );
  }
  if (match === 'NotOlderThan') return;
  if (given === '0') {
    throw invalidRequest(
      'resourceVersionMatch: Forbidden: resourceVersionMatch "Exact" is forbidden for ' +
        'resourceVersion "0"',
    );
  }
  if (given !== current) {
    throw expired('The resourceVersion for the provided list is too old.');
  }
}

/** The objects after `from`, at most `limit` of them (0: all). */
async function readChunk(
  context: Context,
  route: ResourceRoute,
  selection: Selection,
  limit: number,
  from: Continuation | undefined,
): Promise<ListResult> {
  const base = storeQuery(route, selection);
  const items: AnyObject[] = [];
  let after = from?.after;
  let version = from?.resourceVersion;
  for (;;) {
    const page = await readPage(context, base, after);
    version ??= page.resourceVersion;
    for (const [index, object] of page.items.entries()) {
      if (from && isPast(from, object)) continue;
      if (!selection.matches(object)) continue;
      items.push(object);
      if (limit === 0 || items.length < limit) continue;
      const rest = page.items.slice(index + 1);
      if (rest.length === 0 && page.next === undefined) break;
      const remaining = await countRest(context, base, selection, from, limit, rest, page.next);
      if (remaining === 0) break;
      return chunk(items, version, { after, last: positionOf(object), remaining });
    }
    if (page.next === undefined) return { items, resourceVersion: version };
    after = page.next;
  }
}

function storeQuery(route: ResourceRoute, selection: Selection): ListQuery {
  return {
    resource: route.type.name,
    ...(route.namespace && { namespace: route.namespace }),
    ...(selection.index && { index: selection.index }),
    ...(selection.about !== undefined && { about: selection.about }),
    limit: PAGE_SIZE,
  };
}

function readPage({ deps }: Context, base: ListQuery, after: string | undefined) {
  return deps.store.list(after === undefined ? base : { ...base, after });
}

function chunk(
  items: readonly AnyObject[],
  resourceVersion: string,
  at: { after: string | undefined; last: string; remaining: number | undefined },
): ListResult {
  const { after, last, remaining } = at;
  const token = continueToken({
    resourceVersion,
    ...(after !== undefined && { after }),
    last,
    ...(remaining !== undefined && { remaining }),
  });
  return {
    items,
    resourceVersion,
    continue: token,
    ...(remaining !== undefined && { remainingItemCount: remaining }),
  };
}

/**
 * How many objects come after a chunk. Counted once, after the first chunk, and then carried on in
 * the token: counting after each would make reading a whole list quadratic. As in Kubernetes, only
 * without selectors.
 */
async function countRest(
  context: Context,
  base: ListQuery,
  selection: Selection,
  from: Continuation | undefined,
  limit: number,
  rest: readonly AnyObject[],
  next: string | undefined,
): Promise<number | undefined> {
  if (!selection.all) return undefined;
  if (from) {
    return from.remaining === undefined ? undefined : Math.max(from.remaining - limit, 1);
  }
  let count = rest.length;
  let after = next;
  while (after !== undefined && count < MAX_COUNTED) {
    const page = await readPage(context, base, after);
    count += page.items.length;
    after = page.next;
  }
  return after === undefined ? count : undefined;
}

/**
 * Slash sorts below every character of a name but dash and dot, so positions are compared in two
 * parts.
 */
function positionOf(object: AnyObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

function isPast(from: Continuation, object: AnyObject): boolean {
  const [namespace = '', name = ''] = from.last.split('/');
  const own = object.metadata.namespace ?? '';
  return own === namespace ? object.metadata.name <= name : own < namespace;
}
