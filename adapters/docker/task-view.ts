/**
 * What the engine knows of a task at one moment, in our words. Read as a whole, so that decisions
 * and reports are pure functions of it.
 */
import type Dockerode from 'dockerode';
import type { TaskSpec } from '../../shared/api/task.ts';
import type { Engine } from './engine.ts';
import { ifPresent } from './engine.ts';
import { containerName, sandboxName } from './names.ts';

export interface TaskView {
  readonly sandbox?: SandboxView;
  /** Those that exist, by the container's name in the pod. */
  readonly members: ReadonlyMap<string, MemberView>;
}

export interface SandboxView {
  readonly id: string;
  readonly everStarted: boolean;
  readonly running: boolean;
  /** When it ended, if it has. */
  readonly finishedAtMs?: number;
  readonly ip?: string;
}

export interface MemberView {
  readonly id: string;
  readonly imageId: string;
  readonly state:
    | { readonly type: 'created' }
    | { readonly type: 'running'; readonly startedAtMs: number }
    | {
        readonly type: 'ended';
        readonly exitCode: number;
        readonly oomKilled: boolean;
        readonly startedAtMs: number;
        readonly finishedAtMs: number;
        /** The engine could not start it, and says why. */
        readonly startError?: string;
      };
}

export async function readTask(engine: Engine, spec: TaskSpec): Promise<TaskView> {
  const containers = [...spec.initContainers, ...spec.containers];
  const [sandbox, ...members] = await Promise.all([
    readSandbox(engine, spec.id),
    ...containers.map((container) => readMember(engine, spec.id, container.name)),
  ]);
  const found = containers.flatMap((container, index) => {
    const member = members[index];
    return member ? [[container.name, member] as const] : [];
  });
  return { ...(sandbox && { sandbox }), members: new Map(found) };
}

export async function readSandbox(
  engine: Engine,
  taskId: string,
): Promise<SandboxView | undefined> {
  const info = await inspect(engine, sandboxName(taskId));
  if (!info) return undefined;
  const finishedAtMs = timeMs(info.State.FinishedAt);
  const ip = Object.values(info.NetworkSettings.Networks)
    .map((network) => network.IPAddress)
    .find((address) => address !== '');
  return {
    id: info.Id,
    everStarted: timeMs(info.State.StartedAt) !== undefined,
    running: info.State.Running,
    ...(!info.State.Running && finishedAtMs !== undefined && { finishedAtMs }),
    ...(ip !== undefined && { ip }),
  };
}

async function readMember(
  engine: Engine,
  taskId: string,
  container: string,
): Promise<MemberView | undefined> {
  const info = await inspect(engine, containerName(taskId, container));
  return info && { id: info.Id, imageId: info.Image, state: memberState(info) };
}

function memberState(info: Dockerode.ContainerInspectInfo): MemberView['state'] {
  const { State: state } = info;
  const createdAtMs = timeMs(info.Created) ?? 0;
  const startedAtMs = timeMs(state.StartedAt);
  if (state.Running && startedAtMs !== undefined) return { type: 'running', startedAtMs };
  const failedToStart = startedAtMs === undefined && state.Error !== '';
  if (startedAtMs === undefined && !failedToStart) return { type: 'created' };
  return {
    type: 'ended',
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    startedAtMs: startedAtMs ?? createdAtMs,
    finishedAtMs: timeMs(state.FinishedAt) ?? startedAtMs ?? createdAtMs,
    ...(failedToStart && { startError: state.Error }),
  };
}

async function inspect(
  engine: Engine,
  name: string,
): Promise<Dockerode.ContainerInspectInfo | undefined> {
  return ifPresent('inspect container', () => engine.docker.getContainer(name).inspect());
}

/** The engine writes the year 1 for "never". */
function timeMs(text: string): number | undefined {
  const ms = Date.parse(text);
  return ms > 0 ? ms : undefined;
}
