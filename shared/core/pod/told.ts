/**
 * The events of a pod's usual life: that it was given a node, that its containers began, that they
 * are asked to stop. All three are in its state, so that they are read out of it when somebody asks
 * (apiserver/told-events.ts) and never written: three writes less a pod. What goes wrong is not in
 * the state for long, and is written (events.ts and the plans).
 */
import { findCondition } from '../../api/conditions.ts';
import type { ContainerStatus, Pod } from '../../api/kinds/pod.ts';
import { parseTime } from '../../api/time.ts';
import { assignedMessage } from './assigned.ts';

export interface Told {
  readonly reason: 'Scheduled' | 'Started' | 'Killing';
  readonly message: string;
  /** How often, and when first and last. */
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

export function toldBy(pod: Pod): readonly Told[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
  const statuses = [...initContainerStatuses, ...containerStatuses];
  return [
    ...scheduled(pod),
    ...statuses.flatMap((status) => started(status, pod)),
    ...containerStatuses.flatMap((status) => killing(status, pod)),
  ];
}

function scheduled(pod: Pod): readonly Told[] {
  const condition = findCondition(pod.status.conditions, 'PodScheduled');
  const atMs = parseTime(condition?.lastTransitionTime);
  if (condition?.status !== 'True' || !pod.spec.nodeName || atMs === undefined) return [];
  const message = assignedMessage(pod);
  return [{ reason: 'Scheduled', message, count: 1, firstMs: atMs, lastMs: atMs }];
}

/** Of several starts the state knows the last one; the first was soon after the pod's own start. */
function started({ name, restartCount, state, lastState }: ContainerStatus, pod: Pod): Told[] {
  const run = state?.running ?? begun(state?.terminated) ?? begun(lastState?.terminated);
  const lastMs = parseTime(run?.startedAt);
  if (lastMs === undefined) return [];
  const podMs = parseTime(pod.status.startTime) ?? lastMs;
  const firstMs = restartCount === 0 ? lastMs : Math.min(podMs, lastMs);
  const count = restartCount + 1;
  return [{ reason: 'Started', message: `Started container ${name}`, count, firstMs, lastMs }];
}

/** The run that has ended; undefined when it never began. */
function begun(terminated: NonNullable<ContainerStatus['state']>['terminated']) {
  return terminated?.reason === 'ContainerCannotRun' ? undefined : terminated;
}

/** A container that ran when its pod was deleted. */
function killing({ name, state }: ContainerStatus, { metadata }: Pod): readonly Told[] {
  const endMs = parseTime(metadata.deletionTimestamp);
  if (endMs === undefined) return [];
  const atMs = endMs - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  const finishedMs = parseTime(state?.terminated?.finishedAt) ?? -Infinity;
  if (!state?.running && finishedMs < atMs) return [];
  const message = `Stopping container ${name}`;
  return [{ reason: 'Killing', message, count: 1, firstMs: atMs, lastMs: atMs }];
}
