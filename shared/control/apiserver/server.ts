/**
 * The API server: one function from request to response, the same behind node:https, behind a
 * Lambda and in tests. Owns the way of a request (who, what, may they, do it) and its two promises;
 * the rest is next door.
 *
 * Invariants:
 *  A1 Every request is answered, with a Status when it fails; what is unknown is logged and
 *     answered without detail.
 *  A2 Every write has exactly one audit record, accepted or denied (S11).
 */
import { ApiError, internalError, unauthorized } from '../../api/errors.ts';
import type { ApiHandler, ApiRequest, ApiResponse, User } from '../../api/http.ts';
import { stamped } from '../trace.ts';
import { checkAllowed } from './authorization.ts';
import type { ApiServerDeps, Attributes, Context } from './context.ts';
import { dispatch } from './dispatch.ts';
import { asApiError } from './failures.ts';
import { isPublicPath, servePath } from './paths.ts';
import { isReviewPath, serveReview } from './reviews.ts';
import { statusResponse } from './responses.ts';
import { isWrite, type ResourceRoute, resourceRoute, verbOf } from './routes.ts';
import { withToldEvents } from './told-events.ts';

export interface ApiServer {
  readonly handle: ApiHandler;
}

const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

export function createApiServer(deps: ApiServerDeps): ApiServer {
  const served = { ...deps, store: withToldEvents(deps.store, deps.clock) };
  return { handle: (request) => handle(served, request) };
}

async function handle(deps: ApiServerDeps, request: ApiRequest): Promise<ApiResponse> {
  const context = newContext(deps, request, ANONYMOUS);
  try {
    return withAuditId(await identified(context), context);
  } catch (error) {
    return withAuditId(failed(context, error), context);
  }
}

/** Finds out who asks, and serves them. A write by who knows whom is recorded as well (A2). */
async function identified(context: Context): Promise<ApiResponse> {
  const { deps, request } = context;
  let user: User | undefined;
  try {
    user = await deps.authenticate(request);
  } catch (error) {
    const route = resourceRoute(request.path);
    if (!route) throw error;
    return audited(context, route, async () => {
      throw error;
    });
  }
  return routed({ ...context, user: user ?? ANONYMOUS }, user !== undefined);
}

/** As kube-apiserver: whoever asks for help can name the request. */
function withAuditId(response: ApiResponse, { auditId }: Context): ApiResponse {
  return { ...response, headers: { ...response.headers, 'audit-id': auditId } };
}

function newContext(given: ApiServerDeps, request: ApiRequest, user: User): Context {
  const nowMs = given.clock.nowMs();
  const auditId = given.ids.uid();
  const deps = { ...given, store: stamped(given.store, auditId) };
  return { deps, request, user, nowMs, auditId, warnings: new Set(), audited: {} };
}

async function routed(context: Context, known: boolean): Promise<ApiResponse> {
  const { path } = context.request;
  const route = resourceRoute(path);
  if (route) return audited(context, route, () => serveResource(context, route, known));
  if (!known && !isPublicPath(path)) throw unauthorized();
  refuseImpersonation(context.request);
  if (isReviewPath(path)) return withWarnings(await serveReview(context), context);
  if (!isPublicPath(path)) await checkAllowed(context, pathAttributes(context.request));
  return withWarnings(await servePath(context), context);
}

async function serveResource(
  context: Context,
  route: ResourceRoute,
  known: boolean,
): Promise<ApiResponse> {
  if (!known) throw unauthorized();
  refuseImpersonation(context.request);
  const verb = verbOf(context.request, route);
  await checkAllowed(context, attributesOf(route, verb || context.request.method.toLowerCase()));
  return withWarnings(await dispatch(context, route, verb), context);
}

/**
 * Acting as somebody else is not served. To ignore the wish would show the admin's own view as the
 * other one's, and write under the wrong name.
 */
function refuseImpersonation({ headers }: ApiRequest): void {
  if (!Object.keys(headers).some((name) => name.startsWith('impersonate-'))) return;
  const message = 'impersonation (kubectl --as) is not served';
  throw new ApiError(403, 'Forbidden', message, {});
}

function attributesOf(route: ResourceRoute, verb: string): Attributes {
  const { type, subresource, namespace, name } = route;
  const { group, plural } = type;
  return { verb, group, resource: plural, subresource, namespace, name, path: '' };
}

function pathAttributes({ method, path }: ApiRequest): Attributes {
  const verb = method.toLowerCase();
  return { verb, group: '', resource: '', subresource: '', namespace: '', name: '', path };
}

function withWarnings(response: ApiResponse, { warnings }: Context): ApiResponse {
  if (warnings.size === 0) return response;
  const warning = [...warnings].map((text) => `299 - ${quoted(text)}`);
  return { ...response, headers: { ...response.headers, warning } };
}

/** A quoted string of a header: printable ASCII, so that nothing in it can end the header. */
function quoted(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]+/g, ' ').replace(/["\\]/g, '\\$&');
  return `"${plain}"`;
}

/** Runs a request and records what became of it, if it is a write. */
async function audited(
  context: Context,
  route: ResourceRoute,
  serve: () => Promise<ApiResponse>,
): Promise<ApiResponse> {
  const response = await serve().catch((error: unknown) =>
    withWarnings(failed(context, error), context),
  );
  const verb = verbOf(context.request, route);
  const isDry = context.request.query.getAll('dryRun').includes('All');
  if (!isWrite(verb) || isDry) return response;
  const { type, subresource, namespace, name } = route;
  const { audited: done } = context;
  context.deps.recorder.audit({
    atMs: context.nowMs,
    user: context.user.name,
    auditId: context.auditId,
    verb,
    resource: subresource ? `${type.name}/${subresource}` : type.name,
    namespace,
    name: name || (done.name ?? ''),
    code: response.status,
    ...(done.resourceVersion && { resourceVersion: done.resourceVersion }),
  });
  return response;
}

function failed({ deps, request, auditId }: Context, error: unknown): ApiResponse {
  const { method, path } = request;
  const known = asApiError(error, method === 'GET' || method === 'HEAD');
  if (known) return statusResponse(known.status);
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const fields = { auditId, method, path, error: detail };
  deps.recorder.log({ level: 'error', message: 'request failed', fields });
  return statusResponse(internalError('see the log of the server').status);
}
