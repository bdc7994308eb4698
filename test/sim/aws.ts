/**
 * The simulation over the adapters of ECS and EC2 and our model of them, in bad weather: requests
 * that are throttled, refused, or done and not answered, tasks that find no room, machines and
 * tasks that end, listings that lag. The swarm's own faults strike each request (network.ts) and
 * each event (the post) besides.
 *
 * Oracles beyond the simulation's own: a task id is launched once in the cloud's whole history
 * (S1), only attempts that a pod has had are launched (S8), and once all is well each live task of
 * the cloud is that of a pod's present attempt (L2).
 */
import type { SeededRandom } from '../../adapters/memory/seeded-random.ts';
import { identityOf } from '../../adapters/aws/ecs/names.ts';
import type { Pod } from '../../shared/api/kinds/pod.ts';
import { currentTaskId } from '../../shared/core/pod/attempt.ts';
import type { Violation } from '../../shared/core/invariants.ts';
import { ensureVirtualNodes } from '../../shared/control/virtual-nodes.ts';
import type { TaskRecord } from '../aws/model/ecs/state.ts';
import type { Envelope } from '../aws/model/events.ts';
import type { Fault, FaultKind } from '../aws/model/faults.ts';
import type { Latencies } from '../aws/model/settings.ts';
import { AwsCloud, ECS_SETTINGS, healthMessageOf } from '../world/aws-cloud.ts';
import type { Cloud, World } from '../world/world.ts';
import type { Sky, SkyOptions } from './stage.ts';
import type { Behaviour, Ground } from './workload/ground.ts';

/** Three pods a machine: one of four network interfaces is its own. */
const SMALL = 'm5.xlarge';
const LARGE = 'm5.4xlarge';
/** Together as much room as the workload can ask for. */
const SPARES = 4;

/** Seconds, so that a run meets launches under way; AWS's own are longer. */
const LATENCIES: Latencies = {
  provisioningMs: [200, 2_000],
  pullMs: [200, 3_000],
  activatingMs: [0, 300],
  deactivatingMs: [0, 300],
  termMs: [50, 900],
  deprovisioningMs: [200, 3_000],
  listLagMs: [0, 5_000],
  instanceLagMs: [0, 1_000],
  instancePendingMs: [500, 1_500],
  instanceBootMs: [1_000, 4_000],
  instanceShutdownMs: [1_000, 5_000],
  logLagMs: 0,
};

interface Weather {
  readonly kind: FaultKind;
  readonly probability: number;
  /** Each of them may be struck alone; undefined stands for all that is asked. */
  readonly struck: readonly (string | undefined)[];
}

const DELICATE = [undefined, 'RunTask', 'StopTask', 'ListTasks', 'DescribeTasks'];

/**
 * Probabilities a request, before the seed scales them. Answers in part are RunTask's alone: an
 * established task is never MISSING to DescribeTasks.
 */
const WEATHER: readonly Weather[] = [
  { kind: 'throttle', probability: 0.05, struck: DELICATE },
  { kind: 'error-before', probability: 0.03, struck: DELICATE },
  { kind: 'error-after', probability: 0.05, struck: DELICATE },
  { kind: 'partial', probability: 0.1, struck: ['RunTask'] },
];

/** Whether Fargate has room: drawn anew so often. */
const SHORTAGE_EVERY_MS = 20_000;
const WEATHER_MS = 6 * 60_000;

export function awsSky(given: SkyOptions): Sky {
  return new AwsSky(given);
}

class AwsSky implements Sky {
  readonly cloud: Cloud;
  readonly ground: Ground;
  readonly #given: SkyOptions;
  readonly #aws: AwsCloud;
  readonly #random: SeededRandom;
  /** The tasks that were launched under each id. */
  readonly #launched = new Map<string, TaskRecord>();
  #isBad = false;

