/**
 * Tasks of ECS as task states: one translation for the answers of RunTask and DescribeTasks (times
 * are Dates) and for the details of "ECS Task State Change" events (times are ISO texts). Sources:
 * Amazon ECS API reference (`Task`, `Container`) and developer guide, "task state change events".
 *
 * Invariants:
 *  T1 Versions order what was seen: first by ECS's own counter, and between equal ones by the time
 *     of the description, since the counter does not count changes of health.
 *  T2 Nothing hangs on a whole sentence of ECS, only on codes and on the word that a reason begins
 *     with; codes that are not known are passed on.
 */
import {
  type ContainerReport,
  NO_CAPACITY_REASON,
  type TaskPhase,
  type TaskState,
} from '../../../shared/api/task.ts';
import {
  type ContainerRole,
  identityOf,
  isHelper,
  parseContainerName,
  shortTaskId,
} from './names.ts';
import { launchFailure, UNKNOWN_EXIT_CODE } from './stop-reasons.ts';

type Time = Date | string | number | undefined;

/** The parts that are read; any of them may be missing. */
export interface EcsTask {
  readonly taskArn?: string | undefined;
  readonly version?: number | undefined;
  readonly lastStatus?: string | undefined;
  readonly startedBy?: string | undefined;
  readonly group?: string | undefined;
  readonly containerInstanceArn?: string | undefined;
  readonly createdAt?: Time;
  readonly pullStoppedAt?: Time;
  readonly startedAt?: Time;
  readonly executionStoppedAt?: Time;
  readonly stoppedAt?: Time;
  readonly stopCode?: string | undefined;
  readonly stoppedReason?: string | undefined;
  readonly containers?: readonly EcsContainer[] | undefined;
  readonly attachments?: readonly EcsAttachment[] | undefined;
}

export interface EcsContainer {
  readonly name?: string | undefined;
  readonly image?: string | undefined;
  readonly imageDigest?: string | undefined;
  readonly runtimeId?: string | undefined;
  readonly lastStatus?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly reason?: string | undefined;
  readonly healthStatus?: string | undefined;
  readonly networkInterfaces?:
    readonly { readonly privateIpv4Address?: string | undefined }[] | undefined;
}

interface EcsAttachment {
  readonly details?:
    | readonly { readonly name?: string | undefined; readonly value?: string | undefined }[]
    | undefined;
}

/** Room for the seconds of 34 years between two of ECS's versions. */
export const VERSION_STEP = 2 ** 30;

/** As much as a health message may hold in one text. */
const MAX_TEXT = 4096;

/** The exit code of a process that was killed, and nobody saw how it ended. */
const LOST_EXIT_CODE = 137;

/** 128 and the number of the signal. */
const SIGNAL_BASE = 128;
const MAX_SIGNAL = 64;

/**
 * The state; undefined when the task is none of ours. `describedAtMs` says that it was described
 * then: only descriptions know of health. What is said without it leaves health open.
 */
export function taskStateOf(task: EcsTask, describedAtMs?: number): TaskState | undefined {
  const identity = identityOf(task);
  if (!identity || typeof task.version !== 'number') return undefined;
  const members = membersOf(task);
  const phase = phaseOf(task.lastStatus);
  const view: View = { task, phase, members, isDescribed: describedAtMs !== undefined };
  const isInit = ({ role }: Member) => role === 'init';
  const ip = addressOf(task);
  const reason = reasonOf(task);
  return {
    ...identity,
    ...(task.taskArn === undefined ? {} : { handle: shortTaskId(task.taskArn) }),
    version: versionOf(view, describedAtMs),
    phase,
    ...(ip === undefined ? {} : { ip }),
    initContainers: members.filter(isInit).map((member) => reportOf(member, view)),
    containers: members
      .filter((member) => !isInit(member) && !isHelper(member))
      .map((member) => reportOf(member, view)),
    ...(reason === undefined ? {} : { reason }),
    ...(task.stoppedReason === undefined ? {} : { message: short(task.stoppedReason) }),
  };
}

