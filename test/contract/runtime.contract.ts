/**
 * What every task runtime must do (ports/runtime.ts), as cases that run on each adapter. A case
 * says what its containers do as a `Behaviour`; the adapter's harness turns it into an image and a
 * command, or into a rule of the simulation, so that the cases know nothing of either.
 */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ContainerSpec,
  type HealthMessage,
  taskIdOf,
  type TaskSpec,
  type TaskState,
} from '../../shared/api/task.ts';
import { NoSuchTask, type TaskRuntime } from '../../shared/ports/runtime.ts';

/** What a container does once it runs. Without an exit code it runs until it is stopped. */
export interface Behaviour {
  /** Printed at the start, a line each. */
  readonly output?: readonly string[];
  /** Variables that are printed at the start, after the output: `NAME=value`, a line each. */
  readonly printEnv?: readonly string[];
  readonly exitCode?: number;
  /** When it exits; at once when absent. Only with an exit code. */
  readonly exitAfterMs?: number;
  /** Only SIGKILL ends it. Otherwise SIGTERM does, within a second. */
  readonly ignoresTerm?: boolean;
  /** It has a readiness probe, which passes this long after the start. */
  readonly readyAfterMs?: number;
}

export interface RuntimeHarness {
  readonly runtime: TaskRuntime;
  /** What the runtime has told the health queue so far. */
  readonly messages: readonly HealthMessage[];
  /** Health is asked for, never told. */
  readonly isPolled?: boolean;
  /** A node that tasks can run on. */
  readonly nodeName: string;
  /** An image that can't be pulled. */
  readonly missingImage: string;
  /**
   * The task, with its containers made to behave so. Images that a case has set itself are left
   * alone.
   */
  adapt(task: TaskSpec, behaviours: Behaviours): TaskSpec;
  /** Lets time pass: of the virtual clock, or of the wall. */
  pass(ms: number): Promise<void>;
  /**
   * Ends this runtime and makes another one over the same world, as a restart of the process does.
   */
  restart(): Promise<TaskRuntime>;
  /** Removes every trace of the tasks that were run. */
  close(): Promise<void>;
}

export interface Behaviours {
  readonly [container: string]: Behaviour;
}

export interface RuntimeContract {
  readonly name: string;
  make(): Promise<RuntimeHarness> | RuntimeHarness;
  /** A reason to skip the whole suite; printed, so that nobody takes a skip for a pass. */
  readonly skip?: string;
}

const STEP_MS = 100;
/** Thirty seconds: a container engine under load takes some of them to start and to stop. */
const MAX_STEPS = 300;

/** Placed by `container` where the harness is to choose the image. */
const ANY_IMAGE = '';

export function container(name: string, given: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    name,
    image: ANY_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    essential: true,
    env: [],
    ports: [],
    cpuMillisRequest: 10,
    cpuMillisLimit: 0,
    memoryBytesLimit: 0,
    gpus: 0,
    mounts: [],
    readOnlyRootFilesystem: false,
    capabilitiesAdd: [],
    capabilitiesDrop: [],
    noNewPrivileges: false,
    runAsNonRoot: false,
    tty: false,
    stdin: false,
    probes: {},
    ...given,
  };
}

export function taskSpec(given: Partial<TaskSpec> = {}): TaskSpec {
  const podUid = given.podUid ?? randomUUID();
  const attempt = given.attempt ?? 1;
  return {
    id: taskIdOf(podUid, attempt),
    podUid,
    attempt,
    namespace: 'default',
    podName: 'web-1',
    nodeName: 'node-1',
    hostname: 'web-1',
    labels: { app: 'web' },
    annotations: {},
    initContainers: [],
    containers: [container('app')],
    volumes: [],
    hostAliases: [],
    ...given,
  };
}

export function runtimeContract(contract: RuntimeContract): void {
  const { name, skip } = contract;
  if (skip !== undefined) {
    describe.skip(`${name} runtime: skipped, ${skip}`, () => it('keeps the contract', () => {}));
    return;
  }
  describe(`${name} runtime`, () => {
    let harness: RuntimeHarness;
    beforeEach(async () => {
      harness = await contract.make();
    });
    afterEach(() => harness.close());
    const world = () => new World(harness);
    identityCases(world);
    endingCases(world);
    stopCases(world);
    startCases(world);
    outputCases(world);
  });
}

