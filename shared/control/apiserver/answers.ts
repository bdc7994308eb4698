/**
 * The answer with one object, in the form the client asked for, and what the audit record needs to
 * know of it.
 */
import type { ApiResponse } from '../../api/http.ts';
import type { AnyObject } from '../../api/meta.ts';
import type { ResourceType } from '../../api/resources.ts';
import type { Context } from './context.ts';
import { negotiate } from './negotiate.ts';
import { includeObjectParameter, showObject, type View } from './representation.ts';
import { json } from './responses.ts';

/**
 * How the client wants to see objects of the type. Throws when that is not on offer: ask before
 * writing.
 */
export function viewOf({ request, nowMs }: Context, type: ResourceType): View {
  return {
    type,
    representation: negotiate(request.headers['accept']),
    nowMs,
    includeObject: includeObjectParameter(request.query),
  };
}

export function answerObject(
  context: Context,
  type: ResourceType,
  object: AnyObject,
  status: number,
): ApiResponse {
  const { audited } = context;
  audited.name = object.metadata.name;
  audited.resourceVersion = object.metadata.resourceVersion;
  return json(status, showObject(object, viewOf(context, type)));
}
