/**
 * What to do next for a task, and whether it ends: pure functions of what the engine knows and of
 * what was asked.
 * Owns the order (prepare, init containers one by one, containers) and what makes a task end; does
 * nothing itself.
 *
 * Invariant S1, as it shows here: only a container that was never started is started, and none once
 * the task ends.
 */
import type { TaskSpec } from '../../shared/api/task.ts';
import type { MemberView, TaskView } from './task-view.ts';

/** What is known of a task beyond what the engine tells. */
export interface Progress {
  /** All containers were created: one that is missing now was removed by somebody. */
  readonly prepared: boolean;
  readonly preparing: boolean;
  /** It can't be prepared as it is: a later attempt may do better. */
  readonly unpreparable: boolean;
  /** Set when the task was asked to end. */
  readonly stopGraceSeconds?: number;
}

export type Step =
  | { readonly type: 'wait' }
  | { readonly type: 'prepare' }
  | { readonly type: 'start'; readonly containers: readonly string[] }
  | { readonly type: 'end'; readonly containers: readonly string[] }
  | { readonly type: 'stopSandbox' }
  /**
   * Ended on request, or never begun: nobody will ask for its logs, so only its last state is kept.
   */
  | { readonly type: 'bury' };

export type Ending =
  'asked' | 'unpreparable' | 'sandboxLost' | 'initFailed' | 'essentialEnded' | 'allEnded';

const WAIT: Step = { type: 'wait' };

export function nextStep(task: TaskSpec, view: TaskView, progress: Progress): Step {
  const ending = endingOf(task, view, progress);
  if (ending === undefined) return stepTowardsRunning(task, view, progress);
  const running = [...view.members].filter(([, member]) => member.state.type === 'running');
  if (running.length > 0) return { type: 'end', containers: running.map(([name]) => name) };
  if (progress.preparing) return WAIT;
  if (ending === 'asked' || ending === 'unpreparable') return { type: 'bury' };
  return view.sandbox?.running ? { type: 'stopSandbox' } : WAIT;
}

/** Why the task is to end, or has; undefined while it should go on. */
export function endingOf(task: TaskSpec, view: TaskView, progress: Progress): Ending | undefined {
  const has = (name: string): MemberView['state'] | undefined => view.members.get(name)?.state;
  if (progress.stopGraceSeconds !== undefined) return 'asked';
  if (progress.unpreparable) return 'unpreparable';
  if (outlivedItsSandbox(view)) return 'sandboxLost';
  if (task.initContainers.some(({ name }) => failed(has(name)))) return 'initFailed';
  if (task.containers.some((one) => one.essential && ended(has(one.name)))) return 'essentialEnded';
  if (task.containers.every(({ name }) => ended(has(name)))) return 'allEnded';
  // Whatever is left of the task could not be started any more.
  if (view.sandbox?.everStarted ? !view.sandbox.running : progress.prepared) return 'sandboxLost';
  return undefined;
}

/** At a task's own end, the sandbox is the last to go. */
function outlivedItsSandbox({ sandbox, members }: TaskView): boolean {
  if (sandbox?.finishedAtMs === undefined) return false;
  const { finishedAtMs } = sandbox;
  return [...members.values()].some(
    ({ state }) =>
      state.type === 'running' || (state.type === 'ended' && state.finishedAtMs > finishedAtMs),
  );
}

/** Nothing of the task runs, and nothing will. */
export function hasEnded(task: TaskSpec, view: TaskView, progress: Progress): boolean {
  const runs = [...view.members.values()].some(({ state }) => state.type === 'running');
  return endingOf(task, view, progress) !== undefined && !runs && !progress.preparing;
}

export function initsAreDone(task: TaskSpec, view: TaskView): boolean {
  return task.initContainers.every(({ name }) => succeeded(view.members.get(name)?.state));
}

function stepTowardsRunning(task: TaskSpec, view: TaskView, progress: Progress): Step {
  if (progress.preparing) return WAIT;
  if (!progress.prepared) return { type: 'prepare' };
  const init = task.initContainers.find(({ name }) => !succeeded(view.members.get(name)?.state));
  const due = init ? [init] : task.containers;
  const fresh = due.filter(({ name }) => view.members.get(name)?.state.type === 'created');
  return fresh.length > 0 ? { type: 'start', containers: fresh.map(({ name }) => name) } : WAIT;
}

function ended(state: MemberView['state'] | undefined): boolean {
  return state?.type === 'ended';
}

function succeeded(state: MemberView['state'] | undefined): boolean {
  return state?.type === 'ended' && state.exitCode === 0 && state.startError === undefined;
}

function failed(state: MemberView['state'] | undefined): boolean {
  return ended(state) && !succeeded(state);
}
