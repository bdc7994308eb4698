/**
 * A Docker runtime of its own for each test, under an instance name that nobody else uses, and
 * without leftovers.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { DockerRuntime } from '../../../adapters/docker/docker-runtime.ts';
import { LABEL } from '../../../adapters/docker/names.ts';
import { SystemClock } from '../../../adapters/node/system-clock.ts';
import type { ContainerSpec, HealthMessage, TaskSpec } from '../../../shared/api/task.ts';
import type { Behaviour, Behaviours, RuntimeHarness } from '../../contract/runtime.contract.ts';
import { TEST_IMAGES, TRAPPED_FILE } from './test-image.ts';

export interface DockerHarness extends RuntimeHarness {
  readonly runtime: DockerRuntime;
  readonly docker: Dockerode;
  restart(): Promise<DockerRuntime>;
  /** Names of this instance's containers and volumes, in any state. */
  leftovers(): Promise<{ containers: string[]; volumes: string[] }>;
}

const TRAP_TRIES = 50;
const TRAP_WAIT_MS = 50;

/**
 * A first process that is asked to end before it has said what to do then, is not: the cases don't
 * mean that.
 */
class PatientRuntime extends DockerRuntime {
  override async stop(taskId: string, graceSeconds: number): Promise<void> {
    const [state] = await this.describe([taskId]);
    for (const container of state?.containers ?? []) {
      if (container.state.type === 'running') await this.#untilTrapped(taskId, container.name);
    }
    await super.stop(taskId, graceSeconds);
  }

  async #untilTrapped(taskId: string, container: string): Promise<void> {
    const { signal } = new AbortController();
    const command = ['test', '-e', TRAPPED_FILE];
    for (let tries = TRAP_TRIES; tries > 0; tries -= 1) {
      const options = { command, tty: false, stdin: false, signal };
      const session = await this.exec(taskId, container, options).catch(() => undefined);
      for await (const _frame of session?.output ?? []) continue;
      // Without a session or a code the container has ended meanwhile: nobody is left to wait for.
      if (!session || !(await session.exitCode.catch(() => 0))) return;
      await wait(TRAP_WAIT_MS);
    }
  }
}

export async function dockerHarness(docker: Dockerode): Promise<DockerHarness> {
  const instance = `test-${randomUUID()}`;
  const messages: HealthMessage[] = [];
  const make = async (): Promise<DockerRuntime> => {
    const emit = (message: HealthMessage): void => void messages.push(message);
    const runtime = new PatientRuntime({ docker, clock: new SystemClock(), emit, instance });
    await runtime.start();
    return runtime;
  };
  let current = await make();
  return {
    runtime: current,
    docker,
    messages,
    nodeName: 'node-1',
    missingImage: 'registry.invalid/missing:1',
    adapt,
    pass: (ms) => wait(ms),
    restart: async () => {
      current.close();
      current = await make();
      return current;
    },
    leftovers: () => leftoversOf(docker, instance),
    close: async () => {
      current.close();
      await removeAll(docker, instance);
    },
  };
}

function adapt(task: TaskSpec, behaviours: Behaviours): TaskSpec {
  const adapted = (container: ContainerSpec): ContainerSpec =>
    container.image === '' ? behaving(container, behaviours[container.name] ?? {}) : container;
  return {
    ...task,
    initContainers: task.initContainers.map(adapted),
    containers: task.containers.map(adapted),
  };
}

function behaving(container: ContainerSpec, behaviour: Behaviour): ContainerSpec {
  const {
    output = [],
    printEnv = [],
    exitCode,
    exitAfterMs = 0,
    ignoresTerm,
    readyAfterMs,
  } = behaviour;
  const script = [
    ignoresTerm ? "trap '' TERM" : "trap 'exit 0' TERM",
    `touch ${TRAPPED_FILE}`,
    ...output.map((line) => `echo '${line}'`),
    ...printEnv.map((name) => `echo "${name}=$${name}"`),
    ...(readyAfterMs === undefined ? [] : [`(sleep ${readyAfterMs / 1000}; touch /tmp/ready) &`]),
    // In the background, so that the trap runs at once.
    exitCode === undefined
      ? 'while true; do sleep 3600 & wait $!; done'
      : `sleep ${exitAfterMs / 1000} & wait $!; exit ${exitCode}`,
  ];
  const action = { type: 'exec', command: ['test', '-e', '/tmp/ready'] } as const;
  const readiness = {
    ...{ action, initialDelayMs: 0, periodMs: 500, timeoutMs: 2_000 },
    ...{ successThreshold: 1, failureThreshold: 1 },
  };
  return {
    ...container,
    image: TEST_IMAGES[0],
    command: ['sh', '-c', script.join('\n')],
    ...(readyAfterMs !== undefined && { probes: { ...container.probes, readiness } }),
  };
}

async function leftoversOf(
  docker: Dockerode,
  instance: string,
): Promise<{ containers: string[]; volumes: string[] }> {
  const label = [`${LABEL.instance}=${instance}`];
  const containers = await docker.listContainers({ all: true, filters: { label } });
  const volumes = await docker.listVolumes({ filters: JSON.stringify({ label }) });
  return {
    containers: containers.flatMap(({ Names: names }) => names),
    volumes: volumes.Volumes.map(({ Name: name }) => name),
  };
}

async function removeAll(docker: Dockerode, instance: string): Promise<void> {
  const { containers, volumes } = await leftoversOf(docker, instance);
  const remove = (name: string): Promise<unknown> =>
    docker.getContainer(name.slice(1)).remove({ force: true, v: true });
  await Promise.allSettled(containers.map(remove));
  await Promise.allSettled(volumes.map((name) => docker.getVolume(name).remove()));
}
