/**
 * EC2 instances: pending, running, a container instance once booted, shutting-down, terminated.
 * Each change of state is told, and so are Spot's warnings: a rebalance recommendation, and the
 * interruption warning two minutes before the end, both best effort. Source: aws-semantics.md 3.8.
 */
import { nvidiaGpus } from '../../../../shared/api/instance.ts';
import { instanceType } from '../../../../shared/core/capacity/catalogue/types.ts';
import { AwsError } from '../errors.ts';
import type { Instances } from '../ecs/instances.ts';
import type { Events } from '../events.ts';
import type { Settings } from '../settings.ts';
import { draw, hex, type Random, type Timers } from '../timers.ts';

export type MachineState = 'pending' | 'running' | 'shutting-down' | 'terminated';
export type Lifecycle = 'spot' | 'on-demand';

export interface Machine {
  readonly id: string;
  readonly type: string;
  readonly zone: string;
  readonly subnet: string;
  readonly lifecycle: Lifecycle;
  readonly template: string;
  readonly templateVersion: string;
  readonly clientToken: string;
  readonly fleetId: string;
  readonly ip: string;
  readonly launchedMs: number;
  /** Seen by DescribeInstances from then on. */
  readonly seenMs: number;
  readonly tags: Map<string, string>;
  state: MachineState;
  terminatedMs?: number;
  stateReason?: { readonly code: string; readonly message: string };
}

export const STATE_CODES: Readonly<Record<MachineState, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
};

/** Terminated instances are seen for about an hour. */
const TERMINATED_KEPT_MS = 3_600_000;
const SPOT_WARNING_MS = 120_000;
/** The system and the agent keep the rest: registered memory is less than the type's. */
const REGISTERED_SHARE = 0.95;
const UNITS_PER_VCPU = 1024;

export interface MachinesOptions {
  readonly timers: Timers;
  readonly random: Random;
  readonly settings: Settings;
  readonly events: Events;
  readonly instances: Instances;
}

export class Machines {
  readonly #all = new Map<string, Machine>();
  readonly #options: MachinesOptions;

  constructor(options: MachinesOptions) {
    this.#options = options;
  }

  launch(
    given: Omit<Machine, 'id' | 'ip' | 'launchedMs' | 'seenMs' | 'state' | 'tags'>,
    tags: ReadonlyMap<string, string>,
  ): Machine {
    const { timers, random, settings } = this.#options;
    const nowMs = timers.nowMs();
    const machine: Machine = {
      ...given,
      id: `i-0${hex(random, 16)}`,
      ip: `10.0.${random.integer(254) + 1}.${random.integer(254) + 1}`,
      launchedMs: nowMs,
      seenMs: nowMs + draw(settings.latencies.instanceLagMs, random),
      tags: new Map(tags),
      state: 'pending',
    };
    this.#all.set(machine.id, machine);
    this.#told(machine);
    timers.in(draw(settings.latencies.instancePendingMs, random), () => this.#running(machine));
    return machine;
  }

  get(id: string): Machine | undefined {
    const machine = this.#all.get(id);
    const { terminatedMs = Infinity } = machine ?? {};
    return this.#nowMs < terminatedMs + TERMINATED_KEPT_MS ? machine : undefined;
  }

  /** Throws InvalidInstanceID.NotFound also for one that is too new to be seen. */
  seen(id: string): Machine {
    if (!/^i-[0-9a-f]{8,17}$/.test(id)) {
      throw new AwsError('InvalidInstanceID.Malformed', `Invalid id: "${id}"`);
    }
    const machine = this.get(id);
    if (machine && machine.seenMs <= this.#nowMs) return machine;
    throw new AwsError('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
  }

  get all(): Machine[] {
    return [...this.#all.keys()].flatMap((id) => this.get(id) ?? []);
  }

  /** The tasks on it are gone at once; nobody waits for their ends. */
  terminate(
    machine: Machine,
    reason = { code: 'Client.UserInitiatedShutdown', message: 'User initiated shutdown' },
  ): void {
    if (machine.state === 'shutting-down' || machine.state === 'terminated') return;
    const { timers, random, settings, instances } = this.#options;
    machine.state = 'shutting-down';
    machine.stateReason = reason;
    this.#told(machine);
    const instance = instances.byEc2Id(machine.id);
    if (instance) instances.setConnected(instance, false);
    timers.in(draw(settings.latencies.instanceShutdownMs, random), () => {
      machine.state = 'terminated';
      machine.terminatedMs = this.#nowMs;
      this.#told(machine);
      const registered = instances.byEc2Id(machine.id);
      if (registered) instances.hostGone(registered, 'terminated');
    });
  }

  /** Two minutes of warning, then the end. `warned: false`: the warning is lost. */
  interrupt(machine: Machine, { warned = true }: { warned?: boolean } = {}): void {
    if (warned) {
      this.#tell(machine, 'EC2 Spot Instance Interruption Warning', {
        'instance-id': machine.id,
        'instance-action': 'terminate',
      });
    }
    const reason = {
      code: 'Server.SpotInstanceTermination',
      message: 'Server.SpotInstanceTermination: Spot instance termination',
    };
    this.#options.timers.in(SPOT_WARNING_MS, () => this.terminate(machine, reason));
  }

  recommendRebalance(machine: Machine): void {
    this.#tell(machine, 'EC2 Instance Rebalance Recommendation', { 'instance-id': machine.id });
  }

  get #nowMs(): number {
    return this.#options.timers.nowMs();
  }

  #running(machine: Machine): void {
    if (machine.state !== 'pending') return;
    const { timers, random, settings } = this.#options;
    machine.state = 'running';
    this.#told(machine);
    timers.in(draw(settings.latencies.instanceBootMs, random), () => this.#booted(machine));
  }

  #booted(machine: Machine): void {
    const { settings, instances } = this.#options;
    const template = settings.launchTemplates[machine.template] ?? {};
    const type = instanceType(machine.type);
    if (machine.state !== 'running' || template.registers === false || !type) return;
    const instance = instances.register({
      ec2InstanceId: machine.id,
      ...(template.cluster !== undefined && { cluster: template.cluster }),
      cpu: type.cpus * UNITS_PER_VCPU,
      memoryMiB: Math.floor(type.memoryMiB * REGISTERED_SHARE),
      gpuIds: Array.from({ length: nvidiaGpus(type) }, (_, i) => `GPU-${machine.id}-${i}`),
      maxEnis: type.networkInterfaces - 1,
      instanceType: type.name,
      zone: machine.zone,
      attributes: {
        'ecs.cpu-architecture': type.arch === 'arm64' ? 'arm64' : 'x86_64',
        ...template.attributes,
        ...template.attributesAtBoot?.(machine),
      },
    });
    if (!template.propagatesTags) return;
    instance.tags = [...machine.tags].map(([key, value]) => ({ key, value }));
  }

  #told(machine: Machine): void {
    const detail = { 'instance-id': machine.id, state: machine.state };
    this.#tell(machine, 'EC2 Instance State-change Notification', detail);
  }

  #tell(machine: Machine, detailType: string, detail: Record<string, unknown>): void {
    const { region, accountId } = this.#options.settings;
    this.#options.events.tell({
      source: 'aws.ec2',
      'detail-type': detailType,
      resources: [`arn:aws:ec2:${region}:${accountId}:instance/${machine.id}`],
      detail,
    });
  }
}
