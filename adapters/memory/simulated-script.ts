/**
 * The course of a simulated task, written when it is launched: frames, each a time and what then
 * changes. A stop, a kill or the loss of the node writes the rest of it anew. Pure: a task plays
 * its frames, and nothing else ever happens to it.
 */
import type { ContainerReport, ContainerSpec, TaskPhase, TaskSpec } from '../../shared/api/task.ts';
import { type Rules, rulesFor, type TaskRules } from './simulated-rules.ts';

export interface Frame {
  readonly atMs: number;
  readonly phase: TaskPhase;
  /** The containers that change. */
  readonly reports: readonly ContainerReport[];
  readonly reason?: string;
  readonly message?: string;
}

type Terminated = Extract<ContainerReport['state'], { type: 'terminated' }>;
type Ending = Pick<Terminated, 'exitCode' | 'reason'> & { readonly atMs: number };

export const KILLED: Pick<Terminated, 'exitCode' | 'reason'> = { exitCode: 137, reason: 'Error' };

/** All that happens to the task unless somebody interferes, in order of time. */
export function scriptOf(
  task: TaskSpec,
  rules: TaskRules,
  defaults: Rules,
  nowMs: number,
): readonly Frame[] {
  const all = [...task.initContainers, ...task.containers];
  const of = (container: ContainerSpec) => rulesFor(container.name, rules, defaults);
  const pullMs = Math.max(0, ...all.map((c) => of(c).pullDelayMs ?? 0));
  const unpulled = all.find((container) => cannotPull(container.image, of(container)));
  if (unpulled) return [pullFailure(task, unpulled, nowMs + pullMs)];
  const frames: Frame[] = [];
  let atMs = nowMs + pullMs + Math.max(0, ...all.map((c) => of(c).startDelayMs ?? 0));
  for (const container of task.initContainers) {
    const ending = endingOf(of(container), atMs) ?? { atMs, exitCode: 0, reason: 'Completed' };
    frames.push({ atMs, phase: 'pending', reports: [running(task, container, atMs, true, false)] });
    const isLast = ending.exitCode !== 0;
    frames.push({
      atMs: ending.atMs,
      phase: isLast ? 'stopped' : 'pending',
      reports: [ended(task, container, atMs, ending)],
    });
    if (isLast) return merged(frames);
    atMs = ending.atMs;
  }
  return merged([...frames, ...lifeOf(task, of, atMs)]);
}

function cannotPull(image: string, rules: Rules): boolean {
  return rules.failPull === true || image.includes('/does-not-exist') || image.endsWith(':missing');
}

function pullFailure(task: TaskSpec, container: ContainerSpec, atMs: number): Frame {
  const { name, image } = container;
  const message =
    `failed to pull and unpack image "${image}": ` +
    'pull access denied, repository does not exist or may require authorization';
  const state = { type: 'waiting', reason: 'ErrImagePull', message } as const;
  const report = { name, image, state, started: false, ready: false };
  return { atMs, phase: 'stopped', reports: [report], reason: 'ErrImagePull', message };
}

/** The containers from their start to the end of the task. */
function lifeOf(
  task: TaskSpec,
  rulesOf: (container: ContainerSpec) => Rules,
  startMs: number,
): readonly Frame[] {
  const lives = task.containers.map((container) => {
    const rules = rulesOf(container);
    return { container, rules, ending: endingOf(rules, startMs) };
  });
  const endMs = endOf(lives);
  const frames: Frame[] = [];
  for (const { container, rules, ending } of lives) {
    for (const [atMs, started, ready] of health(rules, startMs)) {
      if (atMs > startMs && atMs >= Math.min(endMs, ending?.atMs ?? Infinity)) continue;
      const reports = [running(task, container, startMs, started, ready)];
      frames.push({ atMs, phase: 'running', reports });
    }
    if (ending && ending.atMs <= endMs) {
      const reports = [ended(task, container, startMs, ending)];
      frames.push({ atMs: ending.atMs, phase: 'running', reports });
    } else if (endMs < Infinity) {
      const stop = { atMs: endMs, exitCode: 143, reason: 'Error' };
      const reports = [ended(task, container, startMs, stop)];
      frames.push({ atMs: endMs, phase: 'running', reports });
    }
  }
  if (endMs === Infinity) return frames;
  return [...frames, { atMs: endMs, phase: 'stopped', reports: [] }];
}

