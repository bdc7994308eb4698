/**
 * Helper containers of a task: they give ECS what it lacks of Kubernetes' semantics. They are few,
 * idle, and run the operator's image, never a user's.
 */
import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import type { ContainerSpec } from '../../../shared/api/task.ts';
import type { Checks } from './health-check.ts';
import { containerName, OWN } from './names.ts';

type Helper = Pick<
  ContainerDefinition,
  'name' | 'essential' | 'entryPoint' | 'command' | 'healthCheck' | 'dependsOn'
>;

/** In the background, so that the trap runs at once. */
const IDLE = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done";

/** Ask a container from beside it, over the network that they share. */
export function askingHelpers(
  asked: string,
  container: string,
  { helpers }: Checks,
): readonly Helper[] {
  return helpers.map(({ role, check }) => ({
    name: containerName(container, role),
    essential: false,
    entryPoint: ['sh', '-c'],
    command: [IDLE],
    healthCheck: check,
    dependsOn: [{ containerName: asked, condition: 'START' }],
  }));
}

/** How often the end of the others is looked for. */
const LOOK_SECONDS = 2;

/**
 * Ends the task once all of these have ended: a task of ECS has to have an essential container, and
 * ends with the first of them that does. It reads the task's own metadata (version 4), which is
 * local to the task. A dependency on their completion would do as well, but keeps ECS from calling
 * the task running.
 */
export function endHelper(names: readonly string[]): Helper {
  const ended = (name: string) =>
    `printf %s "$all" | grep '"Name": *"${name}"' | grep -q '"KnownStatus": *"STOPPED"'`;
  const lines = [
    "trap 'exit 143' TERM",
    'while :; do',
    `  sleep ${LOOK_SECONDS} & wait $!`,
    '  all=$(wget -q -O - "$ECS_CONTAINER_METADATA_URI_V4/task" | tr -d "\\n" |' +
      ' sed \'s/{"DockerId"/\\n&/g\') || continue',
    `  ${names.map(ended).join(' && ')} && exit 0`,
    'done',
  ];
  return {
    name: containerName(OWN, 'end'),
    essential: true,
    entryPoint: ['sh', '-c'],
    command: [lines.join('\n')],
  };
}

/** The containers whose end the helper waits for; undefined where ECS's own rule does. */
export function awaitedEnds(containers: readonly ContainerSpec[]): boolean {
  return containers.length > 1 && containers.every(({ essential }) => !essential);
}
