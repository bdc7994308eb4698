/**
 * The cloud of a world on AWS: the product's adapters of ECS and EC2, whose SDK clients talk to the
 * model (test/aws/model) in-process, on the agenda's time, through the world's network. Owns what a
 * function's instance keeps between two invocations; does not own what the model does.
 *
 * Invariants:
 *  C1 Each request of a client is one call of the network: a process may die between any two.
 *  C2 An invocation that dies takes its instance with it; two at once are two instances.
 *  C3 Nothing waits on the wall clock: clients try once, with static credentials and region. What
 *     the SDK reads from files it reads once a process, before this module is loaded.
 */
import { CloudWatchLogsClient, DescribeLogStreamsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { ECSClient, ListTasksCommand } from '@aws-sdk/client-ecs';
import type { HttpHandler, HttpRequest } from '@smithy/core/protocols';
import { Ec2Instances } from '../../adapters/aws/ec2/ec2-instances.ts';
import { EcsRuntime, type EcsSettings } from '../../adapters/aws/ecs/ecs-runtime.ts';
import { SeededRandom } from '../../adapters/memory/seeded-random.ts';
import { taskMessage } from '../../lambdas/health/ecs-event.ts';
import { instanceMessage } from '../../lambdas/health/instance-event.ts';
import type { HealthMessage } from '../../shared/api/task.ts';
import type { InstancePool } from '../../shared/ports/instances.ts';
import type { Recorder } from '../../shared/ports/recorder.ts';
import type { TaskRuntime } from '../../shared/ports/runtime.ts';
import type { Envelope } from '../aws/model/events.ts';
import { AwsModel } from '../aws/model/model.ts';
import { MODEL_CLIENT, modelHandler } from '../aws/model/request-handler.ts';
import { type Settings as ModelSettings, PERFECT_DELIVERY } from '../aws/model/settings.ts';
import { timersOnAgenda } from '../aws/model/timers.ts';
import { type Agenda, virtualClock } from './agenda.ts';
import { handlerOf, type Network, type Process } from './process.ts';

export const ECS_SETTINGS: EcsSettings = {
  installation: 'nullplane',
  cluster: 'nullplane',
  region: MODEL_CLIENT.region,
  subnets: ['subnet-a', 'subnet-b'],
  securityGroups: ['sg-1'],
  assignPublicIp: true,
  executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
  logGroup: '/nullplane/nullplane/tasks',
  filesImage: 'busybox:1.36',
};

const TEMPLATE = 'lt-0123456789abcdef0';

/** Requests that change something. */
const EFFECTFUL = new Set([
  'RunTask',
  'StopTask',
  'RegisterTaskDefinition',
  'CreateFleet',
  'TerminateInstances',
]);

/** The model asks nobody who he is, and a signature takes as long as all the rest of a call. */
const UNSIGNED = { sign: async (request: HttpRequest) => request };

/** How often an invocation meets a new instance although a warm one is idle. */
const COLD_START = 0.05;

export interface AwsCloudOptions {
  readonly agenda: Agenda;
  readonly random: SeededRandom;
  readonly network: Network;
  readonly recorder: Recorder;
  readonly settings?: Partial<ModelSettings>;
  /** Told of each event as it comes about; losing some is the post's business. */
  readonly emit: (event: Envelope) => void;
}

/** What one instance of a function keeps. */
interface Instance {
  /** The invocation that it serves. */
  process: Process | undefined;
  readonly runtime: EcsRuntime;
  readonly pool: Ec2Instances;
}

/** What a process reaches of the cloud. */
export interface Ports {
  readonly runtime: TaskRuntime;
  readonly instances: InstancePool;
}

export class AwsCloud {
  readonly model: AwsModel;
  readonly #options: AwsCloudOptions;
  readonly #random: SeededRandom;
  readonly #idle = new Map<string, Instance[]>();

  constructor(options: AwsCloudOptions) {
    this.#options = options;
    this.#random = options.random.fork('instances');
    this.model = new AwsModel({
      timers: timersOnAgenda(options.agenda),
      random: options.random.fork('model'),
      emit: options.emit,
      settings: { ...options.settings, delivery: PERFECT_DELIVERY },
    });
  }

  /** Calls of a process are served by warm instances of its function. */
  portsOf(process: Process): Ports {
    const on = <T>(work: (instance: Instance) => Promise<T>): Promise<T> =>
      this.#withInstance(process, work);
    const cold = () => this.#started(process).runtime;
    return {
      runtime: {
        run: (task) => on(({ runtime }) => runtime.run(task)),
        runAlike: (task, places) => on(({ runtime }) => runtime.runAlike(task, places)),
        stop: (id, grace, handle) => on(({ runtime }) => runtime.stop(id, grace, handle)),
        describe: (ids) => on(({ runtime }) => runtime.describe(ids)),
        list: () => on(({ runtime }) => runtime.list()),
        logs: (...args) => cold().logs(...args),
        exec: (...args) => cold().exec(...args),
      },
      instances: {
        launch: (request) => on(({ pool }) => pool.launch(request)),
        terminate: (ids) => on(({ pool }) => pool.terminate(ids)),
        describe: (ids) => on(({ pool }) => pool.describe(ids)),
        list: () => on(({ pool }) => pool.list()),
        zones: () => on(({ pool }) => pool.zones()),
      },
    };
  }

  /** What an instance that serves one process for ever reaches. */
  dedicated(process: Process): Ports {
    const { runtime, pool } = this.#started(process);
    return { runtime, instances: pool };
  }

  /** A machine that boots and joins by itself; its id is its node's name. */
  addMachine(type: string): string {
    const place = { zone: `${MODEL_CLIENT.region}a`, subnet: 'subnet-a' };
    const from = { template: TEMPLATE, templateVersion: '1', clientToken: '', fleetId: '' };
    const given = { type, ...place, ...from, lifecycle: 'on-demand' } as const;
    return this.model.ec2.machines.launch(given, new Map()).id;
  }

  terminateMachine(id: string): void {
    const machine = this.model.ec2.machines.get(id);
    if (machine) this.model.ec2.machines.terminate(machine);
  }

  /** Does nothing to a machine that has not joined, or is gone. */
  setAgent(id: string, connected: boolean): void {
    const { instances } = this.model.ecs;
    const instance = instances.byEc2Id(id);
    if (instance && this.model.ec2.machines.get(id)?.state === 'running') {
      instances.setConnected(instance, connected);
    }
  }

  async #withInstance<T>(process: Process, work: (instance: Instance) => Promise<T>): Promise<T> {
    const idle = this.#idleOf(process);
    const warm = this.#random.chance(COLD_START) ? undefined : idle.pop();
    const instance = warm ?? this.#started(process);
    instance.process = process;
    try {
      return await work(instance); // of a dead process, never
    } finally {
      idle.push(instance);
    }
  }

  #idleOf(process: Process): Instance[] {
    const handler = handlerOf(process);
    const known = this.#idle.get(handler) ?? [];
    this.#idle.set(handler, known);
    return known;
  }

  #started(process: Process): Instance {
    const { agenda, recorder } = this.#options;
    const clients = this.clients(() => instance.process ?? process);
    const { ecs, ec2, logs } = clients;
    const random = this.#random.fork(process.name);
    const runtime = new EcsRuntime({
      ...{ ecs, logs, recorder, settings: ECS_SETTINGS },
      clock: virtualClock(agenda),
      random: () => random.fraction(),
    });
    const settings = { ...ECS_SETTINGS, launchTemplateId: TEMPLATE };
    const pool = new Ec2Instances({ ec2, ecs, settings });
    const instance: Instance = { process, runtime, pool };
    return instance;
  }

  /** SDK clients whose requests are calls of whichever process is at work. */
  clients(from: () => Process) {
    const settings = { ...MODEL_CLIENT, signer: UNSIGNED, requestHandler: this.#handler(from) };
    return {
      ecs: new ECSClient(settings),
      ec2: new EC2Client(settings),
      logs: new CloudWatchLogsClient(settings),
    };
  }

  #handler(from: () => Process): HttpHandler {
    const { network } = this.#options;
    const model = modelHandler(this.model);
    return {
      ...model,
      handle: async (request: HttpRequest) => {
        const { operation, about } = labelOf(request);
        const effectful = EFFECTFUL.has(operation);
        const call = { from: from(), service: 'runtime', operation, about, effectful } as const;
        try {
          return await network.call(call, () => model.handle(request));
        } catch (error) {
          throw Object.assign(new Error(`${operation}: ${String(error)}`), {
            name: 'TimeoutError',
          });
        }
      },
    };
  }
}

