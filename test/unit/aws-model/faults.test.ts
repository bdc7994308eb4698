/** Faults by order, how events are delivered, and the record of calls. */
import { ExecuteCommandCommand, ListTasksCommand } from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../aws/model/faults.ts';
import { PERFECT_DELIVERY } from '../../aws/model/settings.ts';
import { Agenda } from '../../world/agenda.ts';
import { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import { AwsModel } from '../../aws/model/model.ts';
import { realTimers, timersOnAgenda } from '../../aws/model/timers.ts';
import { Bench, CLUSTER, container, onFargate, the } from './support.ts';

async function withFault(fault: Fault) {
  const bench = new Bench();
  const definition = await bench.define();
  bench.model.faults.add({ operation: 'RunTask', ...fault });
  const call = bench.run(definition).then(
    (answer) => answer,
    (error: Error) => error,
  );
  await bench.pass(10_000);
  return { bench, result: await call, tasks: bench.model.ecs.world.tasks.size };
}

describe('faults', () => {
  it.each([
    ['throttle', 'ThrottlingException', 0],
    ['error-before', 'ServerException', 0],
    ['error-after', 'ServerException', 1],
    ['timeout-before', 'TimeoutError', 0],
    ['timeout-after', 'TimeoutError', 1],
  ] as const)('%s: %s, and %i tasks', async (kind, name, launched) => {
    const { result, tasks } = await withFault({ kind });
    expect(result).toMatchObject({ name });
    expect(tasks).toBe(launched);
  });

  it('delay an answer', async () => {
    const bench = new Bench();
    bench.model.faults.add({ kind: 'delay', ms: 3_000 });
    let answered = false;
    const call = bench.define().then(() => (answered = true));
    await bench.pass(2_999);
    expect(answered).toBe(false);
    await bench.pass(1);
    await call;
  });

  it('take a part of an answer', async () => {
    const { result, tasks } = await withFault({ kind: 'partial' });
    expect(result).toMatchObject({
      tasks: [],
      failures: [{ reason: expect.any(String) as string }],
    });
    expect(tasks).toBe(0);
  });

  it('end after so many times', async () => {
    const bench = new Bench();
    bench.model.faults.add({ kind: 'throttle', times: 2 });
    await expect(bench.define()).rejects.toThrow('Rate exceeded');
    await expect(bench.define()).rejects.toThrow('Rate exceeded');
    await bench.define();
  });

  it('are the same for the same seed', async () => {
    const run = async () => {
      const bench = new Bench();
      const definition = await bench.define();
      bench.model.faults.add({ kind: 'throttle', probability: 0.3, operation: 'RunTask' });
      for (let i = 0; i < 30; i++) await bench.run(definition).catch(() => {});
      return bench.model.calls.list.map(({ outcome }) => outcome);
    };
    const first = await run();
    expect(first).toContain('ThrottlingException');
    expect(await run()).toEqual(first);
  });
});

describe('the record of calls', () => {
  it('has each with its time and outcome', async () => {
    const bench = new Bench();
    const startMs = bench.clock.nowMs();
    await bench.run('none').catch(() => {});
    await bench.pass(100);
    await bench.ecs.send(new ListTasksCommand({ cluster: CLUSTER }));
    expect(bench.model.calls.list).toEqual([
      { operation: 'RunTask', atMs: startMs, outcome: 'ClientException' },
      { operation: 'ListTasks', atMs: startMs + 100, outcome: 'ok' },
    ]);
    expect(bench.model.calls.counts).toEqual({ RunTask: 1, ListTasks: 1 });
  });

  it('names an operation that is not modelled', async () => {
    const command = new ExecuteCommandCommand({
      cluster: CLUSTER,
      task: 'a',
      command: 'ls',
      interactive: true,
    });
    await expect(new Bench().ecs.send(command)).rejects.toThrow('Not modelled: ExecuteCommand');
  });
});

describe('delivery of events', () => {
  const run = async (delivery: object) => {
    const bench = new Bench({ delivery: { ...PERFECT_DELIVERY, ...delivery } });
    const task = await bench.start(container('app', { exitCode: 0 }));
    await bench.pass(60_000);
    expect((await bench.describe(task)).lastStatus).toBe('STOPPED');
    return bench.events.map(({ detail }) => Number(detail.version));
  };

  it('is perfect unless it is told otherwise', async () => {
    const versions = await run({});
    expect(versions).toEqual(versions.map((_, i) => i + 1));
  });

  it('doubles, loses, and lets later events overtake', async () => {
    const sorted = (versions: number[]) => [...versions].sort((a, b) => a - b);
    const perfect = await run({});
    expect(await run({ doubled: 1 })).toHaveLength(2 * perfect.length);
    expect(await run({ lost: 1 })).toEqual([]);
    const late = await run({ late: 0.5, lateMs: [1_000, 20_000] });
    expect(late).not.toEqual(sorted(late));
    expect(sorted(late)).toEqual(perfect);
  });
});

describe('clocks', () => {
  it('can be the agenda of the world', async () => {
    const agenda = new Agenda();
    const random = new SeededRandom(1);
    const model = new AwsModel({ timers: timersOnAgenda(agenda), random });
    model.perform('ecs', 'RegisterTaskDefinition', {
      family: 'a',
      networkMode: 'awsvpc',
      cpu: '256',
      memory: '512',
      containerDefinitions: [{ name: 'app', image: 'a' }],
    });
    const outcome = model.perform('ecs', 'RunTask', onFargate('a'));
    expect(outcome.type).toBe('answer');
    await agenda.runUntil(agenda.nowMs + 60_000);
    expect(the([...model.ecs.world.tasks.values()]).lastStatus).toBe('RUNNING');
    expect(agenda.size).toBe(0); // a task that runs is silent
  });

  it('can be the wall', async () => {
    const timers = realTimers();
    const beforeMs = timers.nowMs();
    const ended = new Promise<void>((resolve) => timers.in(5, resolve));
    const alive = setInterval(() => {}, 1_000); // the model's timers keep no process alive
    await ended;
    clearInterval(alive);
    expect(timers.nowMs()).toBeGreaterThanOrEqual(beforeMs);
  });
});
