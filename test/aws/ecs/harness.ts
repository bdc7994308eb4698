/**
 * EcsRuntime on our model of ECS, under virtual time. Events reach the health messages the way they
 * do on AWS, through the translation of the health function.
 */
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { type ContainerDefinition, ECSClient } from '@aws-sdk/client-ecs';
import { EcsRuntime } from '../../../adapters/aws/ecs/ecs-runtime.ts';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { taskMessage } from '../../../lambdas/health/ecs-event.ts';
import type { ContainerSpec, HealthMessage, TaskSpec } from '../../../shared/api/task.ts';
import type { TaskRuntime } from '../../../shared/ports/runtime.ts';
import type { Behaviour, Behaviours, RuntimeHarness } from '../../contract/runtime.contract.ts';
import { SETTINGS } from '../../unit/ecs/tasks.ts';
import { AwsModel } from '../model/model.ts';
import { MODEL_CLIENT, modelHandler } from '../model/request-handler.ts';
import { FAST_LATENCIES, PERFECT_DELIVERY, type Settings } from '../model/settings.ts';
import { timersOnClock } from '../model/timers.ts';

/** While a call is under way, the time moves on by so much at a time. */
const WAIT_MS = 20;

/** Below the thirty seconds that the contract waits. */
const GRACE_SECONDS = 5;

export class EcsWorld {
  readonly clock = new StepClock();
  readonly messages: HealthMessage[] = [];
  readonly recorder = new MemoryRecorder();
  readonly model: AwsModel;
  readonly ecs: ECSClient;
  readonly logs: CloudWatchLogsClient;

  constructor(settings: Partial<Settings> = {}, seed = 7) {
    this.model = new AwsModel({
      timers: timersOnClock(this.clock),
      random: new SeededRandom(seed),
      emit: (event) => {
        const message = taskMessage({ ...event });
        if (message) this.messages.push(message);
      },
      settings: { latencies: FAST_LATENCIES, delivery: PERFECT_DELIVERY, ...settings },
    });
    const requestHandler = modelHandler(this.model);
    this.ecs = new ECSClient({ ...MODEL_CLIENT, requestHandler });
    this.logs = new CloudWatchLogsClient({ ...MODEL_CLIENT, requestHandler });
    standInForHelpers(this.ecs);
  }

  runtime(): EcsRuntime {
    const { ecs, logs, clock, recorder } = this;
    return new EcsRuntime({ ecs, logs, clock, recorder, settings: SETTINGS });
  }

  /** The call's result; the time moves on while it is under way. */
  async during<T>(call: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => void (isOver = true);
    call.then(over, over);
    for (let turn = 0; !isOver; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      // Most calls need no time, only turns.
      if (turn > 5) await this.clock.advance(WAIT_MS);
    }
    return call;
  }
}

export function ecsHarness(nodeName: string): RuntimeHarness {
  const world = new EcsWorld();
  if (nodeName.startsWith('i-')) {
    const size = { cpu: 8192, memoryMiB: 16_384, maxEnis: 10 };
    world.model.ecs.instances.register({ ec2InstanceId: nodeName, ...size });
  }
  return {
    runtime: timely(world),
    messages: world.messages,
    isPolled: true,
    nodeName,
    missingImage: 'registry.invalid/app:missing',
    adapt,
    pass: (ms) => world.clock.advance(ms),
    restart: async () => timely(world),
    close: async () => {},
  };
}

/** The runtime, with a clock that goes on while a call waits for it. */
function timely(world: EcsWorld): TaskRuntime {
  const runtime = world.runtime();
  return {
    run: (task) => world.during(runtime.run(task)),
    stop: (id, graceSeconds) => world.during(runtime.stop(id, graceSeconds)),
    describe: (ids) => world.during(runtime.describe(ids)),
    list: () => world.during(runtime.list()),
    exec: (id, container, options) => world.during(runtime.exec(id, container, options)),
    async *logs(id, container, options) {
      const chunks = runtime.logs(id, container, options);
      for (;;) {
        const chunk = await world.during(chunks.next());
        if (chunk.done) return;
        yield chunk.value;
      }
    },
  };
}

function adapt(task: TaskSpec, behaviours: Behaviours): TaskSpec {
  const adapted = (container: ContainerSpec): ContainerSpec =>
    container.image === '' ? behaving(container, behaviours[container.name] ?? {}) : container;
  return {
    ...task,
    graceSeconds: GRACE_SECONDS,
    initContainers: task.initContainers.map(adapted),
    containers: task.containers.map(adapted),
  };
}

export function behaving(container: ContainerSpec, behaviour: Behaviour): ContainerSpec {
  const probe = {
    action: { type: 'exec', command: ['true'] } as const,
    ...{ initialDelayMs: 0, periodMs: 5_000, timeoutMs: 2_000 },
    ...{ successThreshold: 1, failureThreshold: 3 },
  };
  return {
    ...container,
    image: 'test:1',
    command: ['nullplane-test', JSON.stringify(behaviour)],
    ...(behaviour.readyAfterMs === undefined ? {} : { probes: { readiness: probe } }),
  };
}

/**
 * The model runs no shells, so that the helpers are told to behave as their scripts would, which
 * test/unit/ecs/scripts.test.ts shows: volumes are filled at once, and the end comes with the last
 * of the others.
 */
function standInForHelpers(ecs: ECSClient): void {
  ecs.middlewareStack.add(
    (next) => (args) => {
      const input = args.input as { containerDefinitions?: ContainerDefinition[] };
      const { containerDefinitions: all } = input;
      if (!all) return next(args);
      const containerDefinitions = all.map((one) => standIn(one, all));
      return next({ ...args, input: { ...input, containerDefinitions } as typeof args.input });
    },
    { step: 'initialize', name: 'standInForHelpers' },
  );
}

function standIn(
  container: ContainerDefinition,
  all: readonly ContainerDefinition[],
): ContainerDefinition {
  const behaves = (behaviour: Behaviour) => ({
    ...container,
    command: ['nullplane-test', JSON.stringify(behaviour)],
  });
  if (container.name === 'nullplane_files') return behaves({ exitCode: 0 });
  if (container.name !== 'nullplane_end') return container;
  const others = all.filter((one) => one !== container && one.entryPoint?.[0] === 'nullplane-test');
  const ends = others.map(({ entryPoint }) => {
    const { exitCode, exitAfterMs = 0 } = JSON.parse(entryPoint?.[1] ?? '{}') as Behaviour;
    return exitCode === undefined ? Infinity : exitAfterMs;
  });
  const lastMs = Math.max(...ends);
  return lastMs === Infinity ? container : behaves({ exitCode: 0, exitAfterMs: lastMs + 10 });
}