/** The health message in an event, as the health function finds it; undefined if there is none. */
export function healthMessageOf(event: Envelope): HealthMessage | undefined {
  return taskMessage({ ...event }) ?? instanceMessage({ ...event });
}

function labelOf({ headers, body }: HttpRequest): { operation: string; about: string } {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array);
  const target = headers['x-amz-target'];
  if (target === undefined) {
    return { operation: new URLSearchParams(text).get('Action') ?? '', about: '' };
  }
  const input = JSON.parse(text) as { readonly [name: string]: string | undefined };
  const about = input['clientToken'] ?? input['task'] ?? input['startedBy'] ?? '';
  return { operation: target.split('.').at(-1) ?? '', about };
}

/** Clients read shared configuration files at their first call, and keep what they read. */
async function readSharedConfiguration(): Promise<void> {
  const model = new AwsModel({
    timers: { nowMs: () => 0, in: () => {} },
    random: new SeededRandom(0),
  });
  const requestHandler = modelHandler(model);
  const [cluster] = model.settings.clusters;
  const [logGroupName] = model.settings.logGroups;
  await new ECSClient({ ...MODEL_CLIENT, requestHandler }).send(new ListTasksCommand({ cluster }));
  await new EC2Client({ ...MODEL_CLIENT, requestHandler }).send(new DescribeInstancesCommand({}));
  await new CloudWatchLogsClient({ ...MODEL_CLIENT, requestHandler }).send(
    new DescribeLogStreamsCommand({ logGroupName }),
  );
}

await readSharedConfiguration();
