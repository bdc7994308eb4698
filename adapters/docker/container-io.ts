/**
 * Logs of a container and commands in it, over the engine's streams. Owns the streams: each ends
 * when its signal aborts or its reader leaves.
 */
import { Readable } from 'node:stream';
import type { Duplex } from 'node:stream';
import { NoSuchTask, RuntimeUnavailable, TaskRejected } from '../../shared/ports/runtime.ts';
import type { ExecOptions, ExecSession, LogOptions } from '../../shared/ports/runtime.ts';
import { engineCall, ifPresent, isRefusal } from './engine.ts';
import type { Engine } from './engine.ts';
import { asStdout, demultiplex, limited } from './streams.ts';

/** After the output ended, the engine needs a moment to know the exit code. */
const EXIT_CODE_TRIES = 100;
const EXIT_CODE_WAIT_MS = 20;
const ENDED_FIRST = 'the container ended before the command told its exit code';

export async function* readLogs(
  engine: Engine,
  container: string,
  options: LogOptions,
): AsyncGenerator<Uint8Array> {
  const handle = engine.docker.getContainer(container);
  const info = await ifPresent('inspect container', () => handle.inspect());
  if (!info) throw new NoSuchTask(`no container ${container}`);
  const request = {
    stdout: true,
    stderr: true,
    timestamps: options.timestamps,
    ...(options.tailLines !== undefined && { tail: options.tailLines }),
    ...(options.sinceMs !== undefined && { since: (options.sinceMs / 1_000).toFixed(3) }),
  };
  if (options.signal.aborted) return;
  const stream = options.follow
    ? await engineCall('logs', () => handle.logs({ ...request, follow: true }))
    : Readable.from([await engineCall('logs', () => handle.logs({ ...request, follow: false }))]);
  const source = stream as Readable;
  const stop = (): void => void source.destroy();
  options.signal.addEventListener('abort', stop);
  try {
    const frames = info.Config.Tty ? asStdout(source) : demultiplex(source);
    yield* limited(dataOf(frames), options.limitBytes);
  } catch (error) {
    if (!options.signal.aborted) throw new RuntimeUnavailable('logs broke off', { cause: error });
  } finally {
    options.signal.removeEventListener('abort', stop);
    stop();
  }
}

export async function startExec(
  engine: Engine,
  container: string,
  options: ExecOptions,
): Promise<ExecSession> {
  const { tty, stdin, signal } = options;
  const exec = await engineCall('create exec', () =>
    engine.docker.getContainer(container).exec({
      Cmd: [...options.command],
      Tty: tty,
      AttachStdin: stdin,
      AttachStdout: true,
      // With a terminal there is one stream for both.
      AttachStderr: !tty,
    }),
  ).catch(execError(container));
  const stream: Duplex = await engineCall('start exec', () =>
    exec.start({ hijack: true, stdin, Tty: tty }),
  ).catch(execError(container));
  const stop = (): void => void stream.destroy();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const exit = Promise.withResolvers<number>();
  exit.promise.catch(() => undefined); // who does not ask for the code must not crash for it
  const readExitCode = async (): Promise<number> => {
    for (let tries = EXIT_CODE_TRIES; tries > 0; tries -= 1) {
      const info = await engineCall('inspect exec', () => exec.inspect()).catch(
        (error: unknown) => {
          // The engine forgets a command with its container, which may end before it told the code.
          if (isRefusal(error, 404, 409)) throw new NoSuchTask(ENDED_FIRST);
          throw error;
        },
      );
      if (!info.Running && info.ExitCode !== null) return info.ExitCode;
      if (signal.aborted) break;
      await new Promise((resolve) => setTimeout(resolve, EXIT_CODE_WAIT_MS));
    }
    throw new RuntimeUnavailable('the command did not tell its exit code');
  };
  stream.once('close', () => {
    signal.removeEventListener('abort', stop);
    readExitCode().then(exit.resolve, exit.reject);
  });
  return {
    output: untilGone(tty ? asStdout(stream) : demultiplex(stream)),
    write: (data) => write(stream, data),
    closeStdin: async () => {
      if (stdin && stream.writable) stream.end();
    },
    resize: async (columns, rows) => {
      await engineCall('resize exec', () => exec.resize({ h: rows, w: columns }));
    },
    exitCode: exit.promise,
  };
}

/** Runs a command to its end, and reads what it says, up to a limit. */
export async function runCommand(
  engine: Engine,
  container: string,
  command: readonly string[],
  maxOutputBytes: number,
  signal: AbortSignal,
): Promise<{ exitCode: number; output: string }> {
  const session = await startExec(engine, container, {
    command,
    tty: false,
    stdin: false,
    signal,
  });
  const output: Buffer[] = [];
  let left = maxOutputBytes;
  for await (const { data } of session.output) {
    if (left > 0) output.push(Buffer.from(data.subarray(0, left)));
    left -= data.length;
  }
  return { exitCode: await session.exitCode, output: Buffer.concat(output).toString() };
}

async function* dataOf(
  frames: AsyncIterable<{ readonly data: Uint8Array }>,
): AsyncGenerator<Uint8Array> {
  for await (const { data } of frames) yield data;
}

/** A command's end and a connection that is cut look alike; the exit code tells them apart. */
async function* untilGone<T>(frames: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* frames;
  } catch {
    return;
  }
}

function write(stream: Duplex, data: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => {
      if (error) reject(new RuntimeUnavailable('stdin is closed', { cause: error }));
      else resolve();
    });
  });
}

function execError(container: string): (error: unknown) => never {
  return (error) => {
    if (isRefusal(error, 404)) throw new NoSuchTask(`no container ${container}`);
    if (isRefusal(error, 400, 409, 500)) throw new TaskRejected('CannotExec', error.message);
    throw error;
  };
}