  constructor(given: SkyOptions) {
    this.#given = given;
    this.#random = given.random.fork('weather');
    this.#aws = new AwsCloud({
      ...given,
      random: given.random.fork('aws'),
      settings: { latencies: LATENCIES },
      emit: (event) => this.#happened(event),
    });
    this.cloud = {
      portsOf: (process) => this.#aws.portsOf(process),
      decode: (body) => healthMessageOf(JSON.parse(body) as Envelope),
    };
    this.ground = awsGround(this.#aws, this.#random.fork('ground'));
  }

  get requests(): number {
    return Object.values(this.#aws.model.calls.counts).reduce((sum, n) => sum + n, 0);
  }

  async setUp({ store, clock, ids, recorder, runtime }: World): Promise<void> {
    const effects = { store, clock, ids, recorder, runtime };
    await ensureVirtualNodes(effects, ECS_SETTINGS.region);
  }

  begin(): void {
    this.#isBad = true;
    const scale = () => (this.#random.chance(0.3) ? 0 : 3 * this.#random.fraction());
    for (const { kind, probability, struck } of WEATHER) {
      for (const operation of struck) {
        const fault: Fault = { kind, probability: probability * scale(), ...named(operation) };
        this.#aws.model.faults.add(fault);
      }
    }
    const { agenda } = this.#given;
    const shortages = this.#random.fraction() / 2;
    for (let atMs = 0; atMs < WEATHER_MS; atMs += SHORTAGE_EVERY_MS) {
      agenda.in(atMs, () => this.#drawShortages(shortages));
    }
  }

  end(): void {
    this.#isBad = false;
    this.#aws.model.faults.clear();
    this.#aws.model.ecs.world.fargateCapacity.clear();
  }

  unsettled(): readonly Violation[] {
    const meant = new Set(this.#given.oracles.facts().pods.map(currentTaskId));
    const live = [...this.#aws.model.ecs.world.tasks.values()].filter(
      ({ lastStatus }) => lastStatus !== 'STOPPED',
    );
    return live.flatMap((task) => {
      if (meant.has(identified(task)?.id)) return [];
      const message = `task ${task.startedBy} lives, and no pod means it`;
      return [{ invariant: 'L2', message } as const];
    });
  }

  #drawShortages(probability: number): void {
    if (!this.#isBad) return;
    const { fargateCapacity } = this.#aws.model.ecs.world;
    for (const provider of ['FARGATE', 'FARGATE_SPOT']) {
      if (this.#random.chance(probability)) fargateCapacity.set(provider, 0);
      else fargateCapacity.delete(provider);
    }
  }

  /** What is true is known to the oracles at once, and told to the product by the post. */
  #happened(event: Envelope): void {
    const { oracles, tell, log } = this.#given;
    const message = healthMessageOf(event);
    if (message?.type === 'task') {
      const [arn = ''] = event.resources;
      const task = this.#aws.model.ecs.world.tasks.get(arn);
      if (task) this.#checkLaunch(task);
      if (task?.lastStatus === 'RUNNING') this.#mayCrash(task);
      log.write(`ecs ${message.task.id} ${String(event.detail['lastStatus'])}`);
      oracles.reported(message);
    }
    tell(event);
  }

  #checkLaunch(task: TaskRecord): void {
    const { oracles } = this.#given;
    const identity = identified(task);
    const id = identity?.id ?? '';
    const known = this.#launched.get(id);
    if (known === task) return;
    this.#launched.set(id, task);
    if (known) {
      const message = `task ${id} is launched twice: ${known.id}, ${task.id}`;
      oracles.violations.push({ invariant: 'S1', message });
    }
    const uid = oracles.ownerOf(id)?.podUid ?? identity?.podUid;
    const pod = oracles.facts().pods.find(({ metadata }) => metadata.uid === uid);
    if (pod && (pod.control?.attempt ?? 0) < (identity?.attempt ?? 0)) {
      const message = `task ${id} is launched, and its pod is at attempt ${attemptOf(pod)}`;
      oracles.violations.push({ invariant: 'S8', message });
    }
  }

  /** Its process ends, or Fargate Spot takes it away, some time after it started. */
  #mayCrash(task: TaskRecord): void {
    const { faults, agenda } = this.#given;
    if (!faults.hits('taskCrash')) return;
    const name = task.containers[0]?.definition.name ?? '';
    const isSpot = task.capacityProvider === 'FARGATE_SPOT' && this.#random.chance(0.5);
    agenda.in(this.#random.integer(CRASH_WITHIN_MS), () => {
      const { ecs } = this.#aws.model;
      if (!ecs.world.tasks.has(task.arn)) return;
      if (isSpot) ecs.interruptSpotTask(task.arn);
      else ecs.killContainer(task.arn, name);
    });
  }
}

const CRASH_WITHIN_MS = 20_000;

function named(operation: string | undefined): { readonly operation?: string } {
  return operation === undefined ? {} : { operation };
}

function identified(task: TaskRecord) {
  const { startedBy, group, instance } = task;
  return identityOf({ startedBy, group, containerInstanceArn: instance?.arn });
}

function attemptOf({ control }: Pod): number {
  return control?.attempt ?? 0;
}

function awsGround(aws: AwsCloud, random: SeededRandom): Ground {
  return {
    addNode: async () => aws.addMachine(SMALL),
    addSpare: async () => {
      for (let i = 0; i < SPARES; i++) aws.addMachine(LARGE);
    },
    disconnect: (id) => aws.setAgent(id, false),
    reconnect: (id) => aws.setAgent(id, true),
    terminate: (id) => aws.terminateMachine(id),
    shapeOf: (behaviour) => ({ command: commandOf(behaviour), ...placeOf(random) }),
    tellOfMachines: () => {}, // the sweep asks EC2 itself
  };
}

/** What the model's containers do, in its own words. */
function commandOf({ stopDelayMs, exitCode, exitAfterMs }: Behaviour): readonly string[] {
  const behaviour = {
    ...(exitCode === undefined ? {} : { exitCode, exitAfterMs }),
    ...(stopDelayMs > STUBBORN_MS ? { ignoresTerm: true } : {}),
  };
  return ['nullplane-test', JSON.stringify(behaviour)];
}

const STUBBORN_MS = 6_000;

function placeOf(random: SeededRandom) {
  const selector = random.pick([
    {},
    { 'nullplane.io/compute': 'ec2' },
    { 'nullplane.io/compute': 'ec2' },
    { 'nullplane.io/compute': 'fargate' },
    { 'karpenter.sh/capacity-type': 'spot' },
  ]);
  return Object.keys(selector).length === 0 ? {} : { nodeSelector: selector as Selector };
}

type Selector = { readonly [label: string]: string };
