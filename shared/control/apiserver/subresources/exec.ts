/**
 * exec: a command in a running container, over a WebSocket. Owns the channels of the protocol
 * (v5.channel.k8s.io: the first byte of a message says which stream it belongs to); adapters own
 * WebSockets, the runtime owns the command.
 */
import { ApiError, badRequest, serviceUnavailable } from '../../../api/errors.ts';
import type { ApiRequest, ApiResponse, ApiSocket } from '../../../api/http.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { taskIdOfAttempt } from '../../../core/pod/attempt.ts';
import { type ExecSession, NoSuchTask, TaskRejected } from '../../../ports/runtime.ts';
import type { Context } from '../context.ts';
import { isTrue, type ResourceRoute } from '../routes.ts';
import { existing } from '../update.ts';
import { containerOf, statusOf } from './log.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
/** Its one byte names the channel that the client closes. */
const CLOSE = 255;

/** The latest first; the earlier one knows no CLOSE and is the same otherwise. */
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const MAX_COMMAND_WORDS = 1024;

export async function exec(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  const { request, deps } = context;
  const { query } = request;
  const pod = (await existing(context, route)) as unknown as Pod;
  const container = containerOf(pod, query.get('container') ?? '');
  const command = commandOf(query);
  const isRunning = statusOf(pod, container)?.state?.running !== undefined;
  if (!isRunning) throw badRequest(`container ${container} of pod ${route.name} is not running`);
  if (!deps.runtime) throw serviceUnavailable('this server has no access to containers');
  // Last of all checks: kubectl asks again by SPDY after any refusal, and shows only the second.
  const protocol = protocolOf(request);
  const wants = (name: string) => isTrue(query.get(name));
  const options = { command, tty: wants('tty'), stdin: wants('stdin'), signal: request.signal };
  const taskId = taskIdOfAttempt(pod, pod.control?.attempt ?? 1);
  const session = await deps.runtime.exec(taskId, container, options).catch(refused);
  const run = (socket: ApiSocket) =>
    session instanceof ApiError ? sayWhy(session, socket) : converse(session, socket);
  return { status: 101, headers: {}, body: '', upgrade: { protocol, run } };
}

/**
 * Which of the protocols on offer is spoken. kubectl before 1.30 knows only SPDY, which is gone.
 */
function protocolOf({ headers }: ApiRequest): string {
  if (headers['upgrade']?.toLowerCase() !== 'websocket') {
    throw badRequest(
      'Upgrade request required: exec is served over WebSocket (kubectl 1.30 or later)',
    );
  }
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const chosen = PROTOCOLS.find((protocol) => offered.includes(protocol));
  if (chosen) return chosen;
  throw badRequest(`none of the subprotocols is served here: ${PROTOCOLS.join(', ')} are`);
}

function commandOf(query: URLSearchParams): readonly string[] {
  const command = query.getAll('command');
  if (command.length === 0)
    throw badRequest('you must specify at least 1 command for the container');
  if (command.length <= MAX_COMMAND_WORDS) return command;
  throw badRequest(`the command has more than ${MAX_COMMAND_WORDS} words`);
}

/** Why the runtime does not run the command. */
function refused(error: unknown): ApiError {
  if (error instanceof NoSuchTask) return badRequest('the container is not running any more');
  if (error instanceof TaskRejected) return new ApiError(400, error.reason, error.message);
  throw error;
}

/**
 * Over the open socket: where the upgrade itself is refused, kubectl falls back to SPDY and shows
 * that refusal instead.
 */
async function sayWhy({ status }: ApiError, socket: ApiSocket): Promise<void> {
  await socket.send(message(ERROR, encoded(status)));
}

/** Both ways at once, until the command has exited and all it said is sent. */
async function converse(session: ExecSession, socket: ApiSocket): Promise<void> {
  // What the client says ends with the connection; nobody waits for it.
  void listen(session, socket).catch(() => undefined);
  try {
    for await (const { stream, data } of session.output) {
      await socket.send(message(stream === 'stdout' ? STDOUT : STDERR, data));
    }
    await socket.send(message(ERROR, encoded(exitStatus(await session.exitCode))));
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const status = { metadata: {}, status: 'Failure', reason: 'InternalError', message: text };
    await socket.send(message(ERROR, encoded(status)));
  }
}

async function listen(session: ExecSession, socket: ApiSocket): Promise<void> {
  for await (const given of socket.messages) {
    const [channel] = given;
    const data = given.subarray(1);
    if (channel === STDIN) await session.write(data);
    else if (channel === RESIZE) await resize(session, data);
    else if (channel === CLOSE && data[0] === STDIN) await session.closeStdin();
  }
  await session.closeStdin();
}

async function resize(session: ExecSession, data: Uint8Array): Promise<void> {
  const { Width, Height } = JSON.parse(new TextDecoder().decode(data)) as {
    readonly [field: string]: unknown;
  };
  const isSize = (value: unknown): value is number => Number.isSafeInteger(value);
  if (isSize(Width) && isSize(Height)) await session.resize(Width, Height);
}

function exitStatus(exitCode: number) {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

function encoded(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function message(channel: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 1);
  bytes[0] = channel;
  bytes.set(data, 1);
  return bytes;
}
