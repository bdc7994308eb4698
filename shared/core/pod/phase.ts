/**
 * The phase of a pod and its conditions, out of the statuses of its containers. A terminal phase is
 * for ever.
 */
import { findCondition, withCondition } from '../../api/conditions.ts';
import type { Container } from '../../api/kinds/container.ts';
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../../api/kinds/pod.ts';
import { hasFailed, hasSucceeded } from './container-status.ts';
import { isTerminal } from './predicates.ts';

type Phase = PodStatus['phase'];

/** A sidecar: it starts before the containers, and runs beside them for as long as they do. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** The phase of a pod with this status. `stopped`: its task has ended. */
export function phaseOf(pod: Pod, stopped: boolean): Phase {
  if (isTerminal(pod)) return pod.status.phase;
  const { containerStatuses = [] } = pod.status;
  if (stopped && !restartsAfterEnd(pod)) {
    return containerStatuses.every(hasSucceeded) ? 'Succeeded' : 'Failed';
  }
  return containerStatuses.every(hasEverRun) ? 'Running' : 'Pending';
}

/**
 * Whether another attempt follows the one that has ended. A launch that failed is tried again in
 * any case.
 */
function restartsAfterEnd(pod: Pod): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status;
  switch (pod.spec.restartPolicy) {
    case 'Always':
      return true;
    case 'OnFailure':
      return !containerStatuses.every(hasSucceeded);
    case 'Never':
      return !initContainerStatuses.some(hasFailed) && containerStatuses.some(isWaiting);
  }
}

function isWaiting({ state }: ContainerStatus): boolean {
  return state?.waiting !== undefined;
}

function hasEverRun({ state, lastState }: ContainerStatus): boolean {
  return state?.waiting === undefined || lastState?.terminated !== undefined;
}

/**
 * The conditions that follow from the rest of the status. The order is the one that kubectl users
 * see.
 */
export function conditionsOf(pod: Pod, nowMs: number): readonly PodCondition[] {
  let conditions = pod.status.conditions ?? [];
  const set = (next: PodCondition) => {
    conditions = withCondition(conditions, next, nowMs);
  };
  set(initialized(pod));
  const containersReady = readiness(pod);
  set({ type: 'Ready', ...(containersReady.status === 'True' ? gated(pod) : containersReady) });
  set({ type: 'ContainersReady', ...containersReady });
  if (findCondition(conditions, 'PodScheduled')?.status !== 'True') {
    set({ type: 'PodScheduled', status: 'True' });
  }
  return conditions;
}

type Verdict = Omit<PodCondition, 'type'>;

const MET: Verdict = { status: 'True' };

function initialized(pod: Pod): PodCondition {
  const type = 'Initialized';
  if (pod.status.phase === 'Succeeded') return { type, status: 'True', reason: 'PodCompleted' };
  const statuses = pod.status.initContainerStatuses ?? [];
  const waiting = (pod.spec.initContainers ?? []).filter((container) => {
    const status = statuses.find(({ name }) => name === container.name);
    return isSidecar(container) ? status?.started !== true : !status || !hasSucceeded(status);
  });
  const begun = (pod.status.containerStatuses ?? []).some(({ state }) => !state?.waiting);
  if (waiting.length === 0 || begun) return { type, ...MET };
  const names = waiting.map(({ name }) => name).join(' ');
  return {
    type,
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${names}]`,
  };
}

function readiness(pod: Pod): Verdict {
  const { phase, containerStatuses = [] } = pod.status;
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const unready = containerStatuses.filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0 && containerStatuses.length > 0) return MET;
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  };
}

/** Readiness gates: conditions that others set, and that must hold as well. */
function gated(pod: Pod): Verdict {
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const status = findCondition(pod.status.conditions, conditionType)?.status;
    if (status === 'True') return [];
    return status === undefined
      ? `corresponding condition of pod readiness gate "${conditionType}" does not exist.`
      : `the status of pod readiness gate "${conditionType}" is not "True", but ${status}`;
  });
  if (messages.length === 0) return MET;
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}
