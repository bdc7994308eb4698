/**
 * /openapi: what kubectl reads before it writes. Version 2 is an empty document in protobuf, which
 * every kubectl takes for "no schema known"; without it, kubectl 1.28 and earlier refuse to apply.
 * Version 3 is real.
 */
import { hash64 } from '../../api/hash.ts';
import type { ApiRequest, ApiResponse } from '../../api/http.ts';
import { openApiDocument } from '../../api/openapi.ts';
import { GROUP_VERSIONS } from './discovery.ts';
import { tagged } from './responses.ts';

const V2_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** Documents never change while a server runs: each is made once, when it is first asked for. */
interface Document {
  readonly body: string;
  readonly hash: string;
}

const documents = new Map<string, Document>();

/** The document for a path below /openapi; undefined for any other path. */
export function serveOpenApi(path: string, request: ApiRequest): ApiResponse | undefined {
  if (path === '/openapi/v2') {
    return { status: 200, headers: { 'content-type': V2_TYPE }, body: '' };
  }
  if (path === '/openapi/v3') return answer(index(), request);
  const gv = GROUP_VERSIONS.find((candidate) => path === `/openapi/v3/${pathOf(candidate)}`);
  return gv && answer(documentOf(gv), request);
}

type GroupVersion = (typeof GROUP_VERSIONS)[number];

const pathOf = ({ group, version }: GroupVersion) =>
  group ? `apis/${group}/${version}` : `api/${version}`;

function answer({ body, hash }: Document, request: ApiRequest): ApiResponse {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' };
  const response = { status: 200, headers, body };
  return tagged(response, `"${hash}"`, request.headers['if-none-match']);
}

function documentOf(gv: GroupVersion): Document {
  return once(pathOf(gv), () => openApiDocument(gv.group, gv.version));
}

function index(): Document {
  return once('', () => ({
    paths: Object.fromEntries(
      GROUP_VERSIONS.map((gv) => {
        const path = pathOf(gv);
        // kubectl keeps a document for as long as its hash is the same.
        const serverRelativeURL = `/openapi/v3/${path}?hash=${documentOf(gv).hash}`;
        return [path, { serverRelativeURL }];
      }),
    ),
  }));
}

function once(key: string, make: () => unknown): Document {
  const known = documents.get(key);
  if (known) return known;
  const body = JSON.stringify(make());
  const made = { body, hash: hash64(body).toString(16).toUpperCase() };
  documents.set(key, made);
  return made;
}
