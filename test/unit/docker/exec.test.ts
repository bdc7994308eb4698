import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { startExec } from '../../../adapters/docker/container-io.ts';
import type { Engine } from '../../../adapters/docker/engine.ts';
import { NoSuchTask, RuntimeUnavailable } from '../../../shared/ports/runtime.ts';

/** An engine whose one command says nothing and is over at once; `inspect` tells its end. */
function engineWith(inspect: () => Promise<unknown>): Engine {
  const start = async (): Promise<PassThrough> => {
    const stream = new PassThrough();
    stream.end();
    return stream;
  };
  const exec = async () => ({ start, inspect });
  return { docker: { getContainer: () => ({ exec }) } } as unknown as Engine;
}

const refusal = (statusCode: number) => async (): Promise<never> => {
  throw Object.assign(new Error('No such exec instance: 3f90a613'), { statusCode });
};

async function exitCodeOf(inspect: () => Promise<unknown>): Promise<number> {
  const { signal } = new AbortController();
  const options = { command: ['true'], tty: false, stdin: false, signal };
  const session = await startExec(engineWith(inspect), 'app', options);
  for await (const _frame of session.output) continue;
  return session.exitCode;
}

describe('the exit code of a command in a container', () => {
  it('is what the engine says, once it knows', async () => {
    const answers = [{ Running: true }, { Running: false, ExitCode: 7 }];
    expect(await exitCodeOf(async () => answers.shift())).toBe(7);
  });

  it.each([404, 409])('is gone with its container (%i)', async (statusCode) => {
    const code = exitCodeOf(refusal(statusCode));
    await expect(code).rejects.toThrow(NoSuchTask);
    await expect(code).rejects.toThrow('the container ended before the command');
  });

  it('may be unknown for now', async () => {
    const broken = async (): Promise<never> => {
      throw new Error('connect ECONNREFUSED');
    };
    await expect(exitCodeOf(broken)).rejects.toThrow(RuntimeUnavailable);
  });
});
