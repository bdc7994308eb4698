/**
 * Patches: which of the four kinds by content type, and how each becomes a change. patch/ owns what
 * they mean. A patch is applied anew to what is stored when somebody else wrote first, so that it
 * needs no version of its own.
 */
import { applyConflict, badRequest, unsupportedMediaType } from '../../api/errors.ts';
import type { ApiResponse } from '../../api/http.ts';
import type { AnyObject, ObjectMeta } from '../../api/meta.ts';
import type { Schema } from '../../api/schema.ts';
import { AlreadyExists } from '../../ports/store.ts';
import { answerObject } from './answers.ts';
import { bodyText, mediaType, parseJsonBody } from './body.ts';
import type { Context } from './context.ts';
import { insert } from './create.ts';
import { decodeGiven, warnOfNews, withDefaults } from './input.ts';
import { checkIdentity, type GivenObject } from './metadata.ts';
import { type WriteOptions, writeOptions } from './options.ts';
import { serverSideApply } from './patch/apply.ts';
import { applyJsonPatch } from './patch/json-patch.ts';
import { applyMergePatch } from './patch/merge-patch.ts';
import { applyStrategicMerge } from './patch/strategic-merge.ts';
import { publicForm } from './representation.ts';
import type { ResourceRoute } from './routes.ts';
import { change, keyOfRoute } from './update.ts';
import { parseYaml } from './yaml.ts';

const APPLY_TYPE = 'application/apply-patch+yaml';

type ApplyPatch = (schema: Schema, document: unknown, patch: unknown) => unknown;

const PATCHES: { readonly [mediaType: string]: ApplyPatch } = {
  'application/json-patch+json': (_schema, document, patch) => applyJsonPatch(document, patch),
  'application/merge-patch+json': (_schema, document, patch) => applyMergePatch(document, patch),
  'application/strategic-merge-patch+json': applyStrategicMerge,
};

export async function patch(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  const options = writeOptions(context);
  if (mediaType(context.request) === APPLY_TYPE) return apply(context, route, options);
  const { type } = route;
  const patchDocument = documentPatch(context, type.schema);
  const changed = await change(context, route, options, (current) => {
    const { value, duplicates } = patchDocument(publicForm(current));
    const decoded = decodeGiven(type, { value, duplicates }, options.fieldValidation);
    warnOfNews(context, type, decoded, current);
    checkIdentity(decoded.object, route);
    return { given: decoded.object };
  });
  return answerObject(context, type, changed, 200);
}

/**
 * The patch of the request as a function of documents. Throws UnsupportedMediaType for what is no
 * such patch.
 */
export function documentPatch(context: Context, schema: Schema) {
  const applied = PATCHES[mediaType(context.request)];
  if (!applied) throw unsupportedMediaType([...Object.keys(PATCHES), APPLY_TYPE]);
  const { value: patchValue, duplicates } = parseJsonBody(context.request);
  return (document: unknown) => {
    const value = applied(schema, document, patchValue);
    return { value, duplicates };
  };
}

/** Server-side apply: creates the object or changes it. */
async function apply(
  context: Context,
  route: ResourceRoute,
  options: WriteOptions,
): Promise<ApiResponse> {
  const { type } = route;
  if (!context.request.query.get('fieldManager')) {
    throw badRequest('fieldManager is required for apply patch');
  }
  const body = parseYaml(bodyText(context.request));
  const decoded = decodeGiven(type, body, options.fieldValidation);
  const config = decoded.object;
  checkConfig(config, route);
  const create = !route.subresource && !(await context.deps.store.get(keyOfRoute(route)));
  if (create) {
    warnOfNews(context, type, decoded, undefined);
    const created = await tryInsert(context, route, config, options);
    if (created) return answerObject(context, type, created, 201);
  }
  const changed = await change(context, route, options, (current) => {
    warnOfNews(context, type, decoded, current);
    const applied = appliedTo(context, route, config, options, current);
    const { managedFields = [] } = applied.metadata;
    const { resourceVersion } = config.metadata ?? {};
    const metadata = { ...applied.metadata, resourceVersion: resourceVersion ?? '' };
    return { given: { ...applied, metadata }, managedFields };
  });
  return answerObject(context, type, changed, 200);
}

function checkConfig(config: GivenObject, route: ResourceRoute): void {
  if (!config.apiVersion || !config.kind) {
    throw badRequest('Object "apiVersion" and "kind" must be set in an apply patch');
  }
  checkIdentity(config, route);
}

/** The new object; undefined when somebody else has just made it. */
async function tryInsert(
  context: Context,
  route: ResourceRoute,
  config: GivenObject,
  options: WriteOptions,
): Promise<AnyObject | undefined> {
  const { managedFields = [] } = appliedTo(context, route, config, options, undefined).metadata;
  const ownership = (object: AnyObject) => ({
    ...object,
    metadata: { ...object.metadata, managedFields },
  });
  try {
    return await insert(context, route, config, options, ownership);
  } catch (error) {
    const isTaken = error instanceof AlreadyExists;
    if (isTaken) return undefined;
    throw error;
  }
}

/**
 * What the stored object becomes, with the managers of its fields. Throws Conflict where others own
 * them.
 */
function appliedTo(
  context: Context,
  { type, name, namespace, subresource }: ResourceRoute,
  config: GivenObject,
  { fieldManager, force }: WriteOptions,
  current: AnyObject | undefined,
): AnyObject {
  const metadata = { ...config.metadata, name, ...(namespace && { namespace }) } as ObjectMeta;
  const apiVersion = type.group ? `${type.group}/${type.version}` : type.version;
  const { object, conflicts } = serverSideApply({
    schema: type.schema,
    live: current && (publicForm(current) as AnyObject),
    defaulted: (object) => withDefaults(type, object),
    config: { ...config, apiVersion, kind: type.kind, metadata },
    manager: fieldManager,
    force,
    apiVersion,
    subresource,
    nowMs: context.nowMs,
  });
  if (conflicts) throw applyConflict(conflicts);
  return object;
}
