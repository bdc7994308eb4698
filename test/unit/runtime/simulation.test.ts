import { describe, expect, it } from 'vitest';
import { SIMULATE_ANNOTATION, type TaskRules } from '../../../adapters/memory/simulated-rules.ts';
import { SimulatedRuntime } from '../../../adapters/memory/simulated-runtime.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { HealthMessage, TaskState } from '../../../shared/api/task.ts';
import { NoCapacity, TaskRejected } from '../../../shared/ports/runtime.ts';
import { container, taskSpec } from '../../contract/runtime.contract.ts';

function makeWorld(given: Partial<ConstructorParameters<typeof SimulatedRuntime>[0]> = {}) {
  const clock = new StepClock();
  const told: HealthMessage[] = [];
  const runtime = new SimulatedRuntime({ clock, emit: (message) => told.push(message), ...given });
  return { clock, told, runtime };
}

function task(rules: TaskRules | string = {}, podUid = 'a') {
  const text = typeof rules === 'string' ? rules : JSON.stringify(rules);
  return taskSpec({ podUid, annotations: { [SIMULATE_ANNOTATION]: text } });
}

const phases = (told: readonly HealthMessage[]) =>
  told.flatMap((m) => (m.type === 'task' ? m.task.phase : m.type === 'node' ? m.status : []));

async function stateOf(runtime: SimulatedRuntime, id: string): Promise<TaskState | undefined> {
  return (await runtime.describe([id]))[0];
}

describe('a simulated task', () => {
  it('runs at once, and costs neither a message nor a timer', async () => {
    const { runtime, clock, told } = makeWorld();
    for (let i = 0; i < 10_000; i++) {
      expect((await runtime.run(task({}, `pod${i}`))).phase).toBe('running');
    }
    expect(told).toEqual([]);
    expect(clock.nextTimerMs()).toBeUndefined();
  });

  it('gives each task an address of its own', async () => {
    const { runtime } = makeWorld();
    const states = await Promise.all(
      Array.from({ length: 300 }, (_, i) => runtime.run(task({}, `pod${i}`))),
    );
    expect(new Set(states.map(({ ip }) => ip)).size).toBe(300);
    expect(states[0]?.ip).toBe('10.64.0.1');
  });

  it('pulls, starts, becomes ready and unready, and runs out of memory by its rules', async () => {
    const { runtime, clock, told } = makeWorld();
    const rules = { pullDelayMs: 100, startDelayMs: 100, readyDelayMs: 100, unreadyAfterMs: 300 };
    await runtime.run(task({ ...rules, oomAfterMs: 500 }));
    await clock.advance(1000);
    const course = told.flatMap((m) => (m.type === 'task' ? [m.task] : []));
    expect(course.map(({ phase, containers }) => [phase, containers[0]?.ready])).toEqual([
      ['running', false],
      ['running', true],
      ['running', false],
      ['stopped', false],
    ]);
    expect(course.at(-1)?.containers[0]?.state).toMatchObject({
      exitCode: 137,
      reason: 'OOMKilled',
    });
    expect(clock.nextTimerMs()).toBeUndefined();
  });

  it('is as its rules say up to an attempt, and well after it', async () => {
    const { runtime } = makeWorld();
    const spec = task({ exitCode: 1, untilAttempt: 1 });
    expect((await runtime.run(spec)).phase).toBe('stopped');
    expect((await runtime.run({ ...spec, id: 'a-2', attempt: 2 })).phase).toBe('running');
  });

  it.each([
    ['{', 'is not JSON'],
    ['[]', 'the rules must be an object'],
    ['{"exitcode":1}', 'has no rule exitcode'],
    ['{"exitCode":-1}', 'exitCode must be a number from 0 to 255'],
    ['{"containers":{"app":{"startDelayMs":"1"}}}', 'containers.app.startDelayMs must be a whole'],
    ['{"toString":1}', 'has no rule toString'],
  ])('is rejected with a clear message when its rules are %s', async (rules, message) => {
    const { runtime } = makeWorld();
    const run = runtime.run(task(rules));
    await expect(run).rejects.toThrow(TaskRejected);
    await expect(run).rejects.toThrow(message);
  });

  it('ends when it is killed, with the exit code that was asked for', async () => {
    const { runtime, told } = makeWorld();
    await runtime.run(task());
    runtime.killTask('a-1', 137);
    expect(phases(told)).toEqual(['stopped']);
    expect(await runtime.list()).toEqual([]);
  });

  it('follows its log until it ends', async () => {
    const { runtime, clock } = makeWorld();
    await runtime.run(task({ startDelayMs: 500, exitCode: 0, exitAfterMs: 500, lines: ['hello'] }));
    const { signal } = new AbortController();
    const read = async () => {
      let text = '';
      const options = { follow: true, timestamps: false, signal };
      for await (const chunk of runtime.logs('a-1', 'app', options)) {
        text += new TextDecoder().decode(chunk);
      }
      return text;
    };
    const reading = read();
    await clock.advance(2000);
    expect(await reading).toBe('hello\n');
  });

  it('takes no commands, and says what does', async () => {
    const { runtime } = makeWorld();
    await runtime.run(task());
    await expect(runtime.exec('a-1')).rejects.toThrow('--runtime=docker');
  });
});

describe('a simulated node', () => {
  it('refuses what it has no room for, until there is', async () => {
    const { runtime } = makeWorld({ capacity: () => ({ cpuMillis: 1000, gpus: 1 }) });
    const large = (podUid: string) =>
      taskSpec({ podUid, containers: [container('app', { cpuMillisRequest: 600, gpus: 1 })] });
    await runtime.run(large('a'));
    await expect(runtime.run(large('b'))).rejects.toThrow(NoCapacity);
    await runtime.stop('a-1', 0);
    expect((await runtime.run(large('b'))).phase).toBe('running');
  });

  it('that is cut off tells nothing and hears nothing until it is back', async () => {
    const { runtime, clock, told } = makeWorld();
    await runtime.run(task({ exitCode: 1, exitAfterMs: 1000 }));
    await runtime.run(task({}, 'b'));
    runtime.disconnectNode('node-1');
    await clock.advance(2000);
    await runtime.stop('b-1', 0);
    expect((await stateOf(runtime, 'a-1'))?.phase).toBe('running');
    expect([...(await runtime.list())].sort()).toEqual(['a-1', 'b-1']);
    await expect(runtime.run(task({}, 'c'))).rejects.toThrow(NoCapacity);
    expect(phases(told)).toEqual(['disconnected']);

    runtime.reconnectNode('node-1');
    expect(phases(told)).toEqual(['disconnected', 'connected', 'stopped', 'stopped']);
    expect(await runtime.list()).toEqual([]);
  });

  it('that is terminated takes its tasks with it', async () => {
    const { runtime, told } = makeWorld();
    await runtime.run(task());
    runtime.terminateNode('node-1');
    expect(phases(told)).toEqual(['gone', 'stopped']);
    expect((await stateOf(runtime, 'a-1'))?.reason).toBe('NodeLost');
  });
});

describe('tasks that ended long ago', () => {
  it('are forgotten after an hour, and still never run again', async () => {
    const { runtime, clock } = makeWorld();
    await runtime.run(task({ exitCode: 0 }));
    await clock.advance(3_700_000);
    await runtime.run(task({ exitCode: 0 }, 'b'));
    expect(await stateOf(runtime, 'a-1')).toBeUndefined();
    expect((await runtime.run(task())).phase).toBe('stopped');
    expect(await runtime.list()).toEqual([]);
  });
});
