/**
 * Which runtime local mode uses: Docker when it answers and nothing else was asked for, else
 * simulated tasks.
 */
import type Dockerode from 'dockerode';
import { connectDocker } from '../adapters/docker/connect.ts';
import { DockerRuntime } from '../adapters/docker/docker-runtime.ts';
import { SimulatedRuntime, type TaskRecord } from '../adapters/memory/simulated-runtime.ts';
import { SystemClock } from '../adapters/node/system-clock.ts';
import type { HealthMessage } from '../shared/api/task.ts';
import type { RunningRuntime } from './plane.ts';
import type { StartOptions } from './start.ts';
import { openJournal } from './journal.ts';

/** The exit code of a process that SIGKILL ended. */
const KILLED = 137;

export interface ChosenRuntime {
  /** For people: what tasks are. */
  readonly description: string;
  start(emit: (message: HealthMessage) => void): Promise<RunningRuntime>;
  /** The simulated runtime, once it runs. */
  simulated(): SimulatedRuntime | undefined;
  /** Ends a running task as a crash would. */
  kill(taskId: string): Promise<void>;
  /** The pod is gone: what is kept of its ended tasks is of no use any more. */
  forgetPod(podUid: string): void;
}

/** Throws an Error when Docker was asked for and does not answer. */
export async function chooseRuntime(
  options: StartOptions,
  journalPath: string,
  instance: string,
): Promise<ChosenRuntime> {
  if (options.runtime === 'simulated') return simulated(options, journalPath, 'simulated');
  let reason = '';
  const docker = await connectDocker((why) => (reason = why));
  if (docker) return inDocker(docker, instance);
  if (options.runtime === 'docker') throw new Error(`Docker does not answer: ${reason}`);
  return simulated(options, journalPath, `simulated (Docker does not answer: ${reason})`);
}

/** Long enough to be watched, short enough not to be waited for. */
const WATCHABLE_DELAYS = {
  pullDelayMs: 300,
  startDelayMs: 200,
  readyDelayMs: 500,
  stopDelayMs: 200,
};

function simulated(options: StartOptions, journalPath: string, description: string): ChosenRuntime {
  let runtime: SimulatedRuntime | undefined;
  const quick = options.simulatedDelays === 'none';
  return {
    description,
    start: async (emit) => {
      const journal = quick ? undefined : openJournal<TaskRecord>(journalPath);
      const started = new SimulatedRuntime({
        clock: new SystemClock(),
        emit,
        ...(quick ? {} : { delays: WATCHABLE_DELAYS }),
        ...(journal ? { journal } : {}),
      });
      runtime = started;
      const close = (): void => {
        void started.close();
        journal?.close();
      };
      return { runtime: started, close };
    },
    simulated: () => runtime,
    kill: async (taskId) => runtime?.killTask(taskId, KILLED),
    forgetPod: () => undefined, // simulated tasks cost a record each, and let go of it in time
  };
}

function inDocker(docker: Dockerode, instance: string): ChosenRuntime {
  let started: DockerRuntime | undefined;
  return {
    description: 'Docker containers',
    start: async (emit) => {
      const runtime = new DockerRuntime({ docker, clock: new SystemClock(), emit, instance });
      await runtime.start();
      started = runtime;
      return { runtime, close: () => runtime.close() };
    },
    simulated: () => undefined,
    kill: async (taskId) => {
      const filters = { label: [`nullplane.io/task=${taskId}`] };
      const [container] = await docker.listContainers({ filters });
      if (container) await docker.getContainer(container.Id).kill();
    },
    forgetPod: (podUid) => started?.forgetPod(podUid),
  };
}
