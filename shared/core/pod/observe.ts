/**
 * Observation: what a pod's status becomes when something is learned of its task. The health
 * handler, the executor and the sweep all fold what they learn through here, so that it does not
 * matter from whom, or how often, it comes.
 *
 * Invariants:
 *  O1 A state that is not newer than what was seen changes nothing (S7).
 *  O2 Observing is idempotent, and an observation that changes nothing but a version is none: no
 *     write follows it.
 *  O3 A terminal phase stays, whatever is learned later.
 */
import { sameJson } from '../../api/hash.ts';
import type { ContainerStatus, Pod, PodControl, PodStatus } from '../../api/kinds/pod.ts';
import { qosClassOf } from '../../api/qos.ts';
import { type ContainerReport, NO_CAPACITY_REASON, type TaskState } from '../../api/task.ts';
import { rfc3339 } from '../../api/time.ts';
import { isAnswered, mayHaveTask, runsAgain, statusesOf, withIntent } from './attempt.ts';
import { hasSucceeded, isNotYetStarted, lost, waiting, withReport } from './container-status.ts';
import { asOwnTask } from './batch.ts';
import { gpuAskOf } from './gpus.ts';
import { conditionsOf, phaseOf } from './phase.ts';
import { isTerminal } from './predicates.ts';

/** Why a launch failed, as the runtime port tells it by throwing. */
export interface LaunchFailure {
  /** `noCapacity`: not now. `rejected`: not as it is. */
  readonly kind: 'noCapacity' | 'rejected';
  readonly reason: string;
  readonly message: string;
}

/** The pod after this state of one of its tasks; undefined when there is nothing new in it. */
export function observeTask(pod: Pod, told: TaskState, nowMs: number): Pod | undefined {
  const task = asOwnTask(pod, told);
  if (!task || !isNews(pod, task)) return undefined;
  const { attempt } = pod.control ?? {};
  // A later attempt than the stored one: the store was restored from a backup. The task is there,
  // so it counts, and so does where it is: a pod without a node would be given another task.
  const base = task.attempt === attempt ? pod : bound(withIntent(pod, task.attempt, nowMs), task);
  const reported = withReports(base, task, nowMs);
  const control = controlAfter(base, task, nowMs);
  const next = concluded({ ...base, control, status: reported }, nowMs);
  if (base === pod || !lacksDevices(next)) return changed(pod, next);
  return changed(pod, failed(next, UNKNOWN_DEVICES, UNKNOWN_DEVICES_MESSAGE, nowMs));
}

/** As kubelet says it of a pod whose devices it can't tell after it was started anew. */
const UNKNOWN_DEVICES = 'UnexpectedAdmissionError';
const UNKNOWN_DEVICES_MESSAGE =
  'its task runs on parts of GPUs that the table, which was set back, does not know any more';

/** Its task runs on parts of devices that we gave it, and nobody knows which: others get them. */
function lacksDevices(pod: Pod): boolean {
  const ask = gpuAskOf(pod);
  if (!ask || ask.isIsolated || isTerminal(pod)) return false;
  return pod.control?.gpuDevices === undefined && ask.parts.some(({ kind }) => kind !== 'whole');
}

function bound(pod: Pod, { nodeName }: TaskState): Pod {
  return pod.spec.nodeName || !nodeName ? pod : { ...pod, spec: { ...pod.spec, nodeName } };
}

function isNews(pod: Pod, task: TaskState): boolean {
  if (task.podUid !== pod.metadata.uid) return false;
  const { attempt = 0, taskVersion = -1, taskStopped } = pod.control ?? {};
  // The end of a task is final. A runtime that was started anew tells of it again, by when the
  // containers may wait for the next attempt already: it must not count as another restart.
  if (task.attempt === attempt && taskStopped && task.phase === 'stopped') return false;
  return task.attempt > attempt || (task.attempt === attempt && task.version > taskVersion);
}

