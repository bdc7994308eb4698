/**
 * Reviews: what the one who asks may do, and who they are. Nothing is stored; the answer is the
 * object itself.
 */
import { badRequest, methodNotAllowed } from '../../api/errors.ts';
import type { ApiResponse } from '../../api/http.ts';
import { isJsonObject, type JsonObject } from '../../api/json.ts';
import { RESOURCES } from '../../api/resources.ts';
import { parseBody } from './body.ts';
import type { Attributes, Context } from './context.ts';
import { isAllowed } from './authorization.ts';
import { verbsOf } from './discovery.ts';
import { negotiate } from './negotiate.ts';
import { json } from './responses.ts';
import { segmentsOf } from './routes.ts';
import { VIRTUAL_GROUPS } from './virtual.ts';

type Review = (context: Context, kind: string) => Promise<JsonObject>;

const REVIEWS: { readonly [plural: string]: Review } = {
  selfsubjectaccessreviews: reviewAccess,
  selfsubjectrulesreviews: reviewRules,
  selfsubjectreviews: reviewSelf,
};

/** Whether the path is that of a review. */
export function isReviewPath(path: string): boolean {
  return reviewAt(path) !== undefined;
}

function reviewAt(path: string) {
  const [root, group = '', version = '', plural = '', ...rest] = segmentsOf(path);
  if (root !== 'apis' || rest.length > 0) return undefined;
  const served = VIRTUAL_GROUPS.find((v) => v.group === group && v.version === version);
  const resource = served?.resources.find((r) => r.plural === plural);
  const review = REVIEWS[plural];
  return resource && review && { review, kind: resource.kind, apiVersion: `${group}/${version}` };
}

/** Everybody who is known may ask about themselves. */
export async function serveReview(context: Context): Promise<ApiResponse> {
  const { request } = context;
  const found = reviewAt(request.path);
  if (!found || request.method !== 'POST') throw methodNotAllowed();
  negotiate(request.headers['accept'], false);
  const { kind, apiVersion, review } = found;
  const metadata = { creationTimestamp: null };
  return json(201, { kind, apiVersion, metadata, ...(await review(context, kind)) });
}

function bodyOf({ request }: Context, kind: string): JsonObject {
  const body = fieldsOf(parseBody(request).value);
  if (body['kind'] === undefined || body['kind'] === kind) return body;
  throw badRequest(`the kind in the data does not match the expected kind (${kind})`);
}

async function reviewAccess(context: Context, kind: string): Promise<JsonObject> {
  const spec = fieldsOf(bodyOf(context, kind)['spec']);
  const { resourceAttributes, nonResourceAttributes } = spec;
  if ((resourceAttributes === undefined) === (nonResourceAttributes === undefined)) {
    throw badRequest(
      'spec: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
  }
  const given = fieldsOf(resourceAttributes ?? nonResourceAttributes);
  const allowed = await isAllowed(context, attributesOf(given));
  return { spec, status: { allowed, ...(!allowed && { reason: 'not allowed by policy' }) } };
}

function attributesOf(given: JsonObject): Attributes {
  const text = (field: string): string => {
    const value = given[field] ?? '';
    if (typeof value !== 'string') throw badRequest(`${field} must be a string`);
    return value;
  };
  return {
    verb: text('verb'),
    group: text('group'),
    resource: text('resource'),
    subresource: text('subresource'),
    namespace: text('namespace'),
    name: text('name'),
    path: text('path'),
  };
}

async function reviewRules(context: Context, kind: string): Promise<JsonObject> {
  const spec = fieldsOf(bodyOf(context, kind)['spec'] ?? {});
  const namespace = typeof spec['namespace'] === 'string' ? spec['namespace'] : '';
  const anything = { ...NOTHING, verb: '*', group: '*', resource: '*', namespace };
  const status = (await isAllowed(context, anything))
    ? EVERYTHING
    : await rulesOf(context, namespace);
  return { spec, status: { ...status, incomplete: false } };
}

const NOTHING: Attributes = attributesOf({});
const EVERYTHING = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
};

/** One rule a resource and subresource: the verbs that are allowed, found by asking about each. */
async function rulesOf(context: Context, namespace: string) {
  const resourceRules: JsonObject[] = [];
  for (const type of RESOURCES) {
    for (const subresource of ['', ...type.subresources]) {
      const { group, plural: resource } = type;
      const verbs: string[] = [];
      for (const verb of verbsOf(type, subresource)) {
        const attributes = { ...NOTHING, verb, group, resource, subresource, namespace };
        if (await isAllowed(context, attributes)) verbs.push(verb);
      }
      const name = subresource ? `${resource}/${subresource}` : resource;
      if (verbs.length > 0) resourceRules.push({ verbs, apiGroups: [group], resources: [name] });
    }
  }
  return { resourceRules, nonResourceRules: [] };
}

/**
 * The question holds nothing, so that it need not be read: `auth whoami` works in whatever
 * encoding.
 */
async function reviewSelf({ user }: Context): Promise<JsonObject> {
  return { status: { userInfo: { username: user.name, groups: user.groups } } };
}

function fieldsOf(value: unknown): JsonObject {
  if (isJsonObject(value)) return value;
  throw badRequest('the body is not a review');
}
