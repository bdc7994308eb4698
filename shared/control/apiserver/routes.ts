/**
 * Paths: which resource, namespace, object and verb a request names. Owns the shape of URLs; does
 * not own whether the verb is supported (discovery), allowed (authorize) or what it does.
 *
 * Invariants:
 *  R1 A path is matched exactly, on its decoded segments: no normalising, no method override, no
 *     trailing rest.
 *  R2 No segment holds a slash or a dot-dot, so that no name can reach into another key.
 */
import { badRequest, methodNotAllowed, noSuchPath } from '../../api/errors.ts';
import type { ApiRequest } from '../../api/http.ts';
import { RESOURCES, type ResourceType } from '../../api/resources.ts';
import { VIRTUAL_GROUPS } from './virtual.ts';

export interface ResourceRoute {
  readonly type: ResourceType;
  /** '' for cluster-scoped types and for all namespaces. */
  readonly namespace: string;
  /** '' for the collection. */
  readonly name: string;
  readonly subresource: string;
}

/** A path below /api or /apis that names a resource type, or undefined for any other path. */
export function resourceRoute(path: string): ResourceRoute | undefined {
  const segments = segmentsOf(path);
  const [root, ...rest] = segments;
  if (root === 'api' && rest.length > 1) return inGroup('', rest[0] ?? '', rest.slice(1));
  if (root === 'apis' && rest.length > 2) {
    return inGroup(rest[0] ?? '', rest[1] ?? '', rest.slice(2));
  }
  return undefined;
}

const types = new Map(RESOURCES.map((t) => [[t.group, t.version, t.plural].join('/'), t]));

function inGroup(
  group: string,
  version: string,
  rest: readonly string[],
): ResourceRoute | undefined {
  const find = (plural = '') => types.get([group, version, plural].join('/'));
  // `namespaces/x/pods` is inside a namespace; `namespaces/x` and `namespaces/x/status` are about
  // it.
  const inner = rest[0] === 'namespaces' && rest.length > 2 ? find(rest[2]) : undefined;
  if (inner) {
    if (!inner.namespaced || rest.length > 5) throw noSuchPath();
    const [, namespace = '', , name = '', subresource = ''] = rest;
    return checked({ type: inner, namespace, name, subresource });
  }
  if (isVirtual(group, version, rest[0])) return undefined;
  const type = find(rest[0]);
  // A namespaced object is reached through its namespace only.
  if (!type || rest.length > (type.namespaced ? 1 : 3)) throw noSuchPath();
  const [, name = '', subresource = ''] = rest;
  return checked({ type, namespace: '', name, subresource });
}

/** Reviews have paths like resources, and are none. */
function isVirtual(group: string, version: string, plural: string | undefined): boolean {
  const served = VIRTUAL_GROUPS.filter((v) => v.group === group && v.version === version);
  return served.some((v) => v.resources.some((resource) => resource.plural === plural));
}

function checked(route: ResourceRoute): ResourceRoute {
  const { type, subresource } = route;
  if (!subresource || type.subresources.includes(subresource)) return route;
  const why = type.name === 'pods' ? NOT_SERVED.get(subresource) : undefined;
  throw why ? methodNotAllowed(why) : noSuchPath();
}

/** Subresources of pods that people know: what they are told instead of "not found". */
const NOT_SERVED = new Map([
  ['attach', 'kubectl attach is not served: kubectl logs -f shows what the container prints'],
  ['portforward', 'kubectl port-forward is not served: reach the pod by its own address'],
  ['proxy', 'the proxy to pods is not served: reach the pod by its own address'],
]);

/** Longer than the longest legal path by far. */
const MAX_PATH_LENGTH = 4096;

export function segmentsOf(path: string): readonly string[] {
  if (path.length > MAX_PATH_LENGTH) throw badRequest('the path is too long');
  const segments = path.split('/').slice(1).map(decoded);
  const last = segments.at(-1);
  const given = last === '' ? segments.slice(0, -1) : segments;
  if (given.some((segment) => !isPlain(segment))) throw noSuchPath();
  return given;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badRequest('the path is not valid percent-encoding');
  }
}

function isPlain(segment: string): boolean {
  if (segment === '' || segment === '.' || segment === '..') return false;

  return !/[/\\%\u0000-\u001f\u007f]/.test(segment);
}

const COLLECTION_VERBS: { readonly [method: string]: string } = {
  GET: 'list',
  POST: 'create',
  DELETE: 'deletecollection',
};
const OBJECT_VERBS: { readonly [method: string]: string } = {
  GET: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** The verb, as authorization and discovery name it; '' for a method that means nothing here. */
export function verbOf(request: Pick<ApiRequest, 'method' | 'query'>, route: ResourceRoute) {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const watching = method === 'GET' && isTrue(request.query.get('watch'));
  if (watching && !route.subresource) return 'watch';
  // Posting to a subresource creates something (an eviction, a binding); exec is a creation however
  // it is asked for.
  if (route.subresource && method === 'POST') return 'create';
  if (route.subresource === 'exec' && method === 'GET') return 'create';
  const verbs = route.name ? OBJECT_VERBS : COLLECTION_VERBS;
  return verbs[method] ?? '';
}

/** A boolean query parameter, as Kubernetes reads it: present without a value is true. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== 'false' && value !== '0';
}

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

export function isWrite(verb: string): boolean {
  return WRITES.has(verb);
}
