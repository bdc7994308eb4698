/**
 * Tasks whose containers are gone. A task that ended on request leaves no container behind, and yet
 * its id must not run again and its last state must stay known for an hour: so an empty, labelled
 * volume is its tombstone. It lives on the engine because the engine is what a lost or restarted
 * process can't contradict.
 */
import type { TaskSpec, TaskState } from '../../shared/api/task.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { engineCall, unlessAlready } from './engine.ts';
import type { Engine } from './engine.ts';
import { containerName, LABEL, labelsOf, sandboxName, tombstoneName, volumeName } from './names.ts';
import { removeContainer } from './task-record.ts';

/** The port's promise, with a margin for clocks and for a sweep that is late. */
export const KEEP_MS = 65 * 60_000;

export class Graveyard {
  readonly #engine: Engine;
  readonly #instance: string;
  readonly #clock: Clock;
  readonly #states = new Map<string, TaskState>();

  constructor(engine: Engine, instance: string, clock: Clock) {
    this.#engine = engine;
    this.#instance = instance;
    this.#clock = clock;
  }

  find(taskId: string): TaskState | undefined {
    return this.#states.get(taskId);
  }

  async load(): Promise<void> {
    const filters = {
      label: [`${LABEL.instance}=${this.#instance}`, `${LABEL.role}=tombstone`],
    };
    const found = await engineCall('list volumes', () =>
      this.#engine.docker.listVolumes({ filters: JSON.stringify(filters) as never }),
    );
    for (const { Labels: labels } of found.Volumes) {
      const state = JSON.parse(labels[LABEL.state] ?? 'null') as TaskState | null;
      if (state) this.#states.set(state.id, state);
    }
  }

  /** The tombstone first: dying in the middle leaves both, and `load` with `bury` finishes it. */
  async bury(task: TaskSpec, state: TaskState): Promise<void> {
    const labels = {
      ...labelsOf(this.#instance, task, 'tombstone'),
      [LABEL.state]: JSON.stringify(state),
    };
    await engineCall('create tombstone', () =>
      this.#engine.docker.createVolume({ Name: tombstoneName(task.id), Labels: labels }),
    );
    this.#states.set(task.id, state);
    await removeTask(this.#engine, task);
  }

  /**
   * Forgets what nobody may still ask for. The version of a state is the time it was made, or
   * later.
   */
  async expire(): Promise<void> {
    const oldest = this.#clock.nowMs() - KEEP_MS;
    for (const { id, version } of this.#states.values()) {
      if (version > oldest) continue;
      await removeVolume(this.#engine, tombstoneName(id));
      this.#states.delete(id);
    }
  }
}

/** The sandbox last: while it is there, whoever comes next can still read what to remove. */
async function removeTask(engine: Engine, task: TaskSpec): Promise<void> {
  const containers = [...task.initContainers, ...task.containers];
  await Promise.all(
    containers.map(({ name }) => removeContainer(engine, containerName(task.id, name))),
  );
  await removeContainer(engine, sandboxName(task.id));
  await Promise.all(
    task.volumes.map(({ name }) => removeVolume(engine, volumeName(task.id, name))),
  );
}

export async function removeVolume(engine: Engine, name: string): Promise<void> {
  await unlessAlready('remove volume', () => engine.docker.getVolume(name).remove());
}
