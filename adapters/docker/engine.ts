/**
 * One way to call the Docker engine: a deadline on every call, and errors as classes. Owns how a
 * failure of the engine is read; owns no decision about it. Streams (events, logs, exec) have their
 * deadline on opening only.
 */
import type Dockerode from 'dockerode';
import { NoSuchTask, RuntimeUnavailable } from '../../shared/ports/runtime.ts';

/**
 * An engine on a loaded laptop takes seconds to create a container; beyond this it is taken for
 * stuck.
 */
const CALL_TIMEOUT_MS = 60_000;

/**
 * The longest message of the engine that is passed on: it ends in objects that have a size limit.
 */
const MAX_MESSAGE_LENGTH = 1_024;

/** The engine answered, and said no. `status` is HTTP's. */
export class EngineRefused extends Error {
  override readonly name = 'EngineRefused';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Engine = {
  readonly docker: Dockerode;
  /** CPUs of the machine that the engine runs on: it refuses a limit above them. */
  readonly cpuMillis: number;
  readonly hasGpus: boolean;
  /** Since API 1.45 a mount may name a folder inside a volume, and the engine keeps it inside. */
  readonly mountsSubPaths: boolean;
  /** As in `amd64`. */
  readonly architecture: string;
};

export async function describeEngine(docker: Dockerode): Promise<Engine> {
  const info = (await engineCall('info', () => docker.info())) as {
    NCPU?: number;
    Runtimes?: Record<string, unknown>;
  };
  const version = await engineCall('version', () => docker.version());
  const [major = 1, minor = 0] = version.ApiVersion.split('.').map(Number);
  return {
    docker,
    cpuMillis: (info.NCPU ?? 1) * 1_000,
    hasGpus: info.Runtimes !== undefined && 'nvidia' in info.Runtimes,
    mountsSubPaths: major > 1 || minor >= 45,
    architecture: version.Arch,
  };
}

/** Throws `EngineRefused` when the engine says no, `RuntimeUnavailable` when it says nothing. */
export async function engineCall<T>(
  what: string,
  call: () => Promise<T>,
  timeoutMs = CALL_TIMEOUT_MS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new RuntimeUnavailable(`docker ${what}: no answer in ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([call(), deadline]);
  } catch (error) {
    throw engineError(what, error);
  } finally {
    clearTimeout(timer);
  }
}

/** The same, for what may be absent. */
export async function ifPresent<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await engineCall(what, call);
  } catch (error) {
    if (isRefusal(error, 404)) return undefined;
    throw error;
  }
}

/** The same, for what may be so already: gone (404), not modified (304), or under way (409). */
export async function unlessAlready(
  what: string,
  call: () => Promise<unknown>,
  timeoutMs = CALL_TIMEOUT_MS,
): Promise<void> {
  try {
    await engineCall(what, call, timeoutMs);
  } catch (error) {
    if (!isRefusal(error, 304, 404, 409)) throw error;
  }
}

export function isRefusal(error: unknown, ...statuses: number[]): error is EngineRefused {
  return error instanceof EngineRefused && (!statuses.length || statuses.includes(error.status));
}

/** What a caller of the port may see. */
export function portError(taskId: string, error: unknown): Error {
  if (isRefusal(error, 404)) return new NoSuchTask(`task ${taskId}: ${error.message}`);
  if (isRefusal(error)) return new RuntimeUnavailable(`task ${taskId}: ${error.message}`);
  return error instanceof Error ? error : new RuntimeUnavailable(String(error));
}

/** The text of an error, short enough to store. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_MESSAGE_LENGTH);
}

function engineError(what: string, error: unknown): Error {
  if (error instanceof RuntimeUnavailable || error instanceof EngineRefused) return error;
  const { statusCode, json } = error as { statusCode?: number; json?: unknown };
  if (statusCode === undefined) {
    return new RuntimeUnavailable(`docker ${what}: ${messageOf(error)}`, { cause: error });
  }
  const said = (json as { message?: unknown } | null | undefined)?.message;
  return new EngineRefused(statusCode, typeof said === 'string' ? said : messageOf(error));
}
