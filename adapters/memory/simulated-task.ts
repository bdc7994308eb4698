/**
 * One simulated task: its state, the frames still to come, and what interferes with them. Pure, and
 * plain data, so that tasks can be kept in a journal over a restart.
 */
import type { ContainerReport, ContainerSpec, TaskSpec, TaskState } from '../../shared/api/task.ts';
import { type Rules, rulesFor, type TaskRules } from './simulated-rules.ts';
import { ends, type Frame, KILLED, merged, scriptOf } from './simulated-script.ts';

export interface TaskRecord {
  readonly state: TaskState;
  /** What is still to come, in order of time. */
  readonly script: readonly Frame[];
  readonly containers: { readonly [name: string]: ContainerRecord };
  readonly cpuMillis: number;
  readonly gpus: number;
  readonly endedAtMs?: number;
}

interface ContainerRecord {
  readonly lines: readonly string[];
  /** How long it takes to end after SIGTERM. Null when only SIGKILL ends it. */
  readonly stopDelayMs: number | null;
}

export interface LogLine {
  readonly atMs: number;
  readonly text: string;
}

export function launched(
  task: TaskSpec,
  rules: TaskRules,
  defaults: Rules,
  ip: string,
  nowMs: number,
): TaskRecord {
  const { id, podUid, attempt, namespace, podName, nodeName } = task;
  const all = [...task.initContainers, ...task.containers];
  return {
    state: {
      ...{ id, podUid, attempt, namespace, podName, nodeName, ip },
      version: 1,
      phase: 'pending',
      initContainers: task.initContainers.map((container) => unstarted(task, container)),
      containers: task.containers.map((container) => unstarted(task, container)),
    },
    script: scriptOf(task, rules, defaults, nowMs),
    containers: Object.fromEntries(
      all.map((c) => [c.name, containerRecord(task, c, rulesFor(c.name, rules, defaults))]),
    ),
    cpuMillis: sum(task.containers.map(({ cpuMillisRequest }) => cpuMillisRequest)),
    gpus: sum(task.containers.map(({ gpus }) => gpus)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

function unstarted(task: TaskSpec, { name, image }: ContainerSpec): ContainerReport {
  const reason = task.initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating';
  return { name, image, state: { type: 'waiting', reason }, started: false, ready: false };
}

function containerRecord(task: TaskSpec, container: ContainerSpec, rules: Rules): ContainerRecord {
  const { lines = [`${container.name} of ${task.podName} runs, simulated`], printEnv = [] } = rules;
  const values = printEnv.map((name) => {
    const found = container.env.findLast((variable) => variable.name === name);
    return `${name}=${found?.value ?? ''}`;
  });
  return {
    lines: [...lines, ...values],
    stopDelayMs: rules.ignoresTerm ? null : (rules.stopDelayMs ?? 0),
  };
}

/** Whether the task has not ended. */
export function isLive({ state }: TaskRecord): boolean {
  return state.phase !== 'stopped';
}

/** The task after its next frame, if that is due. */
export function played(record: TaskRecord, nowMs: number): TaskRecord | undefined {
  const [frame, ...script] = record.script;
  if (!frame || frame.atMs > nowMs) return undefined;
  return applied({ ...record, script }, frame);
}

function applied(record: TaskRecord, frame: Frame): TaskRecord {
  const { state } = record;
  const report = (old: ContainerReport) =>
    frame.reports.find(({ name }) => name === old.name) ?? old;
  return {
    ...record,
    state: {
      ...state,
      version: state.version + 1,
      phase: frame.phase,
      initContainers: state.initContainers.map(report),
      containers: state.containers.map(report),
      ...(frame.reason === undefined ? {} : { reason: frame.reason }),
      ...(frame.message === undefined ? {} : { message: frame.message }),
    },
    ...(frame.phase === 'stopped' ? { endedAtMs: frame.atMs } : {}),
  };
}

/** The task with SIGTERM sent now, and SIGKILL to whoever is left after the grace. */
export function asked(record: TaskRecord, graceSeconds: number, nowMs: number): TaskRecord {
  if (!isLive(record)) return record;
  const killAtMs = Math.min(nowMs + graceSeconds * 1000, plannedEndMs(record));
  const running = runningOf(record.state);
  const last = Math.max(nowMs, ...running.map((report) => endAfterTerm(record, report, nowMs)));
  const frames: Frame[] = running
    .filter((report) => endAfterTerm(record, report, nowMs) <= killAtMs)
    .map((report) => {
      const atMs = endAfterTerm(record, report, nowMs);
      const reports = ends([report], { exitCode: 0, reason: 'Completed' }, atMs);
      return { atMs, phase: 'stopping', reports };
    });
  if (last > nowMs && record.state.phase !== 'stopping') {
    frames.unshift({ atMs: nowMs, phase: 'stopping', reports: [] });
  }
  const endMs = Math.min(last, killAtMs);
  const left = running.filter((report) => endAfterTerm(record, report, nowMs) > killAtMs);
  frames.push({ atMs: endMs, phase: 'stopped', reports: ends(left, KILLED, endMs) });
  return { ...record, script: merged(frames) };
}

/** A second stop can only bring the end nearer. */
function plannedEndMs({ state, script }: TaskRecord): number {
  return state.phase === 'stopping' ? (script.at(-1)?.atMs ?? Infinity) : Infinity;
}

function endAfterTerm(
  { containers, script, state }: TaskRecord,
  report: ContainerReport,
  nowMs: number,
) {
  if (state.phase === 'stopping') {
    const planned = script.find(({ reports }) => reports.some(({ name }) => name === report.name));
    const exit = planned?.reports.find(({ name }) => name === report.name)?.state;
    if (exit?.type === 'terminated' && exit.exitCode === 0) return exit.finishedAtMs;
    return Infinity;
  }
  return nowMs + (containers[report.name]?.stopDelayMs ?? Infinity);
}

/** The task with all that runs ended now, whatever its script says. */
export function killed(
  record: TaskRecord,
  how: { readonly exitCode: number; readonly reason: string; readonly taskReason?: string },
  nowMs: number,
): TaskRecord {
  const { taskReason, ...ending } = how;
  const reports = ends(runningOf(record.state), ending, nowMs);
  const reason = taskReason === undefined ? {} : { reason: taskReason };
  const frame: Frame = { atMs: nowMs, phase: 'stopped', reports, ...reason };
  return isLive(record) ? { ...record, script: [frame] } : record;
}

function runningOf({ initContainers, containers }: TaskState): readonly ContainerReport[] {
  return [...initContainers, ...containers].filter(({ state }) => state.type === 'running');
}

/** What a container has printed; undefined when the task has no such container. */
export function linesOf({ state, containers }: TaskRecord, name: string) {
  const report = [...state.initContainers, ...state.containers].find((c) => c.name === name);
  if (!report) return undefined;
  const lines: LogLine[] = [];
  if (report.state.type === 'waiting') return { lines, ended: state.phase === 'stopped' };
  const { startedAtMs } = report.state;
  for (const text of containers[name]?.lines ?? []) lines.push({ atMs: startedAtMs, text });
  return { lines, ended: report.state.type === 'terminated' };
}
