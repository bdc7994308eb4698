/**
 * Deletion, of one object and of a selection. core/deletion.ts decides what it does to an object.
 */
import { badRequest, conflict, forbidden, invalidRequest, success } from '../../api/errors.ts';
import type { ApiResponse } from '../../api/http.ts';
import { isJsonObject } from '../../api/json.ts';
import type { AnyObject } from '../../api/meta.ts';
import { isSystemPriorityClass } from '../../api/priority.ts';
import { deletion, type DeletionOptions, type PropagationPolicy } from '../../core/deletion.ts';
import { Conflict } from '../../ports/store.ts';
import { PRIORITY_CLASSES } from '../priority-classes.ts';
import { answerObject, viewOf } from './answers.ts';
import { parseOptionalBody } from './body.ts';
import { type Context, warn } from './context.ts';
import { list } from './list.ts';
import { checkExpectations } from './metadata.ts';
import { dryRunParameter, integerParameter } from './options.ts';
import { showList } from './representation.ts';
import { json } from './responses.ts';
import type { ResourceRoute } from './routes.ts';
import { existing, keyOfRoute } from './update.ts';

export interface DeleteRequest {
  readonly options: DeletionOptions;
  readonly dryRun: boolean;
  readonly preconditions: { readonly uid?: string; readonly resourceVersion?: string };
}

interface Deleted {
  readonly object: AnyObject;
  readonly isGone: boolean;
}

const MAX_ATTEMPTS = 8;
/** Enough to keep a store busy, few enough to leave room for others. */
const CONCURRENT_DELETES = 16;
const PROTECTED_NAMESPACES = new Set(['default', 'kube-system', 'kube-public']);

export async function deleteObject(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  const { object, isGone } = await performDelete(context, route, deleteRequest(context));
  // Pods answer with themselves, as in Kubernetes; so does whatever is still there.
  if (!isGone || route.type.name === 'pods') return answerObject(context, route.type, object, 200);
  const { name, uid, resourceVersion } = object.metadata;
  context.audited.resourceVersion = resourceVersion;
  return json(200, success(route.type, name, uid));
}

/** Deletes the object of the route, or marks it. */
export async function performDelete(
  context: Context,
  route: ResourceRoute,
  request: DeleteRequest,
): Promise<Deleted> {
  for (let attempt = 1; ; attempt++) {
    const current = await existing(context, route);
    checkDeletable(route, current);
    checkExpectations(route.type, current, request.preconditions);
    try {
      return await deleteOnce(context, route, current, request);
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      if (attempt === MAX_ATTEMPTS) throw conflict(route.type, route.name);
    }
  }
}

async function deleteOnce(
  { deps, nowMs }: Context,
  route: ResourceRoute,
  current: AnyObject,
  { options, dryRun }: DeleteRequest,
): Promise<Deleted> {
  const action = deletion(route.type.name, current, options, nowMs);
  if (action?.kind === 'remove') {
    if (dryRun) return { object: current, isGone: true };
    return { object: await deps.store.remove(keyOfRoute(route), action.expected), isGone: true };
  }
  if (action?.kind !== 'update') return { object: current, isGone: false };
  const marked = action.object;
  if (dryRun) return { object: marked, isGone: false };
  return { object: await deps.store.update(route.type.name, marked), isGone: false };
}

function checkDeletable({ type }: ResourceRoute, { metadata: { name } }: AnyObject): void {
  if (type.name === 'namespaces' && PROTECTED_NAMESPACES.has(name)) {
    throw forbidden(type, name, 'this namespace may not be deleted');
  }
  if (type.name === PRIORITY_CLASSES && isSystemPriorityClass(name)) {
    throw forbidden(type, name, 'this is a system priority class and cannot be deleted');
  }
}

export async function deleteCollection(
  context: Context,
  route: ResourceRoute,
): Promise<ApiResponse> {
  const view = viewOf(context, route.type);
  const request = deleteRequest(context);
  const selected = await list(context, route);
  const queue = [...selected.items];
  const deleted: AnyObject[] = [];
  const work = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      const done = await deleteIfThere(context, route, item, request);
      if (done) deleted.push(done.object);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_DELETES }, work));
  return json(200, showList({ ...selected, items: deleted }, view));
}

async function deleteIfThere(
  context: Context,
  route: ResourceRoute,
  item: AnyObject,
  request: DeleteRequest,
): Promise<Deleted | undefined> {
  const { name, namespace = '', uid } = item.metadata;
  const preconditions = { ...request.preconditions, uid };
  try {
    return await performDelete(
      context,
      { ...route, namespace, name },
      { ...request, preconditions },
    );
  } catch (error) {
    const { status } = error as { status?: { code?: number; message?: string } };
    // Somebody else was quicker: it is gone, or another one has its name.
    if (status?.code === 404 || status?.code === 409) return undefined;
    // Nobody wrote it: it stays, and the others go.
    if (status?.code !== 405) throw error;
    warn(context, `not deleted: ${status.message}`);
    return undefined;
  }
}

/** The options of a deletion: from the body, and from the query where the body is silent. */
export function deleteRequest({ request }: Context): DeleteRequest {
  const body = parseOptionalBody(request)?.value ?? {};
  return deleteOptions(body, request.query);
}

/** `given` is a DeleteOptions as it was sent: nothing of it is trusted. */
export function deleteOptions(given: unknown, query: URLSearchParams): DeleteRequest {
  if (!isJsonObject(given)) throw badRequest('the body is not a DeleteOptions object');
  const grace = integer(given['gracePeriodSeconds'], 'gracePeriodSeconds');
  const gracePeriodSeconds = grace ?? integerParameter(query, 'gracePeriodSeconds');
  const policy = propagation(given, query);
  const dryRuns = [...query.getAll('dryRun'), ...strings(given['dryRun'], 'dryRun')];
  return {
    dryRun: dryRunParameter(dryRuns),
    options: {
      ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
      ...(policy && { propagationPolicy: policy }),
    },
    preconditions: preconditionsOf(given['preconditions']),
  };
}

const POLICIES: readonly PropagationPolicy[] = ['Background', 'Foreground', 'Orphan'];

function propagation(
  body: { readonly [field: string]: unknown },
  query: URLSearchParams,
): PropagationPolicy | undefined {
  const given = body['propagationPolicy'] ?? query.get('propagationPolicy') ?? '';
  const orphan = body['orphanDependents'] ?? query.get('orphanDependents');
  if (given === '' && orphan !== null && orphan !== undefined) {
    return orphan === true || orphan === 'true' ? 'Orphan' : 'Background';
  }
  const known = POLICIES.find((policy) => policy === given);
  if (known || given === '') return known;
  throw invalidRequest(
    `propagationPolicy: Unsupported value: ${JSON.stringify(given)}: ` +
      'supported values: "Background", "Foreground", "Orphan"',
  );
}

function preconditionsOf(given: unknown): DeleteRequest['preconditions'] {
  if (given === undefined || given === null) return {};
  const { uid, resourceVersion } = given as { [field: string]: unknown };
  return {
    ...(uid !== undefined && uid !== null && { uid: text(uid, 'uid') }),
    ...(resourceVersion !== undefined &&
      resourceVersion !== null && { resourceVersion: text(resourceVersion, 'resourceVersion') }),
  };
}

function text(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  throw badRequest(`DeleteOptions: ${field} must be a string`);
}

function strings(value: unknown, field: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw badRequest(`DeleteOptions: ${field} must be a list`);
  return value.map((item) => text(item, field));
}

function integer(value: unknown, field: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw badRequest(`DeleteOptions: ${field} must be an integer`);
}
