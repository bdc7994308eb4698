/** Paths that are no resources: discovery, OpenAPI, health, version. */
import { methodNotAllowed, noSuchPath } from '../../api/errors.ts';
import type { ApiResponse } from '../../api/http.ts';
import type { Context } from './context.ts';
import { discover, GROUP_VERSIONS } from './discovery.ts';
import { serveOpenApi } from './openapi.ts';
import { json, text } from './responses.ts';
import { segmentsOf } from './routes.ts';

const HEALTH_PATHS = new Set(['/healthz', '/livez', '/readyz']);

/** Answered without credentials: load balancers ask, and nothing is told. */
export function isPublicPath(path: string): boolean {
  return HEALTH_PATHS.has(path);
}

export async function servePath(context: Context): Promise<ApiResponse> {
  const { method } = context.request;
  const path = `/${segmentsOf(context.request.path).join('/')}`;
  const answer = documentAt(path, context);
  if (!answer) throw noSuchPath();
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed();
  return answer;
}

function documentAt(path: string, { request, deps }: Context): ApiResponse | undefined {
  if (HEALTH_PATHS.has(path)) return text(200, 'ok');
  if (path === '/version') return json(200, deps.version);
  if (path === '/') return json(200, { paths: PATHS });
  return discover(path, request) ?? serveOpenApi(path, request);
}

const PATHS = [
  '/api',
  '/api/v1',
  '/apis',
  ...GROUP_VERSIONS.filter(({ group }) => group).map((gv) => `/apis/${gv.group}/${gv.version}`),
  ...HEALTH_PATHS,
  '/openapi/v2',
  '/openapi/v3',
  '/version',
];
