/**
 * From what is known of a task to the `TaskState` that controllers read. Pure. Owns the words:
 * phases, waiting reasons and termination reasons, as kubectl users know them.
 */
import type {
  ContainerReport,
  ContainerSpec,
  TaskPhase,
  TaskSpec,
  TaskState,
  WaitingReason,
} from '../../shared/api/task.ts';
import type { ProbeStatus } from './probe-loop.ts';
import { endingOf, hasEnded, initsAreDone } from './task-plan.ts';
import type { Progress } from './task-plan.ts';
import type { MemberView, TaskView } from './task-view.ts';

/** Beyond it, an exit code says which signal ended the process. */
const SIGNAL_BASE = 128;
const MAX_SIGNAL = 64;

export interface Remarks {
  /** Why a container is not created yet. */
  readonly waiting: ReadonlyMap<string, { reason: WaitingReason; message: string }>;
  /** Why we ended a container, where it was not the task's end: a probe that failed. */
  readonly killed: ReadonlyMap<string, { reason: string; message: string }>;
  /** What the probes say of a running container. */
  readonly probed: (container: string) => ProbeStatus;
}

export function reportTask(
  task: TaskSpec,
  view: TaskView,
  progress: Progress,
  remarks: Remarks,
): Omit<TaskState, 'version'> {
  const initsDone = initsAreDone(task, view);
  const waits: WaitingReason =
    task.initContainers.length > 0 && !initsDone ? 'PodInitializing' : 'ContainerCreating';
  const report = (container: ContainerSpec, isInit: boolean): ContainerReport =>
    reportContainer(container, isInit, view.members.get(container.name), waits, remarks);
  return {
    id: task.id,
    podUid: task.podUid,
    attempt: task.attempt,
    namespace: task.namespace,
    podName: task.podName,
    nodeName: task.nodeName,
    phase: phaseOf(task, view, progress),
    ...(view.sandbox?.ip !== undefined && { ip: view.sandbox.ip }),
    initContainers: task.initContainers.map((container) => report(container, true)),
    containers: task.containers.map((container) => report(container, false)),
    ...(endingOf(task, view, progress) === 'sandboxLost' && {
      reason: 'SandboxLost',
      message: 'the Docker engine was restarted, or the task was ended outside Nullplane',
    }),
  };
}

function phaseOf(task: TaskSpec, view: TaskView, progress: Progress): TaskPhase {
  if (hasEnded(task, view, progress)) return 'stopped';
  if (endingOf(task, view, progress) !== undefined) return 'stopping';
  const runs = task.containers.some(({ name }) => view.members.get(name)?.state.type === 'running');
  return runs && initsAreDone(task, view) ? 'running' : 'pending';
}

function reportContainer(
  container: ContainerSpec,
  isInit: boolean,
  member: MemberView | undefined,
  waits: WaitingReason,
  remarks: Remarks,
): ContainerReport {
  const { name, image } = container;
  const identity = {
    name,
    image,
    ...(member && { imageId: member.imageId, containerId: `docker://${member.id}` }),
  };
  if (member?.state.type === 'running') {
    const { startedAtMs } = member.state;
    const probed = isInit ? { started: true, ready: false } : remarks.probed(name);
    return { ...identity, state: { type: 'running', startedAtMs }, ...probed };
  }
  if (member?.state.type === 'ended') {
    const state = terminatedState(member.state, remarks.killed.get(name));
    const ready = isInit && state.exitCode === 0;
    return { ...identity, state, started: false, ready };
  }
  const why = remarks.waiting.get(name) ?? { reason: waits };
  return { ...identity, state: { type: 'waiting', ...why }, started: false, ready: false };
}

function terminatedState(
  state: Extract<MemberView['state'], { type: 'ended' }>,
  killed: { reason: string; message: string } | undefined,
): Extract<ContainerReport['state'], { type: 'terminated' }> {
  const { exitCode, startedAtMs, finishedAtMs, startError } = state;
  const signal = exitCode - SIGNAL_BASE;
  const message = killed?.message ?? startError;
  return {
    type: 'terminated',
    exitCode,
    ...(signal > 0 && signal <= MAX_SIGNAL && { signal }),
    reason: killed?.reason ?? terminationReason(state),
    ...(message !== undefined && { message }),
    startedAtMs,
    finishedAtMs,
  };
}

function terminationReason(state: Extract<MemberView['state'], { type: 'ended' }>): string {
  if (state.startError !== undefined) return 'ContainerCannotRun';
  if (state.oomKilled && state.exitCode !== 0) return 'OOMKilled';
  return state.exitCode === 0 ? 'Completed' : 'Error';
}
