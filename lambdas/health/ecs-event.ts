/**
 * "ECS Task State Change" events as task states. A task of ours names its attempt in `startedBy`
 * and its pod in `group`; events of other tasks are none of ours. Sources: Amazon ECS developer
 * guide, "Amazon ECS task state change events" (`detail` is the Task of DescribeTasks;
 * `detail.version` orders the events of a task).
 */
import type {
  ContainerReport,
  HealthMessage,
  TaskPhase,
  TaskState,
} from '../../shared/api/task.ts';

/** The parts of an event that we read; any of them may be missing. */
interface EcsTask {
  readonly version?: number;
  readonly lastStatus?: string;
  readonly startedBy?: string;
  readonly group?: string;
  readonly startedAt?: string;
  readonly stoppedAt?: string;
  readonly stopCode?: string;
  readonly stoppedReason?: string;
  readonly containers?: readonly EcsContainer[];
}

interface EcsContainer {
  readonly name?: string;
  readonly image?: string;
  readonly imageDigest?: string;
  readonly runtimeId?: string;
  readonly lastStatus?: string;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly networkInterfaces?: readonly { readonly privateIpv4Address?: string }[];
}

const TASK_EVENT = 'ECS Task State Change';

/** `startedBy` of our tasks: `taskIdOf(podUid, attempt)`. */
const STARTED_BY = /^([0-9a-f-]{36})-(\d{1,9})$/;
/** `group` of our tasks. Both parts are DNS names, at most 63 and 253 characters. */
const GROUP = /^pod:([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})@(.{1,253})$/;

/**
 * The health message in an EventBridge envelope; undefined when the event is not about a task of
 * ours.
 */
export function taskMessage(envelope: {
  readonly 'detail-type'?: unknown;
  readonly detail?: unknown;
}): HealthMessage | undefined {
  if (envelope['detail-type'] !== TASK_EVENT) return undefined;
  const detail = envelope.detail as EcsTask | undefined;
  const identity = STARTED_BY.exec(detail?.startedBy ?? '');
  const pod = GROUP.exec(detail?.group ?? '');
  if (!detail || !identity || !pod || typeof detail.version !== 'number') return undefined;
  const [, podUid = '', attempt = ''] = identity;
  const [, namespace = '', podName = '', nodeName = ''] = pod;
  const names = { podUid, namespace, podName, nodeName, attempt: Number(attempt) };
  return { type: 'task', task: stateOf(detail, detail.version, names) };
}

type Names = Pick<TaskState, 'podUid' | 'namespace' | 'podName' | 'nodeName' | 'attempt'>;

function stateOf(detail: EcsTask, version: number, names: Names): TaskState {
  const containers = detail.containers ?? [];
  const ip = containers.flatMap((c) => c.networkInterfaces ?? [])[0]?.privateIpv4Address;
  return {
    ...names,
    id: detail.startedBy ?? '',
    version,
    phase: phaseOf(detail.lastStatus),
    ...(ip === undefined ? {} : { ip }),
    initContainers: [],
    containers: containers.map((container) => reportOf(container, detail)),
    ...(detail.stopCode === undefined ? {} : { reason: detail.stopCode }),
    ...(detail.stoppedReason === undefined ? {} : { message: detail.stoppedReason }),
  };
}

function phaseOf(lastStatus: string | undefined): TaskPhase {
  switch (lastStatus) {
    case 'RUNNING':
      return 'running';
    case 'DEACTIVATING':
    case 'STOPPING':
    case 'DEPROVISIONING':
      return 'stopping';
    case 'STOPPED':
    case 'DELETED':
      return 'stopped';
    default:
      return 'pending';
  }
}

function reportOf(container: EcsContainer, task: EcsTask): ContainerReport {
  const running = container.lastStatus === 'RUNNING';
  return {
    name: container.name ?? '',
    image: container.image ?? '',
    ...(container.imageDigest === undefined ? {} : { imageId: container.imageDigest }),
    ...(container.runtimeId === undefined ? {} : { containerId: `ecs://${container.runtimeId}` }),
    state: containerState(container, task),
    started: running,
    ready: running,
  };
}

function containerState(container: EcsContainer, task: EcsTask): ContainerReport['state'] {
  const startedAtMs = Date.parse(task.startedAt ?? '') || 0;
  if (container.lastStatus === 'RUNNING') return { type: 'running', startedAtMs };
  if (container.lastStatus !== 'STOPPED') {
    return { type: 'waiting', reason: 'ContainerCreating' };
  }
  if (container.reason?.startsWith('CannotPullContainerError')) {
    return { type: 'waiting', reason: 'ErrImagePull', message: container.reason };
  }
  // A container that never ran has no exit code: Kubernetes shows 128 for one that could not start.
  const exitCode = container.exitCode ?? 128;
  const killed = container.reason?.startsWith('OutOfMemoryError') ? 'OOMKilled' : undefined;
  return {
    type: 'terminated',
    exitCode,
    reason: killed ?? (exitCode === 0 ? 'Completed' : 'Error'),
    ...(container.reason === undefined ? {} : { message: container.reason }),
    startedAtMs,
    finishedAtMs: Date.parse(task.stoppedAt ?? '') || startedAtMs,
  };
}
