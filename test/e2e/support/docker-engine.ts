/**
 * An engine for the end-to-end lane: the one that answers, or else one that is started here. Where
 * there can be none, tests skip and say why; in CI they fail instead, so that nobody takes a skip
 * for a pass.
 */
import { spawnSync } from 'node:child_process';
import type Dockerode from 'dockerode';
import { connectDocker } from '../../../adapters/docker/connect.ts';

const SCRIPT = new URL('../../../scripts/start-docker-engine.sh', import.meta.url).pathname;

export type FoundEngine =
  | { readonly docker: Dockerode; readonly skip?: undefined }
  | { readonly docker?: undefined; readonly skip: string };

export async function findEngine(): Promise<FoundEngine> {
  const running = await connectDocker();
  if (running) return { docker: running };
  const started = spawnSync('sh', [SCRIPT], { encoding: 'utf8' });
  const docker = started.status === 0 ? await connectDocker() : undefined;
  if (docker) return { docker };
  const skip = `no Docker engine answers, and none could be started: ${started.stderr.trim()}`;
  if (process.env['CI']) throw new Error(skip);
  console.warn(`SKIPPED: ${skip}`);
  return { skip };
}
