/** Paths that are no resources: discovery, OpenAPI, health, version. */
import { methodNotAllowed, noSuchPath } from '../../api/errors.ts';
import type { ApiResponse } from '../../api/http.ts';
import type { Context } from './context.ts';
import { discover } from './discovery.ts';
import { json, text } from './responses.ts';
import { segmentsOf } from './routes.ts';

const HEALTH_PATHS = new Set(['/healthz', '/livez', '/readyz']);

/** Answered without credentials: load balancers ask, and nothing is told. */
export function isPublicPath(path: string): boolean {
  return HEALTH_PATHS.has(path);
}

export async function servePath(context: Context): Promise<ApiResponse> {
  const { request, deps } = context;
  const path = `/${segmentsOf(request.path).join('/')}`;
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw isKnown(path, context) ? methodNotAllowed() : noSuchPath();
  }
  if (HEALTH_PATHS.has(path)) return text(200, 'ok');
  if (path === '/version') return json(200, deps.version);
  const found = discover(path, request);
  if (found) return found;
  throw noSuchPath();
}

function isKnown(path: string, { request }: Context): boolean {
  return HEALTH_PATHS.has(path) || path === '/version' || discover(path, request) !== undefined;
}
