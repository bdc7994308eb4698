/**
 * Sending a pod back: a bound pod that never began returns to the scheduler, as the same object.
 * Kubernetes has no such step, since there a kubelet that can't run a pod fails it; here the node
 * may be a service that has no room today, and nothing of the pod has been anywhere yet
 * (docs/decisions/0015-capacity-fallback.md). Pure.
 *
 * Invariants:
 *  K1 Only a pod none of whose containers ever ran, and of which no task can be alive (S1, S5).
 *  K2 Its attempts count on: the next binding is of a later attempt, so that what is late of the
 *     one before is known as such, and its entry in a ledger holds nothing any more (ledger.ts:
 *     G3).
 */
import { withCondition } from '../../api/conditions.ts';
import { GPU_DEVICES_ANNOTATION } from '../../api/gpus.ts';
import type { ContainerStatus, Pod, PodStatus } from '../../api/kinds/pod.ts';
import type { ObjectMeta } from '../../api/meta.ts';
import { blocked, event, eventTarget, inOrder, type Plan, update } from '../plan.ts';
import { askedUntilMs, hasNoTask } from './attempt.ts';
import { podIsActive } from './predicates.ts';

/** Whether the pod may be sent back now (K1). */
export function maySendBack(pod: Pod, nowMs: number): boolean {
  const isBound = Boolean(pod.spec.nodeName) && pod.control?.attempt !== undefined;
  return isBound && podIsActive(pod) && !hasBegun(pod) && hasNoTask(pod, nowMs);
}

/** Some container of the pod has run, in this attempt or in one of before. */
export function hasBegun({ status }: Pod): boolean {
  const { initContainerStatuses = [], containerStatuses = [] } = status;
  return [...initContainerStatuses, ...containerStatuses].some(hasRun);
}

function hasRun({ state, lastState, restartCount }: ContainerStatus): boolean {
  const runs = state?.running !== undefined || state?.terminated !== undefined;
  return runs || lastState?.terminated !== undefined || restartCount > 0;
}

/** The conditions of a pod that has a node. */
const OF_BOUND = new Set(['Initialized', 'Ready', 'ContainersReady']);

/** The pod as one that waits for a place again, and why. */
export function sentBack(pod: Pod, message: string, nowMs: number): Pod {
  const { nodeName: _node, ...spec } = pod.spec;
  const {
    backOffUntilMs: _until,
    refusedAtMs: _at,
    gpuDevices: _gpus,
    ...control
  } = pod.control ?? {};
  const { conditions = [], qosClass } = pod.status;
  const reason = 'Unschedulable';
  const scheduled = { type: 'PodScheduled', status: 'False', reason, message } as const;
  const kept = conditions.filter(({ type }) => !OF_BOUND.has(type));
  const status: PodStatus = {
    phase: 'Pending',
    conditions: withCondition(kept, scheduled, nowMs),
    ...(qosClass ? { qosClass } : {}),
  };
  return { ...pod, metadata: withoutDevices(pod.metadata), spec, status, control };
}

/** Devices are those of the node that the pod was on. */
function withoutDevices(metadata: ObjectMeta): ObjectMeta {
  if (metadata.annotations?.[GPU_DEVICES_ANNOTATION] === undefined) return metadata;
  const { [GPU_DEVICES_ANNOTATION]: _, ...annotations } = metadata.annotations;
  return { ...metadata, annotations };
}

/** The pod's node has no room for it, and another may have. */
export function goesBack(pod: Pod): boolean {
  return pod.control?.noCapacity === true && !hasBegun(pod);
}

/** Sends the pod back as soon as no task of it can come to life any more (attempt.ts: A3). */
export function planSendBack(pod: Pod, nowMs: number): Plan {
  if (!maySendBack(pod, nowMs)) {
    const waits = blocked('its launch was refused, and may be asked for elsewhere');
    return { ...waits, againAfterMs: Math.max(0, (askedUntilMs(pod) ?? nowMs) - nowMs) };
  }
  const message = `node ${pod.spec.nodeName} had no capacity for it`;
  return inOrder(
    update('pods', sentBack(pod, message, nowMs)),
    event(eventTarget('pods', pod), 'Warning', 'NoCapacity', `${message}: it is placed again`),
  );
}
