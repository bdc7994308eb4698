/** What the reasons of containers that never began begin with, in the words of kubectl's users. */
import type { WaitingReason } from '../../../shared/api/task.ts';

/** What Kubernetes shows of a container that could not be started: it has no exit code. */
export const UNKNOWN_EXIT_CODE = 128;

/** Amazon ECS developer guide, "stopped task error codes". The first match counts. */
const FAILURES: readonly (readonly [RegExp, WaitingReason | 'ContainerCannotRun'])[] = [
  [/^CannotPull\w*Error.*invalid reference format/s, 'InvalidImageName'],
  [/^CannotPull\w*Error/, 'ErrImagePull'],
  [/^CannotStart\w*Error/, 'ContainerCannotRun'],
  [/^CannotCreate\w*Error/, 'CreateContainerError'],
  [/^ResourceInitializationError/, 'CreateContainerConfigError'],
  [/^(DockerTimeoutError|ContainerRuntime\w*Error|CannotInspect\w*Error)/, 'CreateContainerError'],
];

/** Why the container could not begin; undefined when the reason does not say so. */
export function launchFailure(
  reason: string | undefined,
): WaitingReason | 'ContainerCannotRun' | undefined {
  return FAILURES.find(([form]) => form.test(reason ?? ''))?.[1];
}
