/**
 * What an installation has on the engine, by its labels; and the removal of what has no owner:
 * containers and volumes of a task whose sandbox is gone, and the rest of a task that was buried by
 * a process that died over it.
 */
import { engineCall } from './engine.ts';
import type { Engine } from './engine.ts';
import { removeVolume } from './graveyard.ts';
import { inBatches } from './in-batches.ts';
import { LABEL } from './names.ts';
import { removeContainer } from './task-record.ts';

interface Owned {
  /** Id of a container, name of a volume. */
  readonly key: string;
  readonly taskId: string;
}

export interface Survey {
  /** Tasks that have a sandbox. */
  readonly claimed: readonly string[];
  readonly containers: readonly Owned[];
  readonly volumes: readonly Owned[];
}

export async function findTasks(engine: Engine, instance: string): Promise<Survey> {
  const label = [`${LABEL.instance}=${instance}`];
  const containers = await engineCall('list containers', () =>
    engine.docker.listContainers({ all: true, filters: { label } }),
  );
  const volumes = await engineCall('list volumes', () =>
    engine.docker.listVolumes({
      filters: JSON.stringify({ label: [...label, `${LABEL.role}=volume`] }),
    }),
  );
  const taskIdOf = (labels: { [name: string]: string }): string => labels[LABEL.task] ?? '';
  return {
    claimed: containers
      .filter(({ Labels: labels }) => labels[LABEL.role] === 'sandbox')
      .map(({ Labels: labels }) => taskIdOf(labels)),
    containers: containers.map(({ Id: key, Labels: labels }) => ({
      key,
      taskId: taskIdOf(labels),
    })),
    volumes: volumes.Volumes.map(({ Name: key, Labels: labels }) => ({
      key,
      taskId: taskIdOf(labels),
    })),
  };
}

export async function removeStrays(
  engine: Engine,
  survey: Survey,
  isBuried: (taskId: string) => boolean,
): Promise<void> {
  const claimed = new Set(survey.claimed);
  const isStray = ({ taskId }: Owned): boolean => !claimed.has(taskId) || isBuried(taskId);
  await inBatches(survey.containers.filter(isStray), ({ key }) => removeContainer(engine, key));
  await inBatches(survey.volumes.filter(isStray), ({ key }) => removeVolume(engine, key));
}
