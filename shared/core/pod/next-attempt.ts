/**
 * What follows the end of an attempt: the next one, at once or after a back-off (B3). The pod is
 * one that runs again; whether it does has been decided when its end was observed (phase.ts).
 */
import type { ContainerStatus, Pod, PodStatus } from '../../api/kinds/pod.ts';
import { parseTime } from '../../api/time.ts';
import {
  type Action,
  blocked,
  event,
  eventTarget,
  inOrder,
  NOTHING,
  type Plan,
  update,
} from '../plan.ts';
import { askedUntilMs, runsAgain, withIntent } from './attempt.ts';
import { crashDelayMs, durationText, launchDelayMs, LONG_RUN_MS } from './backoff.ts';
import { couldNotStart, waiting } from './container-status.ts';

export function planNextAttempt(pod: Pod, nowMs: number): Plan {
  const untilMs = pod.control?.backOffUntilMs;
  if (untilMs === undefined)
    return hasCrashed(pod) ? afterCrash(pod, nowMs) : afterFailure(pod, nowMs);
  if (untilMs <= nowMs) return launch(pod, nowMs);
  return { ...blocked('in back-off'), againAfterMs: untilMs - nowMs };
}

function launch(pod: Pod, nowMs: number): Plan {
  return inOrder(update('pods', withIntent(pod, (pod.control?.attempt ?? 0) + 1, nowMs)));
}

/** The containers ran and ended, rather than not having begun. */
function hasCrashed(pod: Pod): boolean {
  const statuses = all(pod.status);
  return (
    !statuses.some(couldNotStart) && statuses.some((s) => runsAgain(pod, s) && s.state?.terminated)
  );
}

function all({ initContainerStatuses = [], containerStatuses = [] }: PodStatus) {
  return [...initContainerStatuses, ...containerStatuses];
}

function afterCrash(pod: Pod, nowMs: number): Plan {
  const crashes = ranLong(pod) ? 1 : (pod.control?.crashes ?? 0) + 1;
  const delayMs = crashDelayMs(crashes);
  const counted = { ...pod, control: { ...pod.control, crashes } };
  if (delayMs === 0) return launch(counted, nowMs);
  return backOff(counted, delayMs, nowMs, (status) =>
    status.state?.terminated && runsAgain(pod, status)
      ? { reason: 'CrashLoopBackOff', message: crashMessage(pod, status.name, delayMs) }
      : undefined,
  );
}

function ranLong(pod: Pod): boolean {
  return all(pod.status).some(({ state }) => {
    const startMs = parseTime(state?.terminated?.startedAt);
    const endMs = parseTime(state?.terminated?.finishedAt);
    return startMs !== undefined && endMs !== undefined && endMs - startMs >= LONG_RUN_MS;
  });
}

function crashMessage({ metadata }: Pod, container: string, delayMs: number): string {
  const pod = `${metadata.name}_${metadata.namespace ?? ''}(${metadata.uid})`;
  return `back-off ${durationText(delayMs)} restarting failed container=${container} pod=${pod}`;
}

function afterFailure(pod: Pod, nowMs: number): Plan {
  const failures = (pod.control?.failures ?? 0) + 1;
  const counted = { ...pod, control: { ...pod.control, failures } };
  const delayMs = Math.max(launchDelayMs(failures), (askedUntilMs(pod) ?? nowMs) - nowMs);
  return backOff(counted, delayMs, nowMs, ({ state, image }) =>
    state?.waiting?.reason === 'ErrImagePull'
      ? { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` }
      : undefined,
  );
}

type Why = { readonly reason: string; readonly message: string };

/** Writes down until when to wait, and shows it on the containers that it concerns. */
function backOff(
  pod: Pod,
  delayMs: number,
  nowMs: number,
  why: (status: ContainerStatus) => Why | undefined,
): Plan {
  const shown = (status: ContainerStatus) => {
    const because = why(status);
    return because ? waiting(status, because, nowMs) : status;
  };
  const { initContainerStatuses, containerStatuses } = pod.status;
  const status: PodStatus = {
    ...pod.status,
    ...(initContainerStatuses ? { initContainerStatuses: initContainerStatuses.map(shown) } : {}),
    ...(containerStatuses ? { containerStatuses: containerStatuses.map(shown) } : {}),
  };
  const control = { ...pod.control, backOffUntilMs: nowMs + delayMs };
  const next: Pod = { ...pod, status, control };
  return {
    ...NOTHING,
    stages: [[update('pods', next)], backOffEvents(pod)],
    againAfterMs: delayMs,
  };
}

function backOffEvents(pod: Pod): Action[] {
  const about = eventTarget('pods', pod);
  const { name, namespace, uid } = about;
  return all(pod.status).flatMap((status) => {
    const { waiting: why, terminated } = status.state ?? {};
    if (terminated && runsAgain(pod, status)) {
      const where = `container ${status.name} in pod ${name}_${namespace}(${uid})`;
      return event(about, 'Warning', 'BackOff', `Back-off restarting failed ${where}`);
    }
    if (why?.reason === 'ErrImagePull') {
      return event(about, 'Normal', 'BackOff', `Back-off pulling image "${status.image}"`);
    }
    return why?.message === undefined
      ? []
      : event(about, 'Warning', 'Failed', `Error: ${why.message}`);
  });
}
