/**
 * Probes as health checks of ECS. ECS has one check a container, with one verdict; Kubernetes has
 * three probes with different consequences (docs/decisions/0007-ecs-tasks.md has the table).
 *
 *  - Liveness alone: its check; unhealthy ends the task (by whoever polls: ECS does not).
 *  - Readiness alone: its check; healthy is ready.
 *  - Both the same: one check with both consequences, and liveness's numbers.
 *  - Both, and different: one of the two is asked over the network by a helper container beside it.
 *  - Startup: its time is the start period of the check. A container that has one is ready once
 *    the check has passed; alone it counts as liveness.
 */
import type { HealthCheck } from '@aws-sdk/client-ecs';
import { canonicalJson } from '../../../shared/api/hash.ts';
import type { ContainerSpec, ProbeSpec } from '../../../shared/api/task.ts';
import { TaskRejected } from '../../../shared/ports/runtime.ts';
import type { ContainerRole } from './names.ts';
import { quoted } from './shell.ts';

export interface Checks {
  readonly role?: ContainerRole;
  readonly own?: HealthCheck;
  /** A check that a helper container asks in place of the container itself. */
  readonly helper?: { readonly role: 'liveness' | 'readiness'; readonly check: HealthCheck };
}

/** Throws `TaskRejected` for two probes of which neither can be asked from beside the container. */
export function checksOf({ name, probes }: ContainerSpec): Checks {
  const { startup } = probes;
  const liveness = probes.liveness ?? (probes.readiness ? undefined : startup);
  const readiness = probes.readiness ?? (startup && liveness);
  const check = (probe: ProbeSpec) => healthCheck(probe, startup);
  if (!liveness && !readiness) return {};
  if (!readiness) return { role: 'live', own: check(liveness!) };
  if (!liveness) return { role: 'ready', own: check(readiness) };
  if (canonicalJson(liveness.action) === canonicalJson(readiness.action)) {
    return { role: 'live_ready', own: check(liveness) };
  }
  if (isAskedFromBeside(readiness)) {
    const helper = { role: 'readiness', check: check(readiness) } as const;
    return { role: 'live', own: check(liveness), helper };
  }
  if (isAskedFromBeside(liveness)) {
    const helper = { role: 'liveness', check: check(liveness) } as const;
    return { role: 'ready', own: check(readiness), helper };
  }
  throw new TaskRejected(
    'ProbesUnsupported',
    `container ${name}: on ECS a readiness probe that differs from the liveness probe needs one ` +
      'of the two to be httpGet or tcpSocket',
  );
}

/** With the tools of the files image. */
function isAskedFromBeside({ action }: ProbeSpec): boolean {
  return action.type === 'http' || action.type === 'tcp';
}

function healthCheck(probe: ProbeSpec, startup: ProbeSpec | undefined): HealthCheck {
  const startMs = startup
    ? startup.initialDelayMs + startup.periodMs * startup.failureThreshold
    : probe.initialDelayMs;
  const timeout = clamp(seconds(probe.timeoutMs), 2, 60);
  return {
    command: commandOf(probe.action, timeout),
    interval: clamp(seconds(probe.periodMs), 5, 300),
    timeout,
    retries: clamp(probe.failureThreshold, 1, 10),
    startPeriod: clamp(seconds(startMs), 0, 300),
  };
}

function commandOf(action: ProbeSpec['action'], timeoutSeconds: number): string[] {
  switch (action.type) {
    case 'exec':
      return ['CMD', ...action.command];
    case 'http':
      return ['CMD-SHELL', httpLine(action, timeoutSeconds)];
    case 'tcp': {
      const { host = LOCALHOST, port } = action;
      const bash = quoted(`exec 3<>/dev/tcp/${host}/${port}`);
      const nc = `nc -z -w ${timeoutSeconds} ${quoted(host)} ${port}`;
      return ['CMD-SHELL', `${nc} || bash -c ${bash} || exit 1`];
    }
    case 'grpc': {
      const { port, service } = action;
      const asked = service === '' ? [] : [`-service=${service}`];
      return ['CMD', 'grpc_health_probe', `-addr=${LOCALHOST}:${port}`, ...asked];
    }
  }
}

/** The containers of a task share one network. */
const LOCALHOST = '127.0.0.1';

type HttpAction = Extract<ProbeSpec['action'], { type: 'http' }>;

/** As Kubernetes, any certificate will do: what is asked is whether it lives, not who it is. */
function httpLine(action: HttpAction, timeoutSeconds: number): string {
  const { scheme, host = LOCALHOST, port, headers } = action;
  const path = action.path.startsWith('/') ? action.path : `/${action.path}`;
  const url = quoted(`${scheme.toLowerCase()}://${host}:${port}${path}`);
  const told = headers.map(({ name, value }) => quoted(`${name}: ${value}`));
  const isTls = scheme === 'HTTPS';
  const wget = [
    ...['wget', '-q', '-O', '/dev/null', '-T', timeoutSeconds],
    ...(isTls ? ['--no-check-certificate'] : []),
    ...told.flatMap((header) => ['--header', header]),
  ];
  const curl = [
    ...['curl', '-f', '-s', '-L', '-o', '/dev/null', '-m', timeoutSeconds],
    ...(isTls ? ['-k'] : []),
    ...told.flatMap((header) => ['-H', header]),
  ];
  return `${wget.join(' ')} ${url} || ${curl.join(' ')} ${url} || exit 1`;
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
