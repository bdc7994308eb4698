import { describe, expect, it } from 'vitest';
import {
  type EcsContainer,
  type EcsTask,
  taskStateOf,
  VERSION_STEP,
} from '../../../adapters/aws/ecs/task-state.ts';
import type { TaskState } from '../../../shared/api/task.ts';
import { POD_UID } from './tasks.ts';

const CREATED_MS = Date.parse('2030-01-01T00:00:00Z');
const WHY: unknown = expect.any(String);
const NOW_MS = CREATED_MS + 90_000;

function ecsTask(given: Partial<EcsTask> = {}): EcsTask {
  return {
    version: 3,
    lastStatus: 'RUNNING',
    startedBy: `${POD_UID}-2`,
    group: 'pod:default/web-1@fargate',
    createdAt: new Date(CREATED_MS),
    startedAt: new Date(CREATED_MS + 30_000),
    containers: [running('app')],
    ...given,
  };
}

function running(name: string, given: Partial<EcsContainer> = {}): EcsContainer {
  return { name, image: 'app:1', lastStatus: 'RUNNING', runtimeId: 'r', ...given };
}

function stopped(name: string, given: Partial<EcsContainer> = {}): EcsContainer {
  return { name, image: 'app:1', lastStatus: 'STOPPED', ...given };
}

function describedState(given: Partial<EcsTask>): TaskState {
  return state(given, NOW_MS);
}

function state(given: Partial<EcsTask>, describedAtMs?: number): TaskState {
  const found = taskStateOf(ecsTask(given), describedAtMs);
  if (!found) throw new Error('it was taken for none of ours');
  return found;
}

describe('a task of ECS', () => {
  it('is the same out of a description and out of an event', () => {
    const event = JSON.parse(JSON.stringify(ecsTask())) as EcsTask;
    expect(taskStateOf(event)).toEqual(taskStateOf(ecsTask(), NOW_MS));
  });

  it('has the address of its interface', () => {
    const details = [
      { name: 'subnetId', value: 's' },
      { name: 'privateIPv4Address', value: '10.0.0.9' },
    ];
    expect(state({ attachments: [{ details }] }).ip).toBe('10.0.0.9');
    const networkInterfaces = [{ privateIpv4Address: '10.0.0.8' }];
    expect(state({ containers: [running('app', { networkInterfaces })] }).ip).toBe('10.0.0.8');
  });

  it('tells init containers from others, and shows no helpers', () => {
    const { initContainers, containers } = state({
      containers: [
        running('app_live'),
        running('app_readiness'),
        stopped('nullplane_files', { exitCode: 0 }),
        running('nullplane_end'),
        stopped('setup_init', { exitCode: 0 }),
        running('not_ours'),
      ],
    });
    expect(initContainers.map(({ name, ready }) => [name, ready])).toEqual([['setup', true]]);
    expect(containers.map(({ name }) => name)).toEqual(['app']);
  });

  it('waits for its init containers as kubectl shows it', () => {
    const initialising = state({
      lastStatus: 'PENDING',
      startedAt: undefined,
      containers: [running('one_init'), { name: 'app', lastStatus: 'PENDING' }],
    });
    expect(initialising.phase).toBe('pending');
    expect(initialising.containers[0]?.state).toEqual({
      type: 'waiting',
      reason: 'PodInitializing',
    });
    expect(initialising.initContainers[0]?.state.type).toBe('running');
  });

  it.each<[string, Partial<EcsTask>, string | undefined]>([
    ['a code', { stopCode: 'EssentialContainerExited' }, 'EssentialContainerExited'],
    ['Spot', { stopCode: 'SpotInterruption' }, 'SpotInterruption'],
    ['a code of tomorrow', { stopCode: 'SomethingNew' }, 'SomethingNew'],
    [
      'a lost machine',
      { stopCode: 'TerminationNotice', stoppedReason: 'Host EC2 (instance i-1) terminated.' },
      'NodeLost',
    ],
    [
      'memory',
      { containers: [stopped('app', { exitCode: 137, reason: 'OutOfMemoryError: killed' })] },
      'OOMKilled',
    ],
    ['nothing', {}, undefined],
  ])('says why it ended: %s', (_name, given, reason) => {
    expect(state({ lastStatus: 'STOPPED', ...given }).reason).toBe(reason);
  });
});

