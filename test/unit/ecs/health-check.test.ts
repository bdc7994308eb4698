import { describe, expect, it } from 'vitest';
import { checksOf } from '../../../adapters/aws/ecs/health-check.ts';
import type { ContainerSpec, ProbeSpec } from '../../../shared/api/task.ts';
import { app, definitionOf } from './tasks.ts';

type Action = ProbeSpec['action'];

const http: Action = { type: 'http', scheme: 'HTTP', port: 8080, path: '/ok', headers: [] };
const tcp: Action = { type: 'tcp', port: 6379 };
const exec: Action = { type: 'exec', command: ['redis-cli', 'ping'] };
const grpc: Action = { type: 'grpc', port: 50_051, service: '' };

function probe(action: Action, given: Partial<ProbeSpec> = {}): ProbeSpec {
  return {
    ...{ action, initialDelayMs: 0, periodMs: 10_000, timeoutMs: 3_000 },
    ...{ successThreshold: 1, failureThreshold: 3 },
    ...given,
  };
}

const checkOf = (probes: ContainerSpec['probes']) => {
  const { own, helpers } = checks(probes);
  return own?.check ?? helpers[0]?.check;
};
const checks = (probes: ContainerSpec['probes']) => checksOf(app({ probes }));

describe('which probe becomes which health check', () => {
  const both = (action: Action) => ({ liveness: probe(action), readiness: probe(action) });

  it.each<[string, ContainerSpec['probes'], string | undefined, string[]]>([
    ['none', {}, undefined, []],
    ['liveness by command', { liveness: probe(exec) }, 'live', []],
    ['readiness by command', { readiness: probe(exec) }, 'ready', []],
    ['both, by one command', both(exec), 'live_ready', []],
    ['liveness over the network', { liveness: probe(http) }, undefined, ['liveness']],
    ['readiness over the network', { readiness: probe(grpc) }, undefined, ['readiness']],
    ['both, over the network', both(tcp), undefined, ['probes']],
    [
      'two, over the network',
      { liveness: probe(tcp), readiness: probe(http) },
      undefined,
      ['liveness', 'readiness'],
    ],
    [
      'a command and another',
      { liveness: probe(exec), readiness: probe(tcp) },
      'live',
      ['readiness'],
    ],
    [
      'another and a command',
      { liveness: probe(tcp), readiness: probe(exec) },
      'ready',
      ['liveness'],
    ],
    ['startup', { startup: probe(exec) }, 'live_ready', []],
    ['startup and liveness', { startup: probe(tcp), liveness: probe(exec) }, 'live_ready', []],
    ['startup and readiness', { startup: probe(tcp), readiness: probe(exec) }, 'ready', []],
  ])('%s', (_name, probes, own, helpers) => {
    const found = checks(probes);
    expect(found.own?.role).toBe(own);
    expect(found.helpers.map(({ role }) => role)).toEqual(helpers);
  });

  it('two different commands are refused', () => {
    const another = probe({ type: 'exec', command: ['another'] });
    expect(() => checks({ liveness: probe(exec), readiness: another })).toThrow(/one of the two/);
  });

  it('takes the numbers of liveness when both are alike', () => {
    const liveness = probe(http, { failureThreshold: 5, periodMs: 20_000 });
    const readiness = probe(http, { failureThreshold: 1 });
    expect(checkOf({ liveness, readiness })).toMatchObject({ retries: 5, interval: 20 });
  });

  it('puts a container beside it that asks in its place', () => {
    const containers = [app({ probes: { liveness: probe(exec), readiness: probe(http) } })];
    const [own, helper] = definitionOf({ containers }).containerDefinitions;
    expect(own).toMatchObject({ name: 'app_live', essential: true });
    expect(helper).toMatchObject({
      name: 'app_readiness',
      image: 'busybox:1.36',
      essential: false,
      dependsOn: [{ containerName: 'app_live', condition: 'START' }],
      healthCheck: { command: ['CMD-SHELL', expect.stringContaining('wget')] },
    });
  });
});

describe('commands of health checks', () => {
  const command = (action: Action) => checkOf({ liveness: probe(action) })?.command;

  it('run what exec probes run', () => {
    expect(command(exec)).toEqual(['CMD', 'redis-cli', 'ping']);
  });

  it('ask over HTTP with what there is', () => {
    expect(command(http)).toEqual([
      'CMD-SHELL',
      "wget -q -O /dev/null -T 3 'http://127.0.0.1:8080/ok' || " +
        "curl -f -s -L -o /dev/null -m 3 'http://127.0.0.1:8080/ok' || exit 1",
    ]);
  });

  it('pass headers on as they are, whatever they hold', () => {
    const headers = [{ name: 'X', value: "it's; $(reboot)" }];
    const [, line] = command({ ...http, scheme: 'HTTPS', headers }) ?? [];
    expect(line).toContain(`--no-check-certificate --header 'X: it'\\''s; $(reboot)'`);
    expect(line).toContain(`-k -H 'X: it'\\''s; $(reboot)'`);
  });

  it('connect', () => {
    expect(command(tcp)).toEqual([
      'CMD-SHELL',
      "nc -z -w 3 '127.0.0.1' 6379 || bash -c 'exec 3<>/dev/tcp/127.0.0.1/6379' || exit 1",
    ]);
  });

  it('ask over gRPC, or connect where the tool is missing', () => {
    const [, line = ''] = command({ ...grpc, service: 'a.B' }) ?? [];
    expect(line).toMatch(/^if command -v grpc_health_probe; then /);
    expect(line).toContain(
      "grpc_health_probe -addr=127.0.0.1:50051 '-service=a.B' || exit 1; else",
    );
    expect(line).toContain("nc -z -w 3 '127.0.0.1' 50051");
  });
});

describe('the numbers of health checks', () => {
  it.each<[Partial<ProbeSpec>, object]>([
    [{}, { interval: 10, timeout: 3, retries: 3, startPeriod: 0 }],
    [
      { periodMs: 1_000, timeoutMs: 1_000 },
      { interval: 5, timeout: 2 },
    ],
    [
      { periodMs: 900_000, timeoutMs: 900_000 },
      { interval: 300, timeout: 60 },
    ],
    [{ failureThreshold: 30 }, { retries: 10 }],
    [{ initialDelayMs: 15_500 }, { startPeriod: 16 }],
    [{ initialDelayMs: 900_000 }, { startPeriod: 300 }],
  ])('%j are %j', (given, expected) => {
    expect(checkOf({ liveness: probe(http, given) })).toMatchObject(expected);
  });

  it('give a startup probe its time', () => {
    const startup = probe(http, { initialDelayMs: 5_000, failureThreshold: 12 });
    expect(checkOf({ startup, liveness: probe(http) })).toMatchObject({ startPeriod: 125 });
  });
});
