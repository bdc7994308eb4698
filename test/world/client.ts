/** A client of the API server as kubectl is one, without sockets. */
import type { ApiHandler } from '../../shared/api/http.ts';
import type { AnyObject } from '../../shared/api/meta.ts';
import { RESOURCES, type ResourceType } from '../../shared/api/resources.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const NEVER = new AbortController().signal;
const encoder = new TextEncoder();

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query?: { readonly [name: string]: string };
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
}

/** Sends a request and reads its answer as JSON. */
export async function send(api: ApiHandler, request: Request): Promise<Answer> {
  const { method, path, query = {}, body, accept = 'application/json' } = request;
  const response = await api({
    method,
    path,
    query: new URLSearchParams(query),
    headers: {
      accept,
      'user-agent': 'kubectl/v1.33.0',
      ...(body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
    },
    body: encoder.encode(body === undefined ? '' : JSON.stringify(body)),
    signal: NEVER,
  });
  if (typeof response.body !== 'string') throw new Error(`${path} answers with a stream`);
  return { status: response.status, body: JSON.parse(response.body) as unknown };
}

/** The path of a collection or, with a name, of an object. */
export function pathOf(
  { group, version, plural, namespaced }: ResourceType,
  { namespace, name, subresource }: { namespace?: string; name?: string; subresource?: string },
): string {
  const parts = group ? ['/apis', group, version] : ['/api', version];
  if (namespaced && namespace !== undefined) parts.push('namespaces', namespace);
  parts.push(plural);
  if (name !== undefined) parts.push(name);
  if (subresource !== undefined) parts.push(subresource);
  return parts.join('/');
}

/** The resource type of a manifest, by its apiVersion and kind. */
export function typeOf({ apiVersion, kind }: Pick<AnyObject, 'apiVersion' | 'kind'>): ResourceType {
  const type = RESOURCES.find(
    ({ group, version, kind: k }) =>
      k === kind && (group ? `${group}/${version}` : version) === apiVersion,
  );
  if (!type) throw new Error(`no such kind: ${apiVersion} ${kind}`);
  return type;
}

/** The resource type that a person means by a word: plural, singular or short name. */
export function typeNamed(word: string): ResourceType {
  const type = RESOURCES.find(({ plural, singular, shortNames, name }) =>
    [plural, singular, name, ...shortNames].includes(word),
  );
  if (!type) throw new Error(`no such resource: ${word}`);
  return type;
}
