import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GPU, GPU_MILLI, migResource } from '../../../shared/api/gpus.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { type ContainerReport, taskIdOf, type TaskState } from '../../../shared/api/task.ts';
import { rfc3339 } from '../../../shared/api/time.ts';
import { wellFormed } from '../../../shared/api/well-formed.ts';
import {
  observeLaunchFailure,
  observeMissing,
  observeTask,
} from '../../../shared/core/pod/observe.ts';
import { planPod } from '../../../shared/core/pod/plan.ts';
import { isTerminal } from '../../../shared/core/pod/predicates.ts';
import { makePod } from './pod-life.ts';

const NOW_MS = 1_893_456_000_000;

type Resources = { readonly [resource: string]: string };
type State = ContainerReport['state'];

const RUNNING: State = { type: 'running', startedAtMs: NOW_MS };
const WAITING: State = { type: 'waiting', reason: 'ContainerCreating' };
const ended = (exitCode: number): State => ({
  type: 'terminated',
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  startedAtMs: NOW_MS,
  finishedAtMs: NOW_MS + 1000,
});

function intended(attempt = 1): Pod {
  return { ...makePod(), control: { attempt, intentAtMs: NOW_MS } };
}

function task(version: number, state: State, given: Partial<TaskState> = {}): TaskState {
  const { uid, name, namespace = '' } = makePod().metadata;
  const isRunning = state.type === 'running';
  const phase = { waiting: 'pending', running: 'running', terminated: 'stopped' } as const;
  return {
    id: taskIdOf(uid, given.attempt ?? 1),
    podUid: uid,
    attempt: 1,
    namespace,
    podName: name,
    nodeName: 'node-1',
    version,
    phase: phase[state.type],
    initContainers: [],
    containers: [
      { name: 'app', image: 'registry.test/app:1', state, started: isRunning, ready: isRunning },
    ],
    ...given,
  };
}

/** The course of one task: what its runtime says of it, in order. */
const course = fc
  .tuple(fc.boolean(), fc.boolean(), fc.integer({ min: 0, max: 2 }), fc.boolean())
  .map(([slow, unready, exitCode, stops]): TaskState[] => {
    const states: [State, Partial<TaskState>][] = [[WAITING, {}]];
    if (slow) states.push([WAITING, { ip: '10.0.0.1' }]);
    states.push([RUNNING, { ip: '10.0.0.1' }]);
    if (unready) {
      const report = { ...task(0, RUNNING).containers[0], ready: false } as ContainerReport;
      states.push([RUNNING, { containers: [report] }]);
    }
    if (stops) states.push([RUNNING, { phase: 'stopping' }], [ended(exitCode), {}]);
    return states.map(([state, given], i) => task(i + 1, state, given));
  });

function observed(pod: Pod, task: TaskState): Pod {
  return observeTask(pod, task, NOW_MS) ?? pod;
}

