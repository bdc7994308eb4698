/**
 * The record of a task on the engine itself: its sandbox, and in the sandbox's own file system the
 * task's spec. Creating the sandbox claims the id (its name is taken, once), writing the spec
 * commits the claim: so any later process can finish or end what an earlier one began, and needs no
 * database of its own to do so.
 *
 * The spec has secrets: only who may read all of the engine's containers, and so all of their
 * environment, can read it.
 */
import type { TaskSpec } from '../../shared/api/task.ts';
import { sandboxOptions } from './container-options.ts';
import { engineCall, ifPresent, isRefusal, unlessAlready } from './engine.ts';
import type { Engine } from './engine.ts';
import { sandboxName } from './names.ts';
import { ensureSandboxImage } from './sandbox-image.ts';
import { packTar, unpackTar } from './tar.ts';

const FOLDER = 'task';
const SPEC = `${FOLDER}/spec.json`;
const PREPARED = `${FOLDER}/prepared`;

export interface TaskRecord {
  readonly spec: TaskSpec;
  /** All containers were created; some may have been started. */
  readonly prepared: boolean;
}

/** Answers with the record that there is, or else makes one of `task`. Safe to repeat. */
export async function claimTask(
  engine: Engine,
  instance: string,
  task: TaskSpec,
): Promise<TaskRecord> {
  const isNew = await createSandbox(engine, instance, task);
  const found = isNew ? undefined : await readRecord(engine, task.id);
  if (found) return found;
  await put(engine, task.id, SPEC, JSON.stringify(task));
  return { spec: task, prepared: false };
}

/** Undefined where there is no sandbox, or a claim that was not committed. */
export async function readRecord(engine: Engine, taskId: string): Promise<TaskRecord | undefined> {
  const archive = await ifPresent('read task', async () => {
    const sandbox = engine.docker.getContainer(sandboxName(taskId));
    const stream = await sandbox.getArchive({ path: `/${FOLDER}` });
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream) chunks.push(chunk as unknown as Uint8Array);
    return Buffer.concat(chunks);
  });
  const files = archive && unpackTar(archive);
  const spec = files?.get(SPEC);
  if (!files || !spec) return undefined;
  return { spec: JSON.parse(spec.toString()) as TaskSpec, prepared: files.has(PREPARED) };
}

/** From now on a container that is missing was removed, and must not be made again. */
export async function markPrepared(engine: Engine, taskId: string): Promise<void> {
  await put(engine, taskId, PREPARED, '');
}

async function createSandbox(engine: Engine, instance: string, task: TaskSpec): Promise<boolean> {
  const create = (): Promise<unknown> =>
    engineCall('create sandbox', () =>
      engine.docker.createContainer(sandboxOptions(instance, task)),
    );
  try {
    await create().catch(async (error: unknown) => {
      if (!isRefusal(error, 404)) throw error;
      await ensureSandboxImage(engine); // somebody removed it: it is in no registry
      await create();
    });
    return true;
  } catch (error) {
    if (isRefusal(error, 409)) return false;
    throw error;
  }
}

async function put(engine: Engine, taskId: string, path: string, content: string): Promise<void> {
  const archive = packTar([
    { type: 'folder', path: FOLDER, mode: 0o700 },
    { type: 'file', path, mode: 0o600, data: Buffer.from(content) },
  ]);
  const sandbox = engine.docker.getContainer(sandboxName(taskId));
  await engineCall('write task', () => sandbox.putArchive(archive, { path: '/' }));
}

/** Removes a container and what it left, whatever its state. */
export async function removeContainer(engine: Engine, nameOrId: string): Promise<void> {
  await unlessAlready('remove container', () =>
    engine.docker.getContainer(nameOrId).remove({ force: true, v: true }),
  );
}
