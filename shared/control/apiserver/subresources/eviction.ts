/**
 * Eviction: a deletion of a pod that asks its disruption budget first, as `kubectl drain` does. The
 * decision is core/disruption's; here it is carried out: the grant, then the deletion.
 *
 * Invariant V1: the pod that is deleted is the very version that was judged, and a grant is written
 * before it goes. Whoever loses a race judges again; a grant that the pod has already is not spent
 * twice.
 */
import {
  ApiError,
  conflict,
  forbidden,
  type StatusCause,
  type StatusDetails,
  timeout,
} from '../../../api/errors.ts';
import type { ApiResponse } from '../../../api/http.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../../../api/kinds/policy.ts';
import type { AnyObject } from '../../../api/meta.ts';
import { resourceType } from '../../../api/resources.ts';
import { BUDGETS } from '../../../core/disruption/budgets.ts';
import { mayDisrupt, type Refusal } from '../../../core/disruption/may-disrupt.ts';
import { Conflict } from '../../../ports/store.ts';
import { listAll } from '../../list-all.ts';
import type { Context } from '../context.ts';
import { deleteOptions, type DeleteRequest, performDelete } from '../delete.ts';
import { checkExpectations } from '../metadata.ts';
import { json } from '../responses.ts';
import type { ResourceRoute } from '../routes.ts';
import { existing } from '../update.ts';
import { CREATED, posted } from './pod-writes.ts';

/** As kube-apiserver: evictors of one budget win in turns, and so many rarely want one at once. */
const MAX_ATTEMPTS = 20;

/** After which time a client is to ask again for what will be so by itself. */
const RETRY_AFTER_SECONDS = 10;

const DISRUPTION = { reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' };

export async function evict(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  const body = posted(context, route, 'Eviction', ['policy/v1', 'policy/v1beta1']);
  const asked = deleteOptions(body['deleteOptions'] ?? {}, context.request.query);
  const request = { ...asked, options: { ...asked.options, disruption: DISRUPTION } };
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const evicted = await tryEvict(context, route, request);
    if (!evicted) continue;
    context.audited.resourceVersion = evicted.metadata.resourceVersion;
    return json(201, CREATED);
  }
  throw timeout(`eviction of pod ${route.name}: too many conflicts`, RETRY_AFTER_SECONDS);
}

/** The deleted pod; undefined when somebody else wrote first and all has to be looked at again. */
async function tryEvict(
  context: Context,
  route: ResourceRoute,
  request: DeleteRequest,
): Promise<AnyObject | undefined> {
  const pod = await existing(context, route);
  checkExpectations(route.type, pod, request.preconditions);
  const budgets = await budgetsOf(context, route);
  const { refused, spent } = mayDisrupt([pod as unknown as Pod], budgets, context.nowMs);
  for (const refusal of refused) throw errorOf(refusal);
  if (!request.dryRun && !(await spend(context, spent))) return undefined;
  const { uid, resourceVersion } = pod.metadata;
  try {
    const judged = { ...request, preconditions: { uid, resourceVersion } };
    return (await performDelete(context, route, judged)).object;
  } catch (error) {
    const isLost = error instanceof ApiError && error.status.code === 409;
    // A client that names a version wants that one or none.
    if (isLost && request.preconditions.resourceVersion) throw conflict(route.type, route.name);
    if (isLost) return undefined;
    throw error;
  }
}

function budgetsOf(
  { deps }: Context,
  { namespace }: ResourceRoute,
): Promise<readonly PodDisruptionBudget[]> {
  return listAll<PodDisruptionBudget>(deps.store, { resource: BUDGETS, namespace });
}

/** Whether the budgets were as they were judged. */
async function spend({ deps }: Context, spent: readonly PodDisruptionBudget[]): Promise<boolean> {
  try {
    for (const budget of spent) await deps.store.update(BUDGETS, budget);
    return true;
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
}

const VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget.";
const SEVERAL =
  'This pod has more than one PodDisruptionBudget, which the eviction subresource does not ' +
  'support.';
const UNCONFIRMED =
  'DisruptedPods map too big - too many evictions not confirmed by PDB controller';

/** In the words of Kubernetes, which drain and others look for. */
function errorOf({ reason, budget }: Refusal): ApiError {
  const { name } = budget.metadata;
  switch (reason) {
    case 'exhausted': {
      const { desiredHealthy, currentHealthy } = budget.status;
      const counts = `${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
      return tooMany(`The disruption budget ${name} needs ${counts}`);
    }
    case 'unprocessed': {
      const why = `The disruption budget ${name} is still being processed by the server.`;
      return tooMany(why, { retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    case 'several':
      return new ApiError(500, '', SEVERAL);
    case 'unconfirmed':
      return forbidden(resourceType(BUDGETS), name, UNCONFIRMED);
  }
}

/**
 * Without a time to wait for: clients would repeat it by themselves, and drain has its own pace.
 */
function tooMany(message: string, wait: Pick<StatusDetails, 'retryAfterSeconds'> = {}): ApiError {
  const cause: StatusCause = { reason: 'DisruptionBudget', message };
  return new ApiError(429, 'TooManyRequests', VIOLATES, { causes: [cause], ...wait });
}