function controlAfter({ control: old, ...pod }: Pod, task: TaskState, nowMs: number): PodControl {
  const { taskStopped: _, refusedAtMs: _refused, unready: _u, failures, ...others } = old ?? {};
  const { noCapacity: _none, ...kept } = others;
  const stops = pod.metadata.deletionTimestamp !== undefined || isTerminal(pod);
  const unready = unreadyOf(task);
  const begun = task.containers.some(({ state }) => state.type !== 'waiting');
  return {
    ...kept,
    attempt: task.attempt,
    taskId: task.handle ?? (kept.attempt === task.attempt ? kept.taskId : undefined) ?? task.id,
    answeredAtMs: kept.answeredAtMs ?? nowMs,
    taskVersion: task.version,
    ...(failures && !begun ? { failures } : {}),
    ...(unready ? { unready } : {}),
    ...(task.phase === 'stopped' ? { taskStopped: true } : {}),
    ...(lackedCapacity(task) ? { noCapacity: true } : {}),
    ...(task.phase === 'stopping' && stops && !old?.stopAskedAtMs ? { stopAskedAtMs: nowMs } : {}),
  };
}

/** The task was taken on, and ended before it began: there was no room for it after all. */
export function lackedCapacity({ phase, reason, containers }: TaskState): boolean {
  const hasBegun = containers.some(({ state }) => state.type !== 'waiting');
  return phase === 'stopped' && reason === NO_CAPACITY_REASON && !hasBegun;
}

function unreadyOf({ containers }: TaskState): PodControl['unready'] {
  const whys = containers.flatMap(({ name, unready }) =>
    unready === undefined ? [] : [[name, unready] as const],
  );
  return whys.length > 0 ? Object.fromEntries(whys) : undefined;
}

function withReports(pod: Pod, task: TaskState, nowMs: number): PodStatus {
  const reports = [...task.initContainers, ...task.containers];
  const fold = (status: ContainerStatus) => {
    const report = reports.find(({ name }) => name === status.name);
    const next = report ? withReport(status, report) : status;
    return task.phase === 'stopped' ? atTheEnd(next, task, reports, nowMs) : next;
  };
  const status = withAllContainers(pod, nowMs);
  const { initContainerStatuses, containerStatuses } = status;
  return {
    ...status,
    ...(task.ip ? { podIP: task.ip, podIPs: [{ ip: task.ip }] } : {}),
    ...(task.hostIp ? { hostIP: task.hostIp, hostIPs: [{ ip: task.hostIp }] } : {}),
    ...(initContainerStatuses
      ? { initContainerStatuses: initContainerStatuses.map((s) => doneIsReady(fold(s))) }
      : {}),
    ...(containerStatuses ? { containerStatuses: containerStatuses.map(fold) } : {}),
  };
}

/** An init container is as ready as it gets once it has succeeded, and kubectl users see it so. */
function doneIsReady(status: ContainerStatus): ContainerStatus {
  return hasSucceeded(status) ? { ...status, ready: true } : status;
}

/**
 * A container that never began in a task that has ended, with no failed one before it, could not be
 * started.
 */
function atTheEnd(
  status: ContainerStatus,
  task: TaskState,
  reports: readonly ContainerReport[],
  nowMs: number,
): ContainerStatus {
  if (!isNotYetStarted(status) || reports.some(explainsTheEnd)) return status;
  const message = task.message ?? task.reason ?? 'the task ended before the container started';
  return waiting(status, { reason: 'CreateContainerError', message }, nowMs);
}

function explainsTheEnd({ state }: ContainerReport): boolean {
  if (state.type === 'terminated') return state.exitCode !== 0;
  return (
    state.type === 'waiting' && !['ContainerCreating', 'PodInitializing'].includes(state.reason)
  );
}

/** The status with an entry for each container, and the facts that hold from the start. */
function withAllContainers(pod: Pod, nowMs: number): PodStatus {
  const { initContainers = [], containers } = pod.spec;
  const { initContainerStatuses, containerStatuses, startTime, qosClass } = pod.status;
  return {
    ...pod.status,
    startTime: startTime ?? rfc3339(nowMs),
    qosClass: qosClass ?? qosClassOf(pod.spec),
    containerStatuses: statusesOf(pod, containers, containerStatuses),
    ...(initContainers.length > 0
      ? { initContainerStatuses: statusesOf(pod, initContainers, initContainerStatuses) }
      : {}),
  };
}

/** Phase and conditions made to agree with the rest of the status. */
function concluded(pod: Pod, nowMs: number): Pod {
  const phase = phaseOf(pod, pod.control?.taskStopped === true);
  const phased = { ...pod, status: { ...pod.status, phase } };
  return { ...phased, status: { ...phased.status, conditions: conditionsOf(phased, nowMs) } };
}