interface Member {
  readonly name: string;
  readonly role?: ContainerRole;
  readonly container: EcsContainer;
}

interface View {
  readonly task: EcsTask;
  readonly phase: TaskPhase;
  readonly members: readonly Member[];
  readonly isDescribed: boolean;
}

/** In an order of their own: ECS's changes from answer to answer. */
function membersOf({ containers = [] }: EcsTask): readonly Member[] {
  return containers
    .flatMap((container) => {
      const parsed = parseContainerName(container.name ?? '');
      return parsed ? [{ ...parsed, container }] : [];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function versionOf({ task, phase, members, isDescribed }: View, atMs = 0): number {
  const base = (task.version ?? 0) * VERSION_STEP;
  if (!isDescribed || phase !== 'running' || !members.some(hasVerdict)) return base;
  const ageSeconds = Math.floor((atMs - (timeMs(task.createdAt) ?? atMs)) / 1000);
  return base + Math.min(Math.max(ageSeconds, 0) + 1, VERSION_STEP - 1);
}

/** The member's own health check decides something. */
function hasVerdict({ role }: Member): boolean {
  return role !== undefined && role !== 'init' && role !== 'files' && role !== 'end';
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

function addressOf({ containers = [], attachments = [] }: EcsTask): string | undefined {
  const details = attachments.flatMap((attachment) => attachment.details ?? []);
  const interfaces = containers.flatMap(({ networkInterfaces }) => networkInterfaces ?? []);
  return (
    details.find(({ name }) => name === 'privateIPv4Address')?.value ??
    interfaces.find(({ privateIpv4Address }) => privateIpv4Address)?.privateIpv4Address
  );
}

function reasonOf({ stopCode, stoppedReason, containers = [] }: EcsTask): string | undefined {
  if (containers.some(wasOutOfMemory)) return 'OOMKilled';
  // "Host EC2 (instance i-…) terminated": the code beside it differs from case to case.
  if (stoppedReason?.startsWith('Host EC2')) return 'NodeLost';
  if (/^Capacity is unavailable/i.test(stoppedReason ?? '')) return NO_CAPACITY_REASON;
  return stopCode === undefined ? undefined : short(stopCode);
}

function wasOutOfMemory({ reason }: EcsContainer): boolean {
  return reason?.startsWith('OutOfMemoryError') === true;
}

function reportOf(member: Member, view: View): ContainerReport {
  const { name, container } = member;
  const state = stateOf(member, view);
  return {
    name,
    image: container.image ?? '',
    ...(container.imageDigest === undefined ? {} : { imageId: container.imageDigest }),
    ...(container.runtimeId === undefined ? {} : { containerId: `ecs://${container.runtimeId}` }),
    state,
    ...(state.type === 'running' ? healthOf(member, view) : endedHealth(member, state)),
  };
}

function endedHealth({ role }: Member, state: ContainerReport['state']) {
  const hasSucceeded = state.type === 'terminated' && state.exitCode === 0;
  return { started: false, ready: role === 'init' && hasSucceeded };
}

type Health = Pick<
  ContainerReport,
  'started' | 'ready' | 'unready' | 'unhealthy' | 'healthUnknown'
>;

function healthOf(member: Member, { members, isDescribed, phase }: View): Health {
  const { role, container } = member;
  if (role === 'init') return { started: true, ready: false };
  const helper = (wanted: ContainerRole) =>
    members.find(
      (other) => other.name === member.name && (other.role === wanted || other.role === 'probes'),
    )?.container;
  const readiness = role?.endsWith('ready') ? container : helper('readiness');
  const liveness = role?.startsWith('live') ? container : helper('liveness');
  if (!isDescribed && (readiness || liveness)) {
    return { started: true, ready: readiness === undefined, healthUnknown: true };
  }
  const hasFailed = (checked?: EcsContainer) => checked?.healthStatus === 'UNHEALTHY';
  return {
    started: true,
    ready: readiness === undefined || readiness.healthStatus === 'HEALTHY',
    ...(hasFailed(readiness) ? { unready: 'the health check on ECS has failed' } : {}),
    ...(hasFailed(liveness) && phase === 'running'
      ? { unhealthy: 'the health check on ECS has failed' }
      : {}),
  };
}

function stateOf(member: Member, view: View): ContainerReport['state'] {
  const { container } = member;
  const hasEnded = container.lastStatus === 'STOPPED' || view.phase === 'stopped';
  if (hasEnded) return endOf(member, view);
  if (container.lastStatus === 'RUNNING') {
    return { type: 'running', startedAtMs: beginOf(member, view) };
  }
  return waitingState(member, view);
}

/** `PodInitializing` while init containers are not all done, as kubectl users know it. */
function waitingState({ role }: Member, { members }: View): ContainerReport['state'] {
  const waitsForInits = members.some(
    (other) => other.role === 'init' && other.container.exitCode !== 0,
  );
  const reason = waitsForInits && role !== 'init' ? 'PodInitializing' : 'ContainerCreating';
  return { type: 'waiting', reason };
}

function endOf(member: Member, view: View): ContainerReport['state'] {
  const { task, members } = view;
  const { exitCode, reason } = member.container;
  if (isHeldBack(member, view)) return waitingState(member, view);
  if (exitCode !== undefined) return terminated(member, view, exitCode, endReason(member));
  const hasOwn = members.some(({ container }) => container.reason !== undefined);
  const why = reason ?? (hasOwn ? undefined : task.stoppedReason);
  const failure = launchFailure(why);
  if (failure && failure !== 'ContainerCannotRun') {
    return { type: 'waiting', reason: failure, message: short(why ?? '') };
  }
  if (failure) return terminated(member, view, UNKNOWN_EXIT_CODE, failure);
  if (!hasBegun(member, task)) return waitingState(member, view);
  return terminated(member, view, LOST_EXIT_CODE, 'ContainerStatusUnknown');
}

/**
 * It was to run after one that failed. ECS gives such a container an exit code all the same, as if
 * it had been asked to end.
 */
function isHeldBack(member: Member, { task, members }: View): boolean {
  const isFirst = ({ role }: Member) => role === 'init' || role === 'files';
  const isFailure = ({ container }: Member) =>
    container.exitCode !== undefined && container.exitCode !== 0;
  const failed = members.some((other) => other !== member && isFirst(other) && isFailure(other));
  return failed && !hasBegun(member, task);
}

/** The task is running only once all its containers were started. */
function hasBegun({ role, container }: Member, task: EcsTask): boolean {
  return role === 'init' ? container.runtimeId !== undefined : task.startedAt !== undefined;
}

function endReason({ container }: Member): string {
  if (wasOutOfMemory(container)) return 'OOMKilled';
  return container.exitCode === 0 ? 'Completed' : 'Error';
}

function terminated(
  member: Member,
  view: View,
  exitCode: number,
  reason: string,
): ContainerReport['state'] {
  const { task } = view;
  const { reason: said } = member.container;
  const startedAtMs = beginOf(member, view);
  const finishedAtMs = timeMs(task.executionStoppedAt) ?? timeMs(task.stoppedAt) ?? startedAtMs;
  const signal = exitCode - SIGNAL_BASE;
  return {
    type: 'terminated',
    exitCode,
    ...(signal > 0 && signal <= MAX_SIGNAL ? { signal } : {}),
    reason,
    ...(said === undefined ? {} : { message: short(said) }),
    startedAtMs,
    finishedAtMs: member.role === 'init' ? startedAtMs : Math.max(startedAtMs, finishedAtMs),
  };
}

/** ECS tells when the task started, not when each container did. */
function beginOf({ role }: Member, { task }: View): number {
  const pulledMs = timeMs(task.pullStoppedAt) ?? timeMs(task.createdAt) ?? 0;
  return role === 'init' ? pulledMs : (timeMs(task.startedAt) ?? pulledMs);
}

function timeMs(time: Time): number | undefined {
  if (time === undefined || time === null) return undefined;
  const ms = typeof time === 'number' ? time * 1000 : new Date(time).getTime();
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

function short(text: string): string {
  return text.slice(0, MAX_TEXT);
}