interface Life {
  readonly container: ContainerSpec;
  readonly ending: Ending | undefined;
}

/** With the first essential container that ends, or with the last of all when none is essential. */
function endOf(lives: readonly Life[]): number {
  const endOfLife = ({ ending }: Life) => ending?.atMs ?? Infinity;
  const essential = lives.filter(({ container }) => container.essential);
  if (essential.length > 0) return Math.min(...essential.map(endOfLife));
  return Math.max(0, ...lives.map(endOfLife));
}

/** When a running container is started and ready: times, and what holds from then on. */
function health(rules: Rules, startMs: number): readonly (readonly [number, boolean, boolean])[] {
  const startedMs = startMs + (rules.startupDelayMs ?? 0);
  const readyMs = Math.max(startedMs, startMs + (rules.readyDelayMs ?? 0));
  const course: [number, boolean, boolean][] = [
    [startMs, startedMs <= startMs, readyMs <= startMs],
  ];
  if (startedMs > startMs) course.push([startedMs, true, readyMs <= startedMs]);
  if (readyMs > startedMs) course.push([readyMs, true, true]);
  if (rules.unreadyAfterMs !== undefined) {
    course.push([startMs + rules.unreadyAfterMs, true, false]);
  }
  return course.sort(([a], [b]) => a - b);
}

/** How a container ends by itself, at the earliest that its rules say. */
function endingOf(rules: Rules, startMs: number): Ending | undefined {
  const endings: Ending[] = [];
  const { exitCode, exitAfterMs, oomAfterMs, livenessFailsAfterMs } = rules;
  if (exitCode !== undefined || exitAfterMs !== undefined) {
    const reason = exitCode ? 'Error' : 'Completed';
    endings.push({ atMs: startMs + (exitAfterMs ?? 0), exitCode: exitCode ?? 0, reason });
  }
  if (oomAfterMs !== undefined) {
    endings.push({ atMs: startMs + oomAfterMs, exitCode: 137, reason: 'OOMKilled' });
  }
  if (livenessFailsAfterMs !== undefined) {
    const atMs = startMs + livenessFailsAfterMs;
    endings.push({ atMs, exitCode: 137, reason: 'LivenessProbeFailed' });
  }
  return endings.sort((a, b) => a.atMs - b.atMs)[0];
}

/** Frames in order of time, those of one moment as one. */
export function merged(frames: readonly Frame[]): readonly Frame[] {
  const result: Frame[] = [];
  for (const frame of frames.toSorted((a, b) => a.atMs - b.atMs)) {
    const last = result.at(-1);
    if (last?.atMs === frame.atMs) result[result.length - 1] = both(last, frame);
    else result.push(frame);
  }
  return result;
}

function both(first: Frame, second: Frame): Frame {
  const later = new Set(second.reports.map(({ name }) => name));
  const kept = first.reports.filter(({ name }) => !later.has(name));
  return { ...second, reports: [...kept, ...second.reports] };
}

function running(
  task: TaskSpec,
  { name, image }: ContainerSpec,
  startedAtMs: number,
  started: boolean,
  ready: boolean,
): ContainerReport {
  return {
    ...identity(task.id, name, image),
    state: { type: 'running', startedAtMs },
    started,
    ready,
  };
}

function ended(
  task: TaskSpec,
  { name, image }: ContainerSpec,
  startedAtMs: number,
  { atMs, exitCode, reason }: Ending,
): ContainerReport {
  return {
    ...identity(task.id, name, image),
    state: { type: 'terminated', exitCode, reason, startedAtMs, finishedAtMs: atMs },
    started: false,
    ready: false,
  };
}

function identity(taskId: string, name: string, image: string) {
  return {
    name,
    image,
    imageId: `simulated://${image}`,
    containerId: `simulated://${taskId}/${name}`,
  };
}

/** The reports of the containers that run, as ended at this time. */
export function ends(
  reports: readonly ContainerReport[],
  how: Pick<Terminated, 'exitCode' | 'reason'>,
  finishedAtMs: number,
): readonly ContainerReport[] {
  return reports.flatMap((report) => {
    if (report.state.type !== 'running') return [];
    const { startedAtMs } = report.state;
    const state = { type: 'terminated', ...how, startedAtMs, finishedAtMs } as const;
    return { ...report, state, started: false, ready: false };
  });
}
