/**
 * decision: how a pod's place was decided, out of what is kept with the pod out of sight. Ours, not
 * Kubernetes': `kubectl get --raw /api/v1/namespaces/x/pods/y/decision`, or `nullplane explain`.
 */
import { ApiError } from '../../../api/errors.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { ApiResponse } from '../../../api/http.ts';
import type { Context } from '../context.ts';
import { json } from '../responses.ts';
import type { ResourceRoute } from '../routes.ts';
import { existing } from '../update.ts';

export async function readDecision(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  const pod = (await existing(context, route)) as unknown as Pod;
  const { decision } = pod.control ?? {};
  const { namespace, name, uid } = pod.metadata;
  if (!decision) throw undecided(name);
  const metadata = { namespace, name, uid };
  return json(200, { apiVersion: 'v1', kind: 'PodDecision', metadata, decision });
}

/** Not yet, or before decisions were kept, or by somebody who bound the pod. */
function undecided(name: string): ApiError {
  const message = `pods "${name}" has no decision of the scheduler`;
  return new ApiError(404, 'NotFound', message, { name, kind: 'pods' });
}
