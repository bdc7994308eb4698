import { describe, expect, it } from 'vitest';
import { endingOf, hasEnded, nextStep } from '../../../adapters/docker/task-plan.ts';
import type { Progress } from '../../../adapters/docker/task-plan.ts';
import type { MemberView, TaskView } from '../../../adapters/docker/task-view.ts';
import { container, taskSpec } from '../../contract/runtime.contract.ts';

const CREATED: MemberView['state'] = { type: 'created' };
const RUNNING: MemberView['state'] = { type: 'running', startedAtMs: 1 };
const ended = (exitCode: number, finishedAtMs = 2): MemberView['state'] => ({
  type: 'ended',
  exitCode,
  oomKilled: false,
  startedAtMs: 1,
  finishedAtMs,
});
const PREPARED: Progress = { prepared: true, preparing: false, unpreparable: false };
const UP: TaskView['sandbox'] = { id: 's', everStarted: true, running: true };
const downAt = (finishedAtMs: number): TaskView['sandbox'] => ({
  ...{ id: 's', everStarted: true, running: false },
  finishedAtMs,
});

function view(
  states: { [name: string]: MemberView['state'] },
  sandbox: TaskView['sandbox'] = UP,
): TaskView {
  const members = Object.entries(states).map(([name, state]) => {
    return [name, { id: name, imageId: 'sha256:1', state }] as const;
  });
  return { ...(sandbox && { sandbox }), members: new Map(members) };
}

const task = taskSpec({
  initContainers: [container('first'), container('second')],
  containers: [container('app'), container('side', { essential: false })],
});

describe('the next step of a task', () => {
  const fresh = { first: CREATED, second: CREATED, app: CREATED, side: CREATED };
  const ready = { ...fresh, first: ended(0), second: ended(0) };
  it.each([
    ['prepares first', {}, { ...PREPARED, prepared: false }, { type: 'prepare' }],
    ['waits while preparing', {}, { ...PREPARED, prepared: false, preparing: true }, 'wait'],
    ['starts the first init container', fresh, PREPARED, { start: ['first'] }],
    ['waits for it', { ...fresh, first: RUNNING }, PREPARED, 'wait'],
    ['starts the second', { ...fresh, first: ended(0) }, PREPARED, { start: ['second'] }],
    ['starts the containers', ready, PREPARED, { start: ['app', 'side'] }],
    ['starts what is missing', { ...ready, app: RUNNING }, PREPARED, { start: ['side'] }],
    ['rests while all run', { ...ready, app: RUNNING, side: RUNNING }, PREPARED, 'wait'],
    ['goes on without what may end', { ...ready, app: RUNNING, side: ended(1) }, PREPARED, 'wait'],
    ['ends the rest', { ...ready, app: ended(0), side: RUNNING }, PREPARED, { end: ['side'] }],
    ['starts nothing after the end', { ...ready, app: ended(1) }, PREPARED, 'stopSandbox'],
    ['starts nothing after a failed init', { ...fresh, first: ended(9) }, PREPARED, 'stopSandbox'],
    ['buries what was asked to end', fresh, { ...PREPARED, stopGraceSeconds: 0 }, 'bury'],
    ['buries what can not begin', {}, { ...PREPARED, prepared: false, unpreparable: true }, 'bury'],
  ])('%s', (_name, states, progress, expected) => {
    const step = nextStep(task, view(states), progress);
    if (typeof expected === 'string') expect(step).toEqual({ type: expected });
    else if ('type' in expected) expect(step).toEqual(expected);
    else {
      const [[type, containers] = []] = Object.entries(expected);
      expect(step).toEqual({ type, containers });
    }
  });
});

describe('the end of a task', () => {
  const done = { first: ended(0), second: ended(0) };
  it.each([
    ['its own, when the sandbox ended last', { ...done, app: ended(0, 5) }, 6, 'essentialEnded'],
    ['the loss of the sandbox', { ...done, app: ended(143, 7) }, 6, 'sandboxLost'],
    ['the loss of the sandbox before a start', { ...done, app: CREATED }, 6, 'sandboxLost'],
  ])('is %s', (_name, states, sandboxEndMs, expected) => {
    const seen = view(states, downAt(sandboxEndMs));
    expect(endingOf(task, seen, PREPARED)).toBe(expected);
    expect(hasEnded(task, seen, PREPARED)).toBe(true);
  });

  it('is not there while a container runs or is being made', () => {
    const progress = { ...PREPARED, stopGraceSeconds: 1 };
    expect(hasEnded(task, view({ app: RUNNING }), progress)).toBe(false);
    expect(hasEnded(task, view({}), { ...progress, preparing: true })).toBe(false);
    expect(hasEnded(task, view({}), progress)).toBe(true);
  });
});
