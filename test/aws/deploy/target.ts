/**
 * Where the stack is deployed to: what `AWS_ENDPOINT_URL` names; else LocalStack by Docker, where
 * the person has its token; else MiniStack, where Python is there. Functions must reach the model
 * of ECS, EC2 and CloudWatch Logs, so it is started first and named in the emulator's environment.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Emulator, startEmulator } from '../support/emulators.ts';

export interface Target {
  readonly name: 'given' | 'localstack' | 'ministack';
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** The services that the model stands in for, as the SDK's variables name them. */
const MODELLED = ['ECS', 'EC2', 'CLOUDWATCH_LOGS'] as const;

const COMPOSE = join(import.meta.dirname, 'compose.yaml');
const LOCALSTACK_ENDPOINT = 'http://127.0.0.1:4566';

export async function startTarget(modelUrl: string, functionEnv: NodeJS.ProcessEnv = {}) {
  const env = { ...modelledEnv(modelUrl), ...functionEnv };
  if (process.env.AWS_ENDPOINT_URL) return given(process.env.AWS_ENDPOINT_URL);
  if (process.env.LOCALSTACK_AUTH_TOKEN && dockerAnswers()) return localStack(env);
  return miniStack(env);
}

export function modelledEnv(modelUrl: string): NodeJS.ProcessEnv {
  return Object.fromEntries(MODELLED.map((service) => [`AWS_ENDPOINT_URL_${service}`, modelUrl]));
}

/** Whoever runs it sees to it that its functions have the model's address. */
function given(endpoint: string): Target {
  return { name: 'given', endpoint, stop: async () => {} };
}

function localStack(env: NodeJS.ProcessEnv): Target {
  const flags = Object.entries(env).map(([name, value]) => `-e ${name}=${value}`);
  compose(['up', '--detach', '--wait'], { LAMBDA_DOCKER_FLAGS: flags.join(' ') });
  const stop = async (): Promise<void> => compose(['down', '--volumes'], {});
  return { name: 'localstack', endpoint: LOCALSTACK_ENDPOINT, stop };
}

async function miniStack(extra: NodeJS.ProcessEnv): Promise<Target> {
  // Its functions run under the `node` of its PATH, which is to be ours and not the system's.
  const bin = join(import.meta.dirname, '../../../node_modules/.bin');
  const path = `${bin}:${process.env.PATH ?? ''}`;
  let emulator: Emulator;
  try {
    emulator = await startEmulator('ministack', { ...extra, PATH: path });
  } catch (error) {
    throw new Error(
      'nothing to deploy to: set AWS_ENDPOINT_URL, or LOCALSTACK_AUTH_TOKEN with Docker running, ' +
        'or install Python 3.10 or newer for MiniStack',
      { cause: error },
    );
  }
  return { name: 'ministack', endpoint: emulator.endpoint, stop: () => emulator.stop() };
}

function dockerAnswers(): boolean {
  return spawnSync('docker', ['info'], { stdio: 'ignore' }).status === 0;
}

function compose(args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status } = spawnSync('docker', ['compose', '--file', COMPOSE, ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`docker compose ${args.join(' ')} ended with ${status}`);
}
