/** get and list. */
import type { ApiResponse } from '../../api/http.ts';
import { answerObject, viewOf } from './answers.ts';
import type { Context } from './context.ts';
import { list } from './list.ts';
import { showList } from './representation.ts';
import { json } from './responses.ts';
import type { ResourceRoute } from './routes.ts';
import { existing } from './update.ts';
import { versionParameter } from './versions.ts';

export async function getObject(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  versionParameter(context.request.query);
  return answerObject(context, route.type, await existing(context, route), 200);
}

export async function listObjects(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  const view = viewOf(context, route.type);
  return json(200, showList(await list(context, route), view));
}
