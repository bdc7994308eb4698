/**
 * Asks a container once whether it is well. Owns what an answer means, per kind of probe; timing
 * and thresholds are probe-loop.ts. Asked from this process over the task's address; `exec` asks
 * inside.
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import type { ProbeSpec } from '../../shared/api/task.ts';
import { askGrpcHealth } from './grpc-health.ts';
import type { ProbeResult } from './probe-loop.ts';

/** The most of a failing command's output that is told. */
const MAX_OUTPUT_LENGTH = 256;

export interface ProbeTarget {
  readonly ip: string | undefined;
  /** Runs a command in the container. */
  readonly exec: (
    command: readonly string[],
    signal: AbortSignal,
  ) => Promise<{ readonly exitCode: number; readonly output: string }>;
}

export async function askProbe(
  probe: ProbeSpec,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { action } = probe;
  if (action.type === 'exec') return askExec(action.command, target, signal);
  if (target.ip === undefined) return 'the task has no address';
  if (action.type === 'grpc') return askGrpcHealth(target.ip, action.port, action.service, signal);
  const host = action.host ?? target.ip;
  return action.type === 'tcp' ? askTcp(host, action.port, signal) : askHttp(action, host, signal);
}

async function askExec(
  command: readonly string[],
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { exitCode, output } = await target.exec(command, signal);
  if (exitCode === 0) return undefined;
  return `command exited with ${exitCode}: ${output.slice(0, MAX_OUTPUT_LENGTH)}`;
}

function askTcp(host: string, port: number, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.on('error', reject);
    socket.on('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
  });
}

function askHttp(
  action: Extract<ProbeSpec['action'], { type: 'http' }>,
  host: string,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const headers: Record<string, string> = { 'user-agent': 'kube-probe/nullplane', accept: '*/*' };
  for (const { name, value } of action.headers) headers[name.toLowerCase()] = value;
  const path = action.path.startsWith('/') ? action.path : `/${action.path}`;
  // A probe asks whether the server lives, not who it is: as in Kubernetes, any certificate will
  // do.
  const options = { host, port: action.port, path, headers, signal, agent: false as const };
  return new Promise((resolve, reject) => {
    const request =
      action.scheme === 'HTTPS'
        ? requestHttps({ ...options, rejectUnauthorized: false })
        : requestHttp(options);
    request.on('error', reject);
    request.on('response', (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      const isWell = status >= 200 && status < 400;
      resolve(isWell ? undefined : `HTTP probe failed with statuscode: ${status}`);
      request.destroy();
    });
    request.end();
  });
}
