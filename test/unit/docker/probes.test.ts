import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  countResult,
  hasFailed,
  NEVER_PROBED,
  takenUp,
} from '../../../adapters/docker/probe-count.ts';
import { askGrpcHealth } from '../../../adapters/docker/grpc-health.ts';
import { ProbeLoop } from '../../../adapters/docker/probe-loop.ts';
import type { ProbeResult } from '../../../adapters/docker/probe-loop.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { ProbeSpec } from '../../../shared/api/task.ts';
import { container } from '../../contract/runtime.contract.ts';

const probe = (given: Partial<ProbeSpec> = {}): ProbeSpec => ({
  action: { type: 'tcp', port: 80 },
  initialDelayMs: 0,
  periodMs: 1_000,
  timeoutMs: 500,
  successThreshold: 1,
  failureThreshold: 3,
  ...given,
});

describe('counting', () => {
  const counted = (spec: ProbeSpec, results: string): string =>
    [...results].reduce<{ count: typeof NEVER_PROBED; said: string }>(
      ({ count, said }, result) => {
        const next = countResult(spec, count, result === '+');
        return {
          count: next,
          said: said + (next.passes ? 'P' : hasFailed(spec, next) ? 'F' : '.'),
        };
      },
      { count: NEVER_PROBED, said: '' },
    ).said;

  it.each([
    [probe(), '+', 'P'],
    [probe(), '--+', '..P'],
    [probe(), '---', '..F'],
    [probe(), '+--+', 'PPPP'],
    [probe(), '+---', 'PPPF'],
    [probe({ successThreshold: 2 }), '+-++', '...P'],
  ])('follows the thresholds: %#', (spec, results, expected) => {
    expect(counted(spec, results)).toBe(expected);
  });

  it('believes the first success of what ran before', () => {
    const spec = probe({ successThreshold: 3 });
    expect(countResult(spec, takenUp(spec), true).passes).toBe(true);
    expect(countResult(spec, takenUp(spec), false).passes).toBe(false);
  });
});

const loopOf = (
  probes: Parameters<typeof container>[1],
  answers: { [port: number]: ProbeResult },
) => {
  const clock = new StepClock();
  const told: string[] = [];
  const loop: ProbeLoop = new ProbeLoop(container('app', probes), clock.nowMs(), false, {
    clock,
    ask: async ({ action }) => ('port' in action ? answers[action.port] : undefined),
    changed: () => void told.push(JSON.stringify(loop.status)),
    failed: (kind, why) => void told.push(`${kind}: ${why}`),
  });
  return { clock, told, loop };
};
const on = (port: number, given: Partial<ProbeSpec> = {}): ProbeSpec =>
  probe({ action: { type: 'tcp', port }, ...given });

describe('the probes of a container', () => {
  it('needs none to be started and ready', () => {
    expect(loopOf({}, {}).loop.status).toEqual({ started: true, ready: true });
  });

  it('asks for readiness only after the startup probe has passed', async () => {
    const answers: { [port: number]: ProbeResult } = { 1: 'not yet' };
    const { clock, told, loop } = loopOf({ probes: { startup: on(1), readiness: on(2) } }, answers);
    await clock.advance(1_500);
    expect(told).toEqual([]);
    answers[1] = undefined;
    await clock.advance(1_000);
    expect(told).toEqual(['{"started":true,"ready":false}', '{"started":true,"ready":true}']);
    loop.stop();
  });

  it('ends the container after as many failures as the threshold says', async () => {
    const { clock, told } = loopOf({ probes: { liveness: on(1) } }, { 1: 'broken' });
    await clock.advance(1_500);
    expect(told).toEqual([]);
    await clock.advance(5_000);
    expect(told).toEqual(['liveness: broken']);
  });

  it('tells of readiness only when it changes', async () => {
    const answers: { [port: number]: ProbeResult } = {};
    const { clock, told, loop } = loopOf({ probes: { readiness: on(1) } }, answers);
    await clock.advance(5_000);
    answers[1] = 'away';
    await clock.advance(5_000);
    expect(told).toHaveLength(2);
    expect(loop.status).toEqual({ started: true, ready: false, unready: 'away' });
    loop.stop();
  });
});

describe('why a container is not ready', () => {
  it('is told once, when the readiness probe has failed as often as it may', async () => {
    const answers: { [port: number]: ProbeResult } = { 1: 'refused' };
    const { clock, told, loop } = loopOf({ probes: { readiness: on(1) } }, answers);
    await clock.advance(1_500);
    expect(told).toEqual([]);
    await clock.advance(10_000);
    answers[1] = 'refused, in other words';
    await clock.advance(10_000);
    expect(told).toEqual(['{"started":true,"ready":false,"unready":"refused"}']);
    answers[1] = undefined;
    await clock.advance(5_000);
    expect(loop.status).toEqual({ started: true, ready: true });
    loop.stop();
  });
});

describe('a gRPC health check', () => {
  it.each([
    [1, '0', undefined],
    [2, '0', 'service is not serving: status 2'],
    [0, '5', 'health check answered with gRPC status 5'],
  ])('of status %i and gRPC status %s', async (status, grpcStatus, expected) => {
    const server = createServer();
    server.on('stream', (stream, headers) => {
      expect(headers[':path']).toBe('/grpc.health.v1.Health/Check');
      stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': grpcStatus }));
      stream.end(status === 0 ? Buffer.alloc(0) : Buffer.from([0, 0, 0, 0, 2, 8, status]));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { signal } = new AbortController();
    expect(await askGrpcHealth('127.0.0.1', port, 'web', signal)).toBe(expected);
    server.close();
  });
});
