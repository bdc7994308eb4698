/** Binding of pods; and what it shares with evictions: an object of another kind that is posted. */
import { ApiError, badRequest, conflict, type Status } from '../../../api/errors.ts';
import type { ApiResponse } from '../../../api/http.ts';
import { isJsonObject, type JsonObject } from '../../../api/json.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { AnyObject } from '../../../api/meta.ts';
import { dns1123Subdomain } from '../../../api/names.ts';
import { gpuAskOf } from '../../../core/pod/gpus.ts';
import { Conflict } from '../../../ports/store.ts';
import { bound } from '../admission.ts';
import { parseBody } from '../body.ts';
import type { Context } from '../context.ts';
import { checkExpectations } from '../metadata.ts';
import { dryRunParameter } from '../options.ts';
import { json } from '../responses.ts';
import type { ResourceRoute } from '../routes.ts';
import { existing } from '../update.ts';

/** The answer to a subresource that was posted. */
export const CREATED: Status = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  code: 201,
};

/** Binds the pod to a node, as a scheduler of one's own would. A pod is bound once. */
export async function bind(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  const body = posted(context, route, 'Binding', ['v1']);
  const nodeName = targetOf(body);
  const dryRun = dryRunParameter(context.request.query.getAll('dryRun'));
  const current = await existing(context, route);
  checkExpectations(route.type, current, metadataOf(body));
  checkUnbound(route, current as unknown as Pod);
  if (dryRun) return json(201, CREATED);
  const next = bound(current as unknown as Pod, nodeName, context.nowMs);
  try {
    const stored = await context.deps.store.update('pods', next);
    context.audited.resourceVersion = stored.metadata.resourceVersion;
  } catch (error) {
    throw error instanceof Conflict ? conflict(route.type, route.name) : error;
  }
  return json(201, CREATED);
}

function checkUnbound(route: ResourceRoute, pod: Pod): void {
  const { name } = route;
  if (pod.metadata.deletionTimestamp !== undefined) {
    throw conflict(route.type, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  }
  if (pod.spec.nodeName) {
    const why = `pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`;
    throw conflict(route.type, name, why);
  }
  if (gpuAskOf(pod)) {
    const why = `pod ${name} asks for GPUs: its devices are for the default scheduler to choose`;
    throw conflict(route.type, name, why);
  }
  if (pod.spec.schedulingGates?.length) {
    throw conflict(route.type, name, `pod ${name} has non-empty .spec.schedulingGates`);
  }
}

/** The object that was posted to the subresource, of the right kind and for the pod of the path. */
export function posted(
  context: Context,
  { name }: ResourceRoute,
  kind: string,
  versions: readonly string[],
): JsonObject {
  const body = fieldsOf(parseBody(context.request).value);
  const { kind: givenKind, apiVersion } = body;
  if (givenKind !== undefined && givenKind !== kind) {
    throw badRequest(`the kind in the data is not the expected kind (${kind})`);
  }
  if (apiVersion !== undefined && !versions.some((version) => version === apiVersion)) {
    throw badRequest(`the API version in the data is not the expected one (${versions[0]})`);
  }
  const given = metadataOf(body).name;
  if (given && given !== name) {
    throw badRequest('name in URL does not match name in the object');
  }
  return body;
}

function targetOf(body: JsonObject): string {
  const { kind, name } = fieldsOf(body['target'] ?? {});
  if (typeof name !== 'string' || dns1123Subdomain(name).length > 0) {
    throw invalidTarget('target.name', 'Required value: the name of a node');
  }
  if (kind === undefined || kind === '' || kind === 'Node') return name;
  throw invalidTarget('target.kind', 'Unsupported value: supported values: "Node", "<empty>"');
}

function invalidTarget(field: string, why: string): ApiError {
  const message = `Binding is invalid: ${field}: ${why}`;
  return new ApiError(422, 'Invalid', message, { kind: 'Binding' });
}

function metadataOf(body: JsonObject): Partial<AnyObject['metadata']> {
  const metadata = fieldsOf(body['metadata'] ?? {});
  const text = (field: string) => {
    const value = metadata[field];
    return typeof value === 'string' ? value : '';
  };
  return { name: text('name'), uid: text('uid'), resourceVersion: text('resourceVersion') };
}

function fieldsOf(value: unknown): JsonObject {
  if (isJsonObject(value)) return value;
  throw badRequest('the body is not what this subresource takes');
}
