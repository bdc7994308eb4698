/**
 * Creation: the one way by which a client's object gets into the store. Owns the order of the
 * steps: decode, identity, metadata, defaults, admission, validation, ownership of fields,
 * namespace, write.
 */
import {
  alreadyExists,
  badRequest,
  invalid,
  methodNotAllowed,
  notFound,
} from '../../api/errors.ts';
import { rfc3339 } from '../../api/time.ts';
import type { ApiResponse } from '../../api/http.ts';
import type { AnyObject } from '../../api/meta.ts';
import { resourceType } from '../../api/resources.ts';
import { AlreadyExists } from '../../ports/store.ts';
import { admitCreate } from './admission.ts';
import { parseBody } from './body.ts';
import { type Context } from './context.ts';
import { decodeGiven, validated, warnOfNews, withDefaults } from './input.ts';
import {
  checkIdentity,
  generatedName,
  type GivenObject,
  namespaceTerminating,
  newMetadata,
  SUFFIX_LENGTH,
} from './metadata.ts';
import { type WriteOptions, writeOptions } from './options.ts';
import { ownedAfterUpdate } from './ownership.ts';
import { answerObject } from './answers.ts';
import type { ResourceRoute } from './routes.ts';

/** As kube-apiserver: a generated name that is taken is drawn again. */
const MAX_NAME_DRAWS = 8;

export async function create(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  const options = writeOptions(context);
  const body = parseBody(context.request);
  const decoded = decodeGiven(route.type, body, options.fieldValidation);
  warnOfNews(context, route.type, decoded, undefined);
  const created = await insert(context, route, decoded.object, options);
  return answerObject(context, route.type, created, 201);
}

/** How a new object gets its managedFields: by whoever writes it, or by server-side apply. */
export type Ownership = (object: AnyObject) => AnyObject;

/** Creates the object that a client described. The route has no name when the client chooses it. */
export async function insert(
  context: Context,
  route: ResourceRoute,
  given: GivenObject,
  options: WriteOptions,
  ownership?: Ownership,
): Promise<AnyObject> {
  // Server-side apply comes this way too, by a verb that the type may well have.
  if (!route.type.verbs.includes('create')) throw methodNotAllowed();
  checkIdentity(given, route);
  if (given.metadata?.resourceVersion) {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  await checkNamespace(context, route, given);
  for (let draw = 1; ; draw++) {
    const draft = await drafted(context, route, given);
    const own = ownership ?? ((o) => ownedAfterUpdate(context, route, o, undefined, options));
    const object = own(draft);
    context.audited.name = object.metadata.name;
    if (options.dryRun) return dryRunCreate(context, route, object);
    try {
      return await context.deps.store.create(route.type.name, object);
    } catch (error) {
      const isDrawn = !nameOf(given, route) && draw < MAX_NAME_DRAWS;
      if (error instanceof AlreadyExists && isDrawn) continue;
      throw error;
    }
  }
}

const nameOf = (given: GivenObject, route: ResourceRoute) => given.metadata?.name || route.name;

/** The object as it would be stored, but for its managedFields. */
async function drafted(
  context: Context,
  route: ResourceRoute,
  given: GivenObject,
): Promise<AnyObject> {
  const { type } = route;
  const { ids } = context.deps;
  const prefix = given.metadata?.generateName ?? '';
  const drawn = prefix && generatedName(prefix, ids.suffix(SUFFIX_LENGTH));
  const name = nameOf(given, route) || drawn;
  if (!name) {
    const message = 'Required value: name or generateName is required';
    throw invalid(type, '', [{ reason: 'FieldValueRequired', message, field: 'metadata.name' }]);
  }
  const creationTimestamp = rfc3339(context.nowMs);
  const metadata = newMetadata(route, given, { name, uid: ids.uid(), creationTimestamp });
  const { status: _status, control: _control, ...rest } = given;
  const apiVersion = type.group ? `${type.group}/${type.version}` : type.version;
  const object: AnyObject = { ...rest, apiVersion, kind: type.kind, metadata };
  return validated(type, await admitCreate(context, type, withDefaults(type, object)), undefined);
}

async function checkNamespace(context: Context, route: ResourceRoute, given: GivenObject) {
  const { type, namespace } = route;
  if (!type.namespaced) return;
  const key = { resource: 'namespaces', namespace: '', name: namespace };
  const found = await context.deps.store.get(key);
  if (!found) throw notFound(resourceType('namespaces'), namespace);
  if (found.metadata.deletionTimestamp === undefined) return;
  throw namespaceTerminating(type, nameOf(given, route), namespace);
}

async function dryRunCreate(
  { deps }: Context,
  { type, namespace }: ResourceRoute,
  object: AnyObject,
): Promise<AnyObject> {
  const { name } = object.metadata;
  const existing = await deps.store.get({ resource: type.name, namespace, name });
  if (existing) throw alreadyExists(type, name);
  // What was not written has no version.
  const { resourceVersion: _none, ...metadata } = object.metadata;
  return { ...object, metadata: metadata as AnyObject['metadata'] };
}
