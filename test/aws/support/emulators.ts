/**
 * The independent implementations that the adapters are held against: MiniStack and moto, each a
 * process of its own on a free port of loopback. `AWS_ENDPOINT_URL` names another one (LocalStack,
 * or AWS itself): then nothing is started.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';

export type EmulatorName = 'ministack' | 'moto';

export interface Emulator {
  readonly name: EmulatorName | 'given';
  readonly endpoint: string;
  readonly region: string;
  /** Ends the process that was started, if one was. */
  stop(): Promise<void>;
}

const REGION = 'us-east-1';
/** A cold Python on a busy machine takes some seconds to import it all. */
const START_TIMEOUT_MS = 60_000;
const LOOK_EVERY_MS = 100;

/** Where each emulator says that it is up. */
const HEALTH_PATHS = { ministack: '/_ministack/health', moto: '/moto-api/' } as const;

/**
 * MiniStack would run the containers of tasks where it finds an engine, and pull images for it: its
 * answers must not depend on what else the machine has.
 */
const NO_ENGINE = 'tcp://127.0.0.1:9';

/** `extra` goes into the emulator's environment; MiniStack hands it on to its functions. */
export async function startEmulator(
  name: EmulatorName,
  extra: NodeJS.ProcessEnv = {},
): Promise<Emulator> {
  const given = process.env.AWS_ENDPOINT_URL;
  if (given) return { name: 'given', endpoint: given, region: REGION, stop: async () => {} };
  const port = await freePort();
  const child = spawnEmulator(name, installed(), { port, extra });
  const endpoint = `http://127.0.0.1:${port}`;
  await answering(name, `${endpoint}${HEALTH_PATHS[name]}`, child);
  return { name, endpoint, region: REGION, stop: () => ended(child) };
}

/** Installs the emulators where they are missing; throws an error that says what they need. */
export function installed(): string {
  const script = join(import.meta.dirname, '../../../scripts/install-emulators.sh');
  return execFileSync('sh', [script], { encoding: 'utf8' }).trim();
}

function spawnEmulator(
  name: EmulatorName,
  folder: string,
  { port, extra }: { readonly port: number; readonly extra: NodeJS.ProcessEnv },
): ChildProcess {
  const ownCredentials = { AWS_ACCESS_KEY_ID: name, AWS_SECRET_ACCESS_KEY: 'test' };
  const env = { ...process.env, ...ownCredentials, AWS_REGION: REGION, ...extra };
  const bin = join(folder, 'bin');
  // Their first lines name the folder that they were installed in, which may have been moved since.
  const python = (script: string, args: readonly string[], more: NodeJS.ProcessEnv) =>
    spawn(join(bin, 'python'), [join(bin, script), ...args], {
      env: { ...env, ...more },
      stdio: 'ignore',
    });
  if (name === 'moto') return python('moto_server', ['-H', '127.0.0.1', '-p', String(port)], {});
  const own = { BIND_HOST: '127.0.0.1', GATEWAY_PORT: String(port), LAMBDA_EXECUTOR: 'local' };
  return python('ministack', [], { ...own, DOCKER_HOST: NO_ENGINE });
}

async function answering(name: string, url: string, child: ChildProcess): Promise<void> {
  const untilMs = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < untilMs) {
    if (child.exitCode !== null) throw new Error(`${name} ended with code ${child.exitCode}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  child.kill();
  throw new Error(`${name} did not answer at ${url} within ${START_TIMEOUT_MS / 1000} s`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
