/**
 * What people are told when a pod was observed to have changed: the events that follow from the
 * difference of two states. Few, since each is a write; the plan tells of what it decides itself.
 */
import type { ContainerStatus, Pod, PodStatus } from '../../api/kinds/pod.ts';
import { event, type EventAction, type EventTarget, eventTarget } from '../plan.ts';

export function observationEvents(before: Pod, after: Pod): readonly EventAction[] {
  const about = eventTarget('pods', after);
  const known = all(before.status);
  return all(after.status).flatMap((now) => {
    const old = known.find(({ name }) => name === now.name);
    return containerEvents(old, now, about);
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
  if (running && !was.running) return [normal(about, 'Started', `Started container ${now.name}`)];
  if (running && old?.ready === true && !now.ready) {
    return [warning(about, 'Unhealthy', 'Readiness probe failed')];
  }
  if (terminated?.reason === 'LivenessProbeFailed' && !was.terminated) {
    const restarts = `Container ${now.name} failed liveness probe, will be restarted`;
    return [
      warning(about, 'Unhealthy', 'Liveness probe failed'),
      normal(about, 'Killing', restarts),
    ];
  }
  if (waiting?.message === undefined || waiting.message === was.waiting?.message) return [];
  return failure(now, waiting.reason ?? '', waiting.message, about);
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