/** A harness and the steps that the cases share. */
class World {
  readonly harness: RuntimeHarness;
  runtime: TaskRuntime;

  constructor(harness: RuntimeHarness) {
    this.harness = harness;
    this.runtime = harness.runtime;
  }

  task(behaviours: Behaviours = {}, given: Partial<TaskSpec> = {}): TaskSpec {
    const { nodeName } = this.harness;
    return this.harness.adapt(taskSpec({ nodeName, ...given }), behaviours);
  }

  async state(id: string): Promise<TaskState> {
    const [state] = await this.runtime.describe([id]);
    if (!state) throw new Error(`task ${id} is not known`);
    return state;
  }

  /** The first state that is so. Fails with the last one seen. */
  async until(id: string, isSo: (state: TaskState) => boolean): Promise<TaskState> {
    for (let step = 0; step < MAX_STEPS; step++) {
      const state = await this.state(id);
      if (isSo(state)) return state;
      await this.harness.pass(STEP_MS);
    }
    throw new Error(`did not come about; last seen: ${JSON.stringify(await this.state(id))}`);
  }

  running(id: string): Promise<TaskState> {
    return this.until(id, ({ phase }) => phase === 'running');
  }

  stopped(id: string): Promise<TaskState> {
    return this.until(id, ({ phase }) => phase === 'stopped');
  }

  async start(behaviours: Behaviours = {}, given: Partial<TaskSpec> = {}): Promise<TaskSpec> {
    const task = this.task(behaviours, given);
    await this.runtime.run(task);
    await this.running(task.id);
    return task;
  }

  async logs(id: string, name = 'app', options: { tailLines?: number } = {}): Promise<string[]> {
    const { signal } = new AbortController();
    const decoder = new TextDecoder();
    let text = '';
    const stream = this.runtime.logs(id, name, {
      follow: false,
      timestamps: false,
      signal,
      ...options,
    });
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
    return text.split('\n').filter((line) => line !== '');
  }
}

type MakeWorld = () => World;

function stateOf(task: TaskState, name = 'app') {
  const report = [...task.initContainers, ...task.containers].find((c) => c.name === name);
  if (!report) throw new Error(`no report of container ${name}`);
  return report.state;
}

function exitCodeOf(task: TaskState, name = 'app'): number | undefined {
  const state = stateOf(task, name);
  return state.type === 'terminated' ? state.exitCode : undefined;
}

function identityCases(world: MakeWorld): void {
  it('says whose task it is', async () => {
    const w = world();
    const task = await w.start();
    const { id, podUid, attempt, namespace, podName, nodeName } = task;
    const same = { id, podUid, attempt, namespace, podName, nodeName };
    expect(await w.state(id)).toMatchObject(same);
  });

  it('runs a task once however often it is asked to', async () => {
    const w = world();
    const task = await w.start();
    const first = await w.state(task.id);
    const again = await w.runtime.run(task);
    expect(again.containers[0]?.containerId).toBe(first.containers[0]?.containerId);
    expect(await w.runtime.list()).toEqual([task.id]);
  });

  it('runs a task once when it is asked twice at the same time', async () => {
    const w = world();
    const task = w.task();
    await Promise.all([w.runtime.run(task), w.runtime.run(task)]);
    await w.running(task.id);
    expect(await w.runtime.list()).toEqual([task.id]);
  });

  it('never starts an ended task again', async () => {
    const w = world();
    const task = w.task({ app: { exitCode: 0 } });
    await w.runtime.run(task);
    await w.stopped(task.id);
    expect((await w.runtime.run(task)).phase).toBe('stopped');
    expect(await w.runtime.list()).toEqual([]);
  });

  it('takes the next attempt of a pod for another task', async () => {
    const w = world();
    const first = w.task({ app: { exitCode: 1 } });
    await w.runtime.run(first);
    await w.stopped(first.id);
    const second = w.task({}, { podUid: first.podUid, attempt: 2 });
    await w.runtime.run(second);
    await w.running(second.id);
    expect(await w.runtime.list()).toEqual([second.id]);
  });

  it('leaves unknown tasks out of what it describes, and leaves them alone', async () => {
    const w = world();
    const task = await w.start();
    const unknown = taskIdOf(randomUUID(), 1);
    await w.runtime.stop(unknown, 0);
    const states = await w.runtime.describe([unknown, task.id]);
    expect(states.map(({ id }) => id)).toEqual([task.id]);
  });

  it('knows its tasks after a restart, and starts none of them twice', async () => {
    const w = world();
    const running = await w.start();
    const ended = w.task({ app: { exitCode: 3 } });
    await w.runtime.run(ended);
    await w.stopped(ended.id);
    const before = await w.state(running.id);

    w.runtime = await w.harness.restart();

    expect(await w.runtime.list()).toEqual([running.id]);
    const again = await w.runtime.run(running);
    expect(again.containers[0]?.containerId).toBe(before.containers[0]?.containerId);
    expect(exitCodeOf(await w.runtime.run(ended))).toBe(3);
    expect(await w.runtime.list()).toEqual([running.id]);
  });
}