/** The next state, unless it says nothing new (O2). A version alone is not news. */
function changed(pod: Pod, next: Pod): Pod | undefined {
  const { taskVersion: _old, ...before } = pod.control ?? {};
  const { taskVersion: _new, ...after } = next.control ?? {};
  return sameJson(before, after) && sameJson(pod.status, next.status) ? undefined : next;
}

/**
 * The pod after its launch was refused; undefined when that is not news. Nothing runs of this
 * question; what was rejected would be so for everybody, room may be found by another (A3).
 */
export function observeLaunchFailure(
  pod: Pod,
  attempt: number,
  failure: LaunchFailure,
  nowMs: number,
): Pod | undefined {
  if (pod.control?.attempt !== attempt || !mayHaveTask(pod) || isAnswered(pod)) return undefined;
  const reason = failure.kind === 'rejected' ? rejection(failure.reason) : undefined;
  const message =
    failure.kind === 'rejected' ? failure.message : `${failure.reason}: ${failure.message}`;
  const status = withEach(pod, nowMs, (container) =>
    waiting(
      container,
      { reason: reason ?? container.state?.waiting?.reason ?? 'ContainerCreating', message },
      nowMs,
    ),
  );
  const asked =
    failure.kind === 'noCapacity' ? { refusedAtMs: nowMs, noCapacity: true as const } : {};
  const control = { ...pod.control, taskStopped: true, ...asked };
  return changed(pod, concluded({ ...pod, control, status }, nowMs));
}

/** What users know a rejection by; the runtime may say it more exactly. */
function rejection(reason: string): string {
  const known = ['CreateContainerConfigError', 'InvalidImageName', 'ErrImagePull'];
  return known.includes(reason) ? reason : 'CreateContainerError';
}

/**
 * The pod after a look-up that found no task of this attempt; undefined when that is not news. The
 * attempt is spent: it never began, or it ended so long ago that the runtime forgot it. What ran
 * has been lost.
 */
export function observeMissing(pod: Pod, attempt: number, nowMs: number): Pod | undefined {
  if (pod.control?.attempt !== attempt || !mayHaveTask(pod)) return undefined;
  const status = withEach(pod, nowMs, (container) =>
    container.state?.running
      ? {
          ...container,
          state: { terminated: lost(container, nowMs) },
          ready: false,
          started: false,
        }
      : container,
  );
  const control = { ...pod.control, taskStopped: true };
  return changed(pod, concluded({ ...pod, control, status }, nowMs));
}

/** The pod while it can't start for want of what it refers to; undefined when that is not news. */
export function observeWant(
  pod: Pod,
  want: {
    readonly waitsFor: readonly string[];
    /** By container: what its variables lack. */
    readonly containers: { readonly [name: string]: string };
    /** What a volume lacks: it keeps all containers from being created. */
    readonly volume?: string;
  },
  nowMs: number,
): Pod | undefined {
  const status = withEach(pod, nowMs, (container) => {
    if (want.volume !== undefined) {
      return waiting(container, { reason: waitingFor(container), message: want.volume }, nowMs);
    }
    const message = want.containers[container.name];
    if (message === undefined) return container;
    return waiting(container, { reason: 'CreateContainerConfigError', message }, nowMs);
  });
  const control = { ...pod.control, waitsFor: want.waitsFor };
  return changed(pod, concluded({ ...pod, control, status }, nowMs));
}

function waitingFor({ state }: ContainerStatus): string {
  const reason = state?.waiting?.reason;
  return reason === undefined || reason === 'CreateContainerConfigError'
    ? 'ContainerCreating'
    : reason;
}

/** The pod as failed for good, as a whole: its deadline has passed, or its node is lost. */
export function failed(pod: Pod, reason: string, message: string, nowMs: number): Pod {
  const status: PodStatus = { ...pod.status, phase: 'Failed', reason, message };
  return concluded({ ...pod, status }, nowMs);
}

/** The status with every container that takes part in the attempt changed so. */
function withEach(
  pod: Pod,
  nowMs: number,
  change: (status: ContainerStatus) => ContainerStatus,
): PodStatus {
  const status = withAllContainers(pod, nowMs);
  const { initContainerStatuses, containerStatuses = [] } = status;
  return {
    ...status,
    ...(initContainerStatuses ? { initContainerStatuses: initContainerStatuses.map(change) } : {}),
    containerStatuses: containerStatuses.map((s) => (runsAgain(pod, s) ? change(s) : s)),
  };
}