describe('the end of a container', () => {
  it.each<[string, Partial<EcsContainer>, Partial<EcsTask>, object]>([
    ['success', { exitCode: 0 }, {}, { type: 'terminated', exitCode: 0, reason: 'Completed' }],
    ['failure', { exitCode: 3 }, {}, { type: 'terminated', exitCode: 3, reason: 'Error' }],
    ['a signal', { exitCode: 143 }, {}, { exitCode: 143, signal: 15 }],
    [
      'memory',
      { exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' },
      {},
      { exitCode: 137, reason: 'OOMKilled' },
    ],
    [
      'no image',
      { reason: 'CannotPullContainerError: pull access denied' },
      {},
      { type: 'waiting', reason: 'ErrImagePull' },
    ],
    [
      'no image, said of the task',
      {},
      { stoppedReason: 'CannotPullContainerError: not found', startedAt: undefined },
      { type: 'waiting', reason: 'ErrImagePull' },
    ],
    [
      'no such name',
      { reason: 'CannotPullContainerError: invalid reference format' },
      {},
      { type: 'waiting', reason: 'InvalidImageName' },
    ],
    [
      'no secret',
      {},
      { stoppedReason: 'ResourceInitializationError: unable to pull secrets' },
      { type: 'waiting', reason: 'CreateContainerConfigError' },
    ],
    [
      'no program',
      { reason: 'CannotStartContainerError: exec: "x": not found' },
      {},
      { type: 'terminated', exitCode: 128, reason: 'ContainerCannotRun' },
    ],
    [
      'a lost machine',
      {},
      { stoppedReason: 'Host EC2 (instance i-1) terminated.' },
      { type: 'terminated', exitCode: 137, reason: 'ContainerStatusUnknown' },
    ],
    ['never begun', {}, { startedAt: undefined }, { type: 'waiting', reason: 'ContainerCreating' }],
  ])('%s', (_name, container, task, expected) => {
    const containers = [stopped('app', container)];
    const { containers: reports } = state({ lastStatus: 'STOPPED', ...task, containers });
    expect(reports[0]?.state).toMatchObject(expected);
    expect(reports[0]).toMatchObject({ ready: false, started: false });
  });

  it('of a task that has ended is one, whatever is said of the container', () => {
    const { containers } = state({ lastStatus: 'STOPPED', containers: [running('app')] });
    expect(containers[0]?.state.type).toBe('terminated');
  });

  it('is none for those that were to run after an init container that failed', () => {
    const reason = 'CannotStartContainerError: dependency graph: failed to resolve ordering';
    const { initContainers, containers } = state({
      lastStatus: 'STOPPED',
      startedAt: undefined,
      containers: [
        stopped('one_init', { exitCode: 9, runtimeId: 'r' }),
        stopped('two_init', { exitCode: 143, reason }),
        stopped('app', { exitCode: 143, reason }),
      ],
    });
    expect(initContainers.map(({ state: { type } }) => type)).toEqual(['terminated', 'waiting']);
    expect(containers[0]?.state).toEqual({ type: 'waiting', reason: 'PodInitializing' });
  });

  it('has its times from the task', () => {
    const { containers } = state({
      lastStatus: 'STOPPED',
      executionStoppedAt: '2030-01-01T00:01:00Z',
      stoppedAt: '2030-01-01T00:02:00Z',
      containers: [stopped('app', { exitCode: 0 })],
    });
    expect(containers[0]?.state).toMatchObject({
      startedAtMs: CREATED_MS + 30_000,
      finishedAtMs: CREATED_MS + 60_000,
    });
  });

  it('keeps texts within what a health message may hold', () => {
    const reason = `CannotPullContainerError: ${'x'.repeat(10_000)}`;
    const { containers } = state({
      lastStatus: 'STOPPED',
      containers: [stopped('app', { reason })],
    });
    const found = containers[0]?.state;
    expect(found?.type === 'waiting' && found.message?.length).toBe(4096);
  });
});

describe('the health of a container', () => {
  const report = (containers: EcsContainer[], describedAtMs?: number) =>
    state({ containers }, describedAtMs).containers[0];

  it.each<[string, string | undefined, object]>([
    ['app', 'UNKNOWN', { ready: true }],
    ['app_live', 'UNKNOWN', { ready: true }],
    ['app_live', 'HEALTHY', { ready: true }],
    ['app_live', 'UNHEALTHY', { ready: true, unhealthy: WHY }],
    ['app_ready', 'UNKNOWN', { ready: false }],
    ['app_ready', 'HEALTHY', { ready: true }],
    ['app_ready', 'UNHEALTHY', { ready: false, unready: WHY }],
    ['app_live_ready', 'UNKNOWN', { ready: false }],
    ['app_live_ready', 'HEALTHY', { ready: true }],
    ['app_live_ready', 'UNHEALTHY', { ready: false, unready: WHY, unhealthy: WHY }],
  ])('%s that is %s', (name, healthStatus, expected) => {
    const found = report([running(name, { healthStatus })], NOW_MS);
    const { ready, unready, unhealthy } = found ?? {};
    const seen = { ready, ...(unready && { unready }), ...(unhealthy && { unhealthy }) };
    expect(seen).toEqual(expected);
  });

  it('is also what a container beside it found out', () => {
    const containers = (readiness: string) => [
      running('app_live', { healthStatus: 'HEALTHY' }),
      running('app_readiness', { healthStatus: readiness }),
    ];
    expect(report(containers('HEALTHY'), NOW_MS)).toMatchObject({ ready: true });
    const failing = report(containers('UNHEALTHY'), NOW_MS);
    expect(failing).toMatchObject({ ready: false, unready: WHY });
    expect(failing).not.toHaveProperty('unhealthy');
    const dead = [
      running('app_ready', { healthStatus: 'HEALTHY' }),
      running('app_liveness', { healthStatus: 'UNHEALTHY' }),
    ];
    expect(report(dead, NOW_MS)).toMatchObject({
      ready: true,
      unhealthy: WHY,
    });
  });

  it('is both at once, where one helper asks for both', () => {
    const probed = (healthStatus: string) =>
      report([running('app'), running('app_probes', { healthStatus })], NOW_MS);
    expect(probed('UNKNOWN')).toMatchObject({ ready: false });
    expect(probed('HEALTHY')).toMatchObject({ ready: true });
    expect(probed('UNHEALTHY')).toMatchObject({ ready: false, unready: WHY, unhealthy: WHY });
  });

  it('is open in an event', () => {
    const health = { healthStatus: 'UNHEALTHY' };
    expect(report([running('app_live_ready', health)])).toMatchObject({ healthUnknown: true });
    expect(report([running('app_live_ready', health)])).not.toHaveProperty('unhealthy');
    expect(report([running('app', health)])).not.toHaveProperty('healthUnknown');
  });
});

describe('versions', () => {
  const checked = { containers: [running('app_ready', { healthStatus: 'HEALTHY' })] };

  it('grow from description to description, where health may have changed in between', () => {
    const [event, first, later] = [undefined, NOW_MS, NOW_MS + 15_000].map(
      (ms) => state(checked, ms).version,
    );
    expect([event, first, later]).toEqual([0, 91, 106].map((s) => 3 * VERSION_STEP + s));
    expect(state({ ...checked, version: 4 }).version).toBeGreaterThan(later ?? 0);
  });

  it('are ECS’s own where nothing is checked, and at the end', () => {
    expect(describedState({}).version).toBe(3 * VERSION_STEP);
    expect(describedState({ ...checked, lastStatus: 'STOPPED' }).version).toBe(3 * VERSION_STEP);
  });

  it('stay in order for as long as a task may live', () => {
    const endMs = CREATED_MS + 100 * 365 * 86_400_000;
    expect(state(checked, endMs).version).toBeLessThan(4 * VERSION_STEP);
    expect(state(checked, CREATED_MS - 5_000).version).toBe(3 * VERSION_STEP + 1);
  });
});
