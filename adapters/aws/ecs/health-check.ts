/**
 * Probes as health checks of ECS. ECS has one check a container, with one verdict; Kubernetes has
 * three probes with different consequences (docs/decisions/0007-ecs-tasks.md has the table).
 *
 *  - A command is asked for in the container. What goes over the network is asked by a helper
 *    beside it, which shares the network and has the tools that images need not have.
 *  - Liveness: unhealthy ends the task (by whoever polls: ECS does not). Readiness: healthy is
 *    ready. Both alike: one check with both consequences, and liveness's numbers.
 *  - Startup: its time is the start period of the check. A container that has one is ready once
 *    the check has passed; alone it counts as liveness.
 */
import type { HealthCheck } from '@aws-sdk/client-ecs';
import { canonicalJson } from '../../../shared/api/hash.ts';
import type { ContainerSpec, ProbeSpec } from '../../../shared/api/task.ts';
import { TaskRejected } from '../../../shared/ports/runtime.ts';
import { quoted } from './shell.ts';

/** What the verdict of a check decides. */
type Decides = 'live' | 'ready' | 'live_ready';

export interface Checks {
  /** In the container itself. */
  readonly own?: { readonly role: Decides; readonly check: HealthCheck };
  /** In helpers beside it. */
  readonly helpers: readonly {
    readonly role: 'liveness' | 'readiness' | 'probes';
    readonly check: HealthCheck;
  }[];
}

const HELPER_ROLES = { live: 'liveness', ready: 'readiness', live_ready: 'probes' } as const;

/** Throws `TaskRejected` for two different commands: a container has one check. */
export function checksOf({ name, probes }: ContainerSpec): Checks {
  const asked = questions(probes);
  const inside = asked.filter(({ probe }) => probe.action.type === 'exec');
  if (inside.length > 1) {
    throw new TaskRejected(
      'ProbesUnsupported',
      `container ${name}: ECS can't run a command for liveness and another one for readiness; ` +
        'one of the two has to be httpGet, tcpSocket or grpc',
    );
  }
  const check = (probe: ProbeSpec) => healthCheck(probe, probes.startup);
  const [own] = inside.map(({ decides, probe }) => ({ role: decides, check: check(probe) }));
  const helpers = asked
    .filter((question) => !inside.includes(question))
    .map(({ decides, probe }) => ({ role: HELPER_ROLES[decides], check: check(probe) }));
  return { ...(own ? { own } : {}), helpers };
}

interface Question {
  readonly decides: Decides;
  readonly probe: ProbeSpec;
}

function questions({ startup, ...given }: ContainerSpec['probes']): readonly Question[] {
  const liveness = given.liveness ?? (given.readiness ? undefined : startup);
  const readiness = given.readiness ?? (startup && liveness);
  if (liveness && readiness && sameAction(liveness, readiness)) {
    return [{ decides: 'live_ready', probe: liveness }];
  }
  return [
    ...(liveness ? [{ decides: 'live' as const, probe: liveness }] : []),
    ...(readiness ? [{ decides: 'ready' as const, probe: readiness }] : []),
  ];
}

function sameAction(a: ProbeSpec, b: ProbeSpec): boolean {
  return canonicalJson(a.action) === canonicalJson(b.action);
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
    case 'tcp':
      return ['CMD-SHELL', `${connectLine(action, timeoutSeconds)} || exit 1`];
    case 'grpc':
      return ['CMD-SHELL', grpcLine(action, timeoutSeconds)];
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

function connectLine(
  { host = LOCALHOST, port }: { readonly host?: string; readonly port: number },
  timeoutSeconds: number,
): string {
  const bash = quoted(`exec 3<>/dev/tcp/${host}/${port}`);
  return `nc -z -w ${timeoutSeconds} ${quoted(host)} ${port} || bash -c ${bash}`;
}

/** Without the tool in the helper's image it is only seen whether anybody listens. */
function grpcLine(
  { port, service }: Extract<ProbeSpec['action'], { type: 'grpc' }>,
  timeoutSeconds: number,
): string {
  const tool = 'grpc_health_probe';
  const asked = service === '' ? '' : ` ${quoted(`-service=${service}`)}`;
  const probe = `${tool} -addr=${LOCALHOST}:${port}${asked}`;
  const connect = connectLine({ port }, timeoutSeconds);
  return `if command -v ${tool}; then ${probe} || exit 1; else ${connect} || exit 1; fi`;
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