describe('observing a task', () => {
  it('never goes back, and ends in the truth, however messages come', () => {
    const delivery = course.chain((states) =>
      fc.record({
        states: fc.constant(states),
        // Duplicated, reordered, dropped: any sequence out of what was said.
        told: fc.array(fc.nat({ max: states.length - 1 }), { maxLength: 12 }),
        policy: fc.constantFrom('Always', 'OnFailure', 'Never'),
      }),
    );
    fc.assert(
      fc.property(delivery, ({ states, told, policy }) => {
        const start = { ...intended(), spec: { ...makePod().spec, restartPolicy: policy } };
        let pod: Pod = start;
        for (const index of told) {
          const next = observed(pod, states[index] as TaskState);
          expect(next.control?.taskVersion ?? 0).toBeGreaterThanOrEqual(
            pod.control?.taskVersion ?? 0,
          );
          if (isTerminal(pod)) expect(next.status.phase).toBe(pod.status.phase);
          if (pod.control?.taskStopped) expect(next).toBe(pod);
          pod = next;
        }
        const last = states.at(-1) as TaskState;
        const swept = observed(pod, last);
        const direct = observed(start, last);
        expect(swept.status.phase).toBe(direct.status.phase);
        expect(swept.status.containerStatuses?.[0]?.state).toEqual(
          direct.status.containerStatuses?.[0]?.state,
        );
        expect(swept.status.containerStatuses?.[0]?.restartCount).toBe(0);
        expect(observeTask(swept, last, NOW_MS)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it('says nothing of a state that brings nothing but a version', () => {
    const pod = observed(intended(), task(2, RUNNING));
    expect(observeTask(pod, task(3, RUNNING), NOW_MS + 5000)).toBeUndefined();
  });

  it('counts the end of a task once, also when it is told again during the back-off', () => {
    const over = observed(intended(), task(2, ended(1)));
    const [status] = over.status.containerStatuses ?? [];
    const waits = { ...status, state: { waiting: { reason: 'CrashLoopBackOff' } } };
    const lastState = status?.state ?? {};
    const inBackOff = {
      ...over,
      status: { ...over.status, containerStatuses: [{ ...waits, lastState }] },
    } as Pod;
    expect(observeTask(inBackOff, task(9, ended(1)), NOW_MS)).toBeUndefined();
  });

  it('takes no notice of earlier attempts, and none of namesakes', () => {
    const pod = intended(2);
    expect(observeTask(pod, task(9, RUNNING), NOW_MS)).toBeUndefined();
    expect(observeTask(pod, task(9, RUNNING, { attempt: 2, podUid: 'other' }), NOW_MS)).toBe(
      undefined,
    );
  });

  it('adopts a later attempt than the stored one, as after a restore from a backup', () => {
    const pod = observed(intended(), task(2, RUNNING));
    const later = observed(pod, task(2, RUNNING, { attempt: 3 }));
    expect(later.control).toMatchObject({ attempt: 3, taskVersion: 2 });
    expect(later.status.containerStatuses?.[0]?.restartCount).toBe(1);
  });

  it.each<[string, Resources, Partial<Pod>, Pod['status']['phase']]>([
    ['parts of GPUs that nobody knows', { [GPU_MILLI]: '300' }, {}, 'Failed'],
    ['slices that nobody knows', { [migResource('1g.10gb')]: '1' }, {}, 'Failed'],
    ['whole devices', { [GPU]: '1' }, {}, 'Running'],
    ['no GPU', { cpu: '1' }, {}, 'Running'],
    [
      'parts that are known',
      { [GPU_MILLI]: '300' },
      { control: { gpuDevices: { app: ['0'] } } as Pod['control'] & object },
      'Running',
    ],
  ])('of a pod whose task it adopts: with %s', (_, limits, given, phase) => {
    const { control: _c, ...unbound } = intended();
    const [app] = unbound.spec.containers;
    const spec = { ...unbound.spec, containers: [{ ...app!, resources: { limits } }] };
    const adopted = observed({ ...unbound, spec, ...given }, task(2, RUNNING));
    expect(adopted.status.phase).toBe(phase);
    expect(adopted.status.reason).toBe(phase === 'Failed' ? 'UnexpectedAdmissionError' : undefined);
  });

  it('is on the node of the task that it adopts: it would be given another place', () => {
    const { control: _, ...unbound } = intended();
    const { nodeName: _n, ...spec } = unbound.spec;
    const adopted = observed({ ...unbound, spec }, task(2, RUNNING, { nodeName: 'n1' }));
    expect(adopted.spec.nodeName).toBe('n1');
    const bound = { ...unbound, spec: { ...spec, nodeName: 'n2' } };
    expect(observed(bound, task(2, RUNNING, { nodeName: 'n1' })).spec.nodeName).toBe('n2');
  });

  it('keeps transition times of conditions that did not change', () => {
    const pod = observed(intended(), task(1, WAITING));
    const before = pod.status.conditions?.find(({ type }) => type === 'PodScheduled');
    const later = observeTask(pod, task(2, RUNNING), NOW_MS + 60_000);
    expect(later?.status.conditions).toContainEqual(before);
  });

  it('remembers that a stop is under way only where one is wanted', () => {
    const running = observed(intended(), task(2, RUNNING));
    const stopping = task(3, RUNNING, { phase: 'stopping' });
    expect(observeTask(running, stopping, NOW_MS)).toBeUndefined();
    const deletionTimestamp = new Date(NOW_MS).toISOString();
    const deleted = { ...running, metadata: { ...running.metadata, deletionTimestamp } };
    expect(observeTask(deleted, stopping, NOW_MS)?.control?.stopAskedAtMs).toBe(NOW_MS);
  });

  it('says why a task ended before its containers began', () => {
    const state = task(2, WAITING, { phase: 'stopped', message: 'no address is left' });
    expect(observed(intended(), state).status.containerStatuses?.[0]?.state?.waiting).toEqual({
      reason: 'CreateContainerError',
      message: 'no address is left',
    });
  });
});

describe('what the runtime calls the task', () => {
  const stop = (pod: Pod) => planPod({ pod, node: 'ready' }, NOW_MS).stages.flat()[0];
  const leaving = (pod: Pod): Pod => ({
    ...pod,
    metadata: { ...pod.metadata, deletionTimestamp: rfc3339(NOW_MS + 30_000) },
  });

  it('is kept of this attempt, whoever tells of it without, and is what a stop names', () => {
    const told = observed(intended(), task(1, WAITING, { handle: 'abc' }));
    const running = observed(told, task(2, RUNNING));
    const { uid } = running.metadata;
    expect(stop(leaving(running))).toEqual({
      ...{ kind: 'stopTask', taskId: taskIdOf(uid, 1), graceSeconds: 30, handle: 'abc' },
    });
    const next = observed(running, task(3, RUNNING, { attempt: 2 }));
    expect(stop(leaving(next))).toEqual({
      ...{ kind: 'stopTask', taskId: taskIdOf(uid, 2), graceSeconds: 30 },
    });
  });
});

describe('learning that there is no task', () => {
  it('takes a container that ran for lost', () => {
    const pod = observed(intended(), task(2, RUNNING));
    const missing = observeMissing(pod, 1, NOW_MS);
    expect(missing?.control?.taskStopped).toBe(true);
    expect(missing?.status.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 137,
      reason: 'ContainerStatusUnknown',
    });
  });

  it('is news once', () => {
    const missing = observeMissing(intended(), 1, NOW_MS) as Pod;
    expect(observeMissing(missing, 1, NOW_MS)).toBeUndefined();
    expect(observeMissing(missing, 2, NOW_MS)).toBeUndefined();
  });
});

describe('a refused launch', () => {
  const failure = { kind: 'rejected', reason: 'CreateContainerError', message: 'no' } as const;

  it('does not undo what was learned of the task', () => {
    const pod = observed(intended(), task(2, RUNNING));
    expect(observeLaunchFailure(pod, 1, failure, NOW_MS)).toBeUndefined();
    expect(observeLaunchFailure(intended(2), 1, failure, NOW_MS)).toBeUndefined();
  });

  it('yields to the task, should there be one after all', () => {
    const refused = observeLaunchFailure(intended(), 1, failure, NOW_MS) as Pod;
    const pod = observed(refused, task(1, RUNNING));
    expect(pod.control?.taskStopped).toBeUndefined();
    expect(pod.status.phase).toBe('Running');
  });
});

describe('what became of a launch', () => {
  const leaving = (cpu: string): Pod => {
    const pod = intended();
    const [app] = pod.spec.containers;
    const spec = {
      ...pod.spec,
      nodeName: 'node-1',
      containers: [{ ...app!, resources: { requests: { cpu } } }],
    };
    const metadata = { ...pod.metadata, deletionTimestamp: rfc3339(NOW_MS) };
    return wellFormed('pods', { ...pod, metadata, spec });
  };

  it('waits for a launch that may be late, where it can ask for none', () => {
    const plan = planPod({ pod: leaving('abc'), node: 'ready' }, NOW_MS + 60_000);
    expect(plan).toMatchObject({ stages: [], againAfterMs: 60_000 });
  });

  it.each([
    ['1', 'runTask'],
    ['abc', 'lookUpTask'],
  ])('of a pod that is to go and asks for %s of a CPU is found out by %s', (cpu, kind) => {
    const later = NOW_MS + 120_000;
    const [action] = planPod({ pod: leaving(cpu), node: 'ready' }, later).stages.flat();
    expect(action).toMatchObject({ kind });
  });
});
