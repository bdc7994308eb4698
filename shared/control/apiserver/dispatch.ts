/** Which function serves which verb on which resource or subresource. */
import { methodNotAllowed } from '../../api/errors.ts';
import type { ApiResponse } from '../../api/http.ts';
import { viewOf } from './answers.ts';
import type { Context } from './context.ts';
import { create } from './create.ts';
import { deleteCollection, deleteObject } from './delete.ts';
import { verbsOf } from './discovery.ts';
import { patch } from './patch.ts';
import { getObject, listObjects } from './read.ts';
import type { ResourceRoute } from './routes.ts';
import { readDecision } from './subresources/decision.ts';
import { evict } from './subresources/eviction.ts';
import { exec } from './subresources/exec.ts';
import { readLog } from './subresources/log.ts';
import { bind } from './subresources/pod-writes.ts';
import { getScale, patchScale, updateScale } from './subresources/scale.ts';
import { update } from './update.ts';
import { watch } from './watch.ts';

type Serve = (context: Context, route: ResourceRoute) => Promise<ApiResponse>;

const OBJECTS: { readonly [verb: string]: Serve } = {
  create,
  delete: deleteObject,
  deletecollection: deleteCollection,
  get: getObject,
  list: listObjects,
  patch,
  update,
  watch,
};

/** A status is read and written like its object: update.ts knows what it may touch. */
const SUBRESOURCES: { readonly [subresource: string]: { readonly [verb: string]: Serve } } = {
  status: { get: getObject, update, patch },
  finalize: { update },
  scale: { get: getScale, update: updateScale, patch: patchScale },
  log: { get: readLog },
  decision: { get: readDecision },
  exec: { create: exec },
  eviction: { create: evict },
  binding: { create: bind },
};

export async function dispatch(
  context: Context,
  route: ResourceRoute,
  verb: string,
): Promise<ApiResponse> {
  const { type, subresource } = route;
  const table = subresource ? SUBRESOURCES[subresource] : OBJECTS;
  const serve = table?.[verb];
  if (!serve || !verbsOf(type, subresource).includes(verb)) throw methodNotAllowed();
  if (needsNamespace(verb) && type.namespaced && !route.namespace) throw methodNotAllowed();
  // A form that is not on offer is refused before anything is written.
  if (answersWithObject(subresource)) viewOf(context, type);
  return serve(context, route);
}

function answersWithObject(subresource: string): boolean {
  return subresource === '' || subresource === 'status' || subresource === 'finalize';
}

/** Only reading reaches over namespaces. */
function needsNamespace(verb: string): boolean {
  return verb !== 'list' && verb !== 'watch';
}
