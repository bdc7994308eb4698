/**
 * What people are told when a pod was observed to have changed: the events that follow from the
 * difference of two states. Few, since each is a write; the plan tells of what it decides itself,
 * and that all goes well is read out of the state (told.ts).
 */
import type { ContainerStatus, Pod, PodStatus } from '../../api/kinds/pod.ts';
import { event, type EventAction, type EventTarget, eventTarget } from '../plan.ts';

export function observationEvents(before: Pod, after: Pod): readonly EventAction[] {
  const about = eventTarget('pods', after);
  const known = all(before.status);
  const states = all(after.status).flatMap((now) => {
    const old = known.find(({ name }) => name === now.name);
    return containerEvents(old, now, about);
  });
  return [...states, ...readinessEvents(before, after, about)];
}

/** Readiness probes that fail now and did not before, or for another reason. */
function readinessEvents(before: Pod, after: Pod, about: EventTarget): readonly EventAction[] {
  const wasReady = (name: string) =>
    before.status.containerStatuses?.some((status) => status.name === name && status.ready);
  return (after.status.containerStatuses ?? []).flatMap(({ name, ready, state }) => {
    const why = after.control?.unready?.[name];
    const isNew = why !== undefined && why !== before.control?.unready?.[name];
    const isLost = state?.running !== undefined && !ready && wasReady(name) === true;
    if (!isNew && !isLost) return [];
    const detail = why === undefined ? '' : `: ${why.trim()}`;
    return [warning(about, 'Unhealthy', `Readiness probe failed${detail}`)];
  });
}

function all({ initContainerStatuses = [], containerStatuses = [] }: PodStatus) {
  return [...initContainerStatuses, ...containerStatuses];
}

function containerEvents(
  old: ContainerStatus | undefined,
  now: ContainerStatus,
  about: EventTarget,
): readonly EventAction[] {
  const { waiting, running, terminated } = now.state ?? {};
  const was = old?.state ?? {};
  if (running && !was.running) return [];
  if (terminated && !was.terminated) return endEvents(now, terminated, about);
  if (waiting?.message === undefined || waiting.message === was.waiting?.message) return [];
  return failure(now, waiting.reason ?? '', waiting.message, about);
}

/** The reasons of containers that were ended because of a probe, and its names in events. */
const PROBES = new Map([
  ['LivenessProbeFailed', { name: 'liveness', title: 'Liveness' }],
  ['StartupProbeFailed', { name: 'startup', title: 'Startup' }],
]);

function endEvents(
  { name }: ContainerStatus,
  { reason = '', message }: NonNullable<NonNullable<ContainerStatus['state']>['terminated']>,
  about: EventTarget,
): readonly EventAction[] {
  if (reason === 'ContainerCannotRun') {
    return [warning(about, 'Failed', `Error: failed to start container "${name}": ${message}`)];
  }
  const probe = PROBES.get(reason);
  if (!probe) return [];
  const detail = message === undefined ? '' : `: ${message.trim()}`;
  const killing = `Container ${name} failed ${probe.name} probe, will be restarted`;
  return [
    warning(about, 'Unhealthy', `${probe.title} probe failed${detail}`),
    normal(about, 'Killing', killing),
  ];
}

function failure(
  { image }: ContainerStatus,
  reason: string,
  message: string,
  about: EventTarget,
): readonly EventAction[] {
  switch (reason) {
    case 'ErrImagePull':
      return [warning(about, 'Failed', `Failed to pull image "${image}": ${message}`)];
    case 'InvalidImageName':
      return [warning(about, 'InspectFailed', message)];
    default:
      return [warning(about, 'Failed', `Error: ${message}`)];
  }
}

function normal(about: EventTarget, reason: string, message: string): EventAction {
  return event(about, 'Normal', reason, message);
}

function warning(about: EventTarget, reason: string, message: string): EventAction {
  return event(about, 'Warning', reason, message);
}
