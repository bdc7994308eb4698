/**
 * The status of one container: what kubectl shows of it, folded out of what the runtime reports.
 *
 * A task restarts as a whole, so that each of its containers is a new one in each attempt and each
 * counts a restart when it begins again, also one that was only stopped because its neighbour
 * crashed. A pull or launch that failed is no restart: nothing ran. An attempt begins with every
 * container that is to run in `waiting` (`awaitingStart`); that is how the first sign of life in an
 * attempt is told from later ones.
 */
import type { Container } from '../../api/kinds/container.ts';
import type { ContainerState, ContainerStatus } from '../../api/kinds/pod.ts';
import type { ContainerReport } from '../../api/task.ts';
import { rfc3339 } from '../../api/time.ts';

type Terminated = NonNullable<ContainerState['terminated']>;

/** The exit code of a process that was killed: 128 and the number of SIGKILL. */
export const KILLED_EXIT_CODE = 137;

const NOT_YET = new Set(['ContainerCreating', 'PodInitializing']);
const LAUNCH_FAILURES = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'CreateContainerError',
  'CreateContainerConfigError',
]);

/** The status of a container that has not been heard of. */
export function unheardOf(container: Container, reason: string): ContainerStatus {
  return {
    name: container.name,
    state: { waiting: { reason } },
    ready: false,
    started: false,
    restartCount: 0,
    image: container.image ?? '',
    imageID: '',
  };
}

/** The status after this report of the same attempt. */
export function withReport(old: ContainerStatus, report: ContainerReport): ContainerStatus {
  const state = publicState(report);
  const begins = old.state?.waiting !== undefined && state.waiting === undefined;
  const { containerID: oldId, imageID: oldImage, ...kept } = old;
  const id = report.containerId ?? oldId;
  return {
    ...kept,
    state: keepsBackOff(old, state) ? (old.state ?? state) : state,
    ...probed(old, report),
    restartCount: old.restartCount + (begins && old.lastState?.terminated ? 1 : 0),
    image: report.image || old.image,
    imageID: report.imageId ?? oldImage,
    ...(id === undefined ? {} : { containerID: id }),
  };
}

/** What the probes say; what they said last, where the report is silent on them. */
function probed(old: ContainerStatus, report: ContainerReport) {
  const runs = report.state.type === 'running';
  const known = report.healthUnknown && old.state?.running ? old : report;
  return { ready: runs && known.ready, started: runs && known.started === true };
}

/**
 * Until something new is known, a container in back-off is shown as such, attempt after attempt.
 */
function keepsBackOff(old: ContainerStatus, next: ContainerState): boolean {
  if (!next.waiting || !NOT_YET.has(next.waiting.reason ?? '')) return false;
  return old.state?.waiting !== undefined && !NOT_YET.has(old.state.waiting.reason ?? '');
}

function publicState({ state, containerId }: ContainerReport): ContainerState {
  switch (state.type) {
    case 'waiting': {
      const { reason, message } = state;
      return { waiting: { reason, ...(message === undefined ? {} : { message }) } };
    }
    case 'running':
      return { running: { startedAt: rfc3339(state.startedAtMs) } };
    case 'terminated':
      return {
        terminated: {
          exitCode: state.exitCode,
          ...(state.signal === undefined ? {} : { signal: state.signal }),
          reason: state.reason,
          ...(state.message === undefined ? {} : { message: state.message }),
          startedAt: rfc3339(state.startedAtMs),
          finishedAt: rfc3339(state.finishedAtMs),
          ...(containerId === undefined ? {} : { containerID: containerId }),
        },
      };
  }
}

/**
 * The status of a container that is to run in a new attempt; what it was becomes its last state.
 */
export function awaitingStart(status: ContainerStatus, reason: string, nowMs: number) {
  if (status.state?.waiting) return status;
  return waiting(status, { reason }, nowMs);
}

/**
 * The status of a container that waits for something; a run that has ended becomes its last state.
 */
export function waiting(
  status: ContainerStatus,
  why: { readonly reason: string; readonly message?: string },
  nowMs: number,
): ContainerStatus {
  const ended = status.state?.running ? lost(status, nowMs) : status.state?.terminated;
  return {
    ...status,
    state: { waiting: why },
    ...(ended ? { lastState: { terminated: ended } } : {}),
    ready: false,
    started: false,
  };
}

/** How a container ended of which nothing more can be learned. */
export function lost({ state, containerID }: ContainerStatus, nowMs: number): Terminated {
  return {
    exitCode: KILLED_EXIT_CODE,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
    ...(state?.running?.startedAt ? { startedAt: state.running.startedAt } : {}),
    finishedAt: rfc3339(nowMs),
    ...(containerID === undefined ? {} : { containerID }),
  };
}

export function hasSucceeded({ state }: ContainerStatus): boolean {
  return state?.terminated?.exitCode === 0;
}

export function hasFailed({ state }: ContainerStatus): boolean {
  return state?.terminated !== undefined && state.terminated.exitCode !== 0;
}

/** The container could not begin: no image, no configuration, or the runtime would not have it. */
export function couldNotStart({ state }: ContainerStatus): boolean {
  return LAUNCH_FAILURES.has(state?.waiting?.reason ?? '');
}

/** The container is on its way, as far as is known. */
export function isNotYetStarted({ state }: ContainerStatus): boolean {
  return state?.waiting !== undefined && NOT_YET.has(state.waiting.reason ?? '');
}
