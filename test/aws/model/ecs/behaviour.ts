/**
 * What a container does, read from its command. `["nullplane-test", "<JSON>"]` says it all; any
 * other command runs until it is stopped. Containers are not run: this is what stands for them.
 */
import type { ContainerDefinition, TaskOverride } from '@aws-sdk/client-ecs';

export interface Behaviour {
  /** Printed at the start, a line each. */
  readonly output?: readonly string[];
  /** Variables that are printed after the output: `NAME=value`, a line each. */
  readonly printEnv?: readonly string[];
  readonly exitCode?: number;
  /** When it exits; at once when absent. Only with an exit code. */
  readonly exitAfterMs?: number;
  /** Only SIGKILL ends it. */
  readonly ignoresTerm?: boolean;
  /** Its health check fails until so long after the start. */
  readonly readyAfterMs?: number;
  /** Its health check fails from so long after the start. */
  readonly unhealthyAfterMs?: number;
}

const TEST_COMMAND = 'nullplane-test';

export interface Process {
  readonly behaviour: Behaviour;
  readonly environment: ReadonlyMap<string, string>;
}

/** The command and environment after the overrides. A broken JSON is a broken test: it throws. */
export function processOf(container: ContainerDefinition, overrides?: TaskOverride): Process {
  const own = overrides?.containerOverrides?.find(({ name }) => name === container.name);
  const words = [...(container.entryPoint ?? []), ...(own?.command ?? container.command ?? [])];
  const at = words.indexOf(TEST_COMMAND);
  const behaviour = at < 0 ? {} : (JSON.parse(words[at + 1] ?? '{}') as Behaviour);
  const environment = new Map<string, string>();
  for (const { name, value } of [...(container.environment ?? []), ...(own?.environment ?? [])]) {
    environment.set(name ?? '', value ?? '');
  }
  return { behaviour, environment };
}

export function outputOf({ behaviour, environment }: Process): string[] {
  const variables = (behaviour.printEnv ?? []).map(
    (name) => `${name}=${environment.get(name) ?? ''}`,
  );
  return [...(behaviour.output ?? []), ...variables];
}

/** Registries have no image whose name says so, nor the tag `missing`. */
export function isMissingImage(image: string): boolean {
  return image.includes('does-not-exist') || image.endsWith(':missing');
}
