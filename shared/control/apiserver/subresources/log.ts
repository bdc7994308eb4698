/**
 * log: the output of a container. Owns which container and which attempt is meant; the runtime has
 * the text.
 */
import { badRequest, notFound, serviceUnavailable } from '../../../api/errors.ts';
import type { ApiResponse } from '../../../api/http.ts';
import type { ContainerStatus, Pod } from '../../../api/kinds/pod.ts';
import { taskIdOfAttempt } from '../../../core/pod/attempt.ts';
import { parseTime } from '../../../api/time.ts';
import { type LogOptions, NoSuchTask, RuntimeUnavailable } from '../../../ports/runtime.ts';
import type { Context } from '../context.ts';
import { integerParameter } from '../options.ts';
import { stream } from '../responses.ts';
import { isTrue, type ResourceRoute } from '../routes.ts';
import { existing } from '../update.ts';
import { DEFAULT_MAX_STREAM_MS } from '../watch.ts';

/** A followed log may be silent for long: the answer begins without waiting for more than this. */
const FIRST_CHUNK_WAIT_MS = 500;

export async function readLog(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  const { query } = context.request;
  const pod = (await existing(context, route)) as unknown as Pod;
  const container = containerOf(pod, query.get('container') ?? '');
  const previous = isTrue(query.get('previous'));
  const options = logOptions(context);
  // Nothing runs where there is no node: that is no error, and no output.
  if (!pod.spec.nodeName) return stream('text/plain', nothing());
  checkStarted(pod, container, previous);
  const attempt = attemptOf(pod, container, previous);
  const chunks = await openLog(context, taskIdOfAttempt(pod, attempt), container, options);
  return stream('text/plain', chunks);
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** The container that is asked for, or the only one there is. */
export function containerOf(pod: Pod, given: string): string {
  const names = pod.spec.containers.map(({ name }) => name);
  const initNames = (pod.spec.initContainers ?? []).map(({ name }) => name);
  if (given) {
    if ([...names, ...initNames].includes(given)) return given;
    throw badRequest(`container ${given} is not valid for pod ${pod.metadata.name}`);
  }
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  const init =
    initNames.length > 0 ? ` or one of the init containers: [${initNames.join(' ')}]` : '';
  throw badRequest(
    `a container name must be specified for pod ${pod.metadata.name}, choose one of: ` +
      `[${names.join(' ')}]${init}`,
  );
}

export function statusOf(pod: Pod, container: string): ContainerStatus | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
  return [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === container);
}

function checkStarted(pod: Pod, container: string, previous: boolean): void {
  const status = statusOf(pod, container);
  const where = `container "${container}" in pod "${pod.metadata.name}"`;
  if (previous) {
    if (status?.lastState?.terminated) return;
    throw badRequest(`previous terminated ${where} not found`);
  }
  const hasRun =
    status?.state?.running ?? status?.state?.terminated ?? status?.lastState?.terminated;
  if (hasRun) return;
  const reason = status?.state?.waiting?.reason ?? 'ContainerCreating';
  throw badRequest(`${where} is waiting to start: ${reason}`);
}

/**
 * The attempt whose output is meant. While a container waits, it is the last one that ran: the
 * present attempt if that has ended (a back-off), else the one before (the present one is about to
 * start).
 */
function attemptOf(pod: Pod, container: string, previous: boolean): number {
  const attempt = pod.control?.attempt ?? 1;
  const isWaiting = statusOf(pod, container)?.state?.waiting !== undefined;
  const hasEnded = pod.control?.taskStopped === true;
  const isEarlier = isWaiting ? !hasEnded : previous;
  return Math.max(1, isEarlier ? attempt - 1 : attempt);
}

function logOptions({ request, deps, nowMs }: Context): LogOptions {
  const { query } = request;
  const tailLines = notNegative(query, 'tailLines');
  const limitBytes = notNegative(query, 'limitBytes');
  const sinceMs = sinceParameter(query, nowMs);
  const follow = isTrue(query.get('follow'));
  const lasts = AbortSignal.any([request.signal, ...(follow ? [endOfStream(deps, request)] : [])]);
  return {
    follow,
    timestamps: isTrue(query.get('timestamps')),
    signal: lasts,
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(sinceMs !== undefined && { sinceMs }),
  };
}

/** A followed log ends by itself as a watch does. */
function endOfStream(deps: Context['deps'], request: Context['request']): AbortSignal {
  const end = new AbortController();
  void deps.clock
    .delay(deps.maxStreamMs ?? DEFAULT_MAX_STREAM_MS, request.signal)
    .then(() => end.abort());
  return end.signal;
}

function notNegative(query: URLSearchParams, name: string): number | undefined {
  const value = integerParameter(query, name);
  if (value === undefined || value >= 0) return value;
  throw badRequest(`${name}: Invalid value: ${value}: must be greater than or equal to 0`);
}

function sinceParameter(query: URLSearchParams, nowMs: number): number | undefined {
  const seconds = integerParameter(query, 'sinceSeconds');
  const time = query.get('sinceTime') ?? '';
  if (seconds !== undefined && time) {
    throw badRequest('at most one of sinceTime or sinceSeconds may be specified');
  }
  if (seconds !== undefined && seconds < 1) {
    throw badRequest(`sinceSeconds: Invalid value: ${seconds}: must be greater than 0`);
  }
  if (seconds !== undefined) return nowMs - seconds * 1000;
  if (!time) return undefined;
  const ms = parseTime(time);
  if (ms === undefined) throw badRequest(`sinceTime: ${JSON.stringify(time)} is not a time`);
  return ms;
}

/**
 * Opens the log and waits a moment for its first part, so that what goes wrong at once is told as a
 * Status and not as a stream that breaks off.
 */
async function openLog(
  { deps, request }: Context,
  taskId: string,
  container: string,
  options: LogOptions,
): Promise<AsyncIterable<Uint8Array>> {
  if (!deps.runtime) throw serviceUnavailable('this server has no access to logs');
  const iterator = deps.runtime.logs(taskId, container, options)[Symbol.asyncIterator]();
  const first = iterator.next();
  try {
    await Promise.race([first, deps.clock.delay(FIRST_CHUNK_WAIT_MS, request.signal)]);
  } catch (error) {
    throw logFailure(error, taskId);
  }
  return following(first, iterator);
}

function logFailure(error: unknown, taskId: string): unknown {
  if (error instanceof NoSuchTask) {
    return notFound({ group: '', plural: 'tasks' }, taskId);
  }
  if (error instanceof RuntimeUnavailable) return serviceUnavailable(error.message, 1);
  return error;
}

async function* following(
  first: Promise<IteratorResult<Uint8Array, unknown>>,
  iterator: AsyncIterator<Uint8Array, unknown>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let next = await first; next.done !== true; next = await iterator.next()) {
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