function endingCases(world: MakeWorld): void {
  it.each([0, 1, 42])('reports exit code %i', async (exitCode) => {
    const w = world();
    const task = w.task({ app: { exitCode, exitAfterMs: 200 } });
    await w.runtime.run(task);
    const ended = await w.stopped(task.id);
    expect(stateOf(ended)).toMatchObject({
      type: 'terminated',
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
    });
    expect(ended.containers[0]).toMatchObject({ ready: false });
  });

  it('tells of the end, under versions that grow', async () => {
    const w = world();
    const task = w.task({ app: { exitCode: 1, exitAfterMs: 200 } });
    const answered = await w.runtime.run(task);
    const ended = await w.stopped(task.id);
    const told = w.harness.messages.flatMap((m) => (m.type === 'task' ? [m.task] : []));
    const versions = told.filter(({ id }) => id === task.id).map(({ version }) => version);
    expect(told.at(-1)).toEqual(ended);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    expect(versions.at(-1)).toBeGreaterThan(answered.version);
  });

  it('ends the task when an essential container ends', async () => {
    const w = world();
    const task = w.task(
      { app: { exitCode: 7, exitAfterMs: 200 } },
      { containers: [container('app'), container('side', { essential: false })] },
    );
    await w.runtime.run(task);
    const ended = await w.stopped(task.id);
    expect(exitCodeOf(ended)).toBe(7);
    expect(stateOf(ended, 'side').type).toBe('terminated');
  });

  it('ends a task without essential containers when all have ended', async () => {
    const w = world();
    const task = w.task(
      { app: { exitCode: 0 }, slow: { exitCode: 5, exitAfterMs: 1000 } },
      {
        containers: [
          container('app', { essential: false }),
          container('slow', { essential: false }),
        ],
      },
    );
    await w.runtime.run(task);
    const half = await w.until(task.id, (state) => exitCodeOf(state) === 0);
    expect(half.phase).toBe('running');
    const ended = await w.stopped(task.id);
    expect([exitCodeOf(ended), exitCodeOf(ended, 'slow')]).toEqual([0, 5]);
  });
}

function stopCases(world: MakeWorld): void {
  it('stops a task that ends on SIGTERM before its grace is over', async () => {
    const w = world();
    const task = await w.start();
    await w.runtime.stop(task.id, 600);
    const ended = await w.stopped(task.id);
    expect(exitCodeOf(ended)).not.toBe(137);
    expect(await w.runtime.list()).toEqual([]);
  });

  it('kills a task that ignores SIGTERM once its grace is over', async () => {
    const w = world();
    const task = await w.start({ app: { ignoresTerm: true } });
    await w.runtime.stop(task.id, 1);
    const ended = await w.stopped(task.id);
    expect(exitCodeOf(ended)).toBe(137);
  });

  it('lists a task until it has ended', async () => {
    const w = world();
    const task = await w.start({ app: { ignoresTerm: true } });
    await w.runtime.stop(task.id, 600);
    expect(await w.runtime.list()).toEqual([task.id]);
    await w.runtime.stop(task.id, 0);
    await w.stopped(task.id);
    expect(await w.runtime.list()).toEqual([]);
  });

  it('takes a second stop, and one after the end', async () => {
    const w = world();
    const task = await w.start();
    await w.runtime.stop(task.id, 5);
    await w.runtime.stop(task.id, 5);
    const ended = await w.stopped(task.id);
    await w.runtime.stop(task.id, 5);
    expect(await w.state(task.id)).toEqual(ended);
  });

  it('never starts again what was stopped', async () => {
    const w = world();
    const task = await w.start();
    await w.runtime.stop(task.id, 5);
    await w.stopped(task.id);
    expect((await w.runtime.run(task)).phase).toBe('stopped');
  });
}

function startCases(world: MakeWorld): void {
  it('runs init containers one after the other, and then the containers', async () => {
    const w = world();
    const task = w.task(
      { first: { exitCode: 0, exitAfterMs: 1200 }, second: { exitCode: 0, exitAfterMs: 1200 } },
      { initContainers: [container('first'), container('second')] },
    );
    await w.runtime.run(task);
    const initialising = await w.until(task.id, (s) => stateOf(s, 'second').type === 'running');
    expect(exitCodeOf(initialising, 'first')).toBe(0);
    expect(initialising.phase).toBe('pending');
    expect(stateOf(initialising)).toMatchObject({ type: 'waiting', reason: 'PodInitializing' });
    const started = await w.running(task.id);
    expect(exitCodeOf(started, 'second')).toBe(0);
    expect(stateOf(started).type).toBe('running');
  });

  it('ends the task when an init container fails', async () => {
    const w = world();
    const task = w.task(
      { first: { exitCode: 9 } },
      { initContainers: [container('first'), container('second')] },
    );
    await w.runtime.run(task);
    const ended = await w.stopped(task.id);
    expect(exitCodeOf(ended, 'first')).toBe(9);
    expect(stateOf(ended, 'second').type).toBe('waiting');
    expect(stateOf(ended).type).toBe('waiting');
  });

  it('ends a task whose image cannot be pulled, and says so', async () => {
    const w = world();
    const image = w.harness.missingImage;
    const task = w.task({}, { containers: [container('app', { image })] });
    await w.runtime.run(task);
    const ended = await w.stopped(task.id);
    const state = stateOf(ended);
    expect(state).toMatchObject({ type: 'waiting', reason: 'ErrImagePull' });
    expect(state.type === 'waiting' && state.message).toMatch(/\S/); // events name the image
    expect(await w.runtime.list()).toEqual([]);
  });

  it('says that a container without probes is started and ready as soon as it runs', async () => {
    const w = world();
    const task = await w.start();
    expect((await w.state(task.id)).containers[0]).toMatchObject({ started: true, ready: true });
  });

  it('says that a container is ready once its readiness probe passes', async () => {
    const w = world();
    const task = await w.start({ app: { readyAfterMs: 2500 } });
    expect((await w.state(task.id)).containers[0]?.ready).toBe(false);
    const ready = await w.until(task.id, (state) => state.containers[0]?.ready === true);
    expect(ready.phase).toBe('running');
    if (w.harness.isPolled) return;
    const told = w.harness.messages.some((m) => m.type === 'task' && m.task.containers[0]?.ready);
    expect(told).toBe(true);
  });
}

function outputCases(world: MakeWorld): void {
  it('gives out the output of a container, after its end as well', async () => {
    const w = world();
    const task = w.task({ app: { output: ['one', 'two', 'three'], exitCode: 0 } });
    await w.runtime.run(task);
    await w.stopped(task.id);
    const lines = await w.logs(task.id);
    expect(lines.filter((line) => ['one', 'two', 'three'].includes(line))).toEqual([
      'one',
      'two',
      'three',
    ]);
    expect(await w.logs(task.id, 'app', { tailLines: 1 })).toEqual(lines.slice(-1));
  });

  it('keeps the output of two containers apart', async () => {
    const w = world();
    const task = await w.start(
      { app: { output: ['from app'] }, side: { output: ['from side'] } },
      { containers: [container('app'), container('side')] },
    );
    await w.harness.pass(STEP_MS);
    expect(await w.logs(task.id, 'side')).toContain('from side');
    expect(await w.logs(task.id, 'side')).not.toContain('from app');
  });

  it('sets the environment', async () => {
    const w = world();
    const env = [{ name: 'GREETING', value: 'hello $world; "quoted"' }];
    const task = w.task(
      { app: { printEnv: ['GREETING'], exitCode: 0 } },
      { containers: [container('app', { env })] },
    );
    await w.runtime.run(task);
    await w.stopped(task.id);
    expect(await w.logs(task.id)).toContain('GREETING=hello $world; "quoted"');
  });

  it('has no output of tasks or containers that it does not know', async () => {
    const w = world();
    const task = await w.start();
    await expect(w.logs(taskIdOf(randomUUID(), 1))).rejects.toThrow(NoSuchTask);
    await expect(w.logs(task.id, 'nobody')).rejects.toThrow(NoSuchTask);
  });
}
