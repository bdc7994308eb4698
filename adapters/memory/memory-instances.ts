/**
 * Instances that are only played, for tests and simulation: what the cloud does to them is told by
 * methods of their own. Owns what is there; does not own what is made of it.
 *
 * Invariant: a claim launches once.
 */
import type { Instance, InstanceShape, Registration } from '../../shared/api/instance.ts';
import { type Attributes, attributesOf } from '../../shared/api/node-attributes.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import {
  type Described,
  type InstancePool,
  InstancesUnavailable,
  type Launched,
  type LaunchFailure,
  LaunchRejected,
  type LaunchRequest,
  type LaunchResult,
} from '../../shared/ports/instances.ts';

export interface MemoryInstancesOptions {
  readonly clock: Clock;
  /** The types that there are; a launch of others fails as a wrong configuration does. */
  readonly shapes: { readonly [type: string]: InstanceShape };
  readonly zones?: readonly string[];
  /** The id of a machine that is launched: by default they are counted. */
  readonly idOf?: (count: number) => string;
}

const ZONES = ['us-east-1a', 'us-east-1b'];

type Why = Pick<LaunchFailure, 'kind' | 'code'>;

export class MemoryInstances implements InstancePool {
  readonly #options: MemoryInstancesOptions;
  readonly #instances = new Map<string, Instance>();
  /** What was terminated so long ago that the cloud knows it no longer. */
  readonly #forgotten = new Set<string>();
  /** What each machine was launched with. */
  readonly #attributes = new Map<string, Attributes>();
  readonly #refusals = new Map<string, Why>();
  #isDown = false;
  #launched = 0;

  constructor(options: MemoryInstancesOptions) {
    this.#options = options;
  }

  async launch(request: LaunchRequest): Promise<LaunchResult> {
    this.#answer();
    const { claimUid, count, types, zones } = request;
    if (count < 1 || types.length === 0 || zones.length === 0) {
      throw new LaunchRejected('a launch needs a count, a type and a zone');
    }
    checkAttributes(request);
    const earlier = [...this.#instances.values()].filter((one) => one.claimUid === claimUid);
    if (earlier.length > 0) return { instances: earlier.map(launchedOf), failed: [] };
    const failed = types.flatMap((type) =>
      zones.flatMap((zone) => this.#failureOf(type, zone, request)),
    );
    const free = types.flatMap((type) =>
      zones
        .filter((zone) => !failed.some((f) => f.type === type && f.zone === zone))
        .map((zone) => ({ type, zone })),
    );
    const instances = free.length === 0 ? [] : Array.from({ length: count }, (_, i) => i);
    return {
      instances: instances.map((i) => {
        const { type, zone } = free[i % free.length] ?? { type: '', zone: '' };
        return launchedOf(this.#start(type, zone, request));
      }),
      failed,
    };
  }

  async terminate(instanceIds: readonly string[]): Promise<void> {
    this.#answer();
    for (const id of instanceIds) {
      if (this.#instances.get(id)?.isOurs) this.end(id);
    }
  }

  async describe(instanceIds: readonly string[]): Promise<readonly Described[]> {
    this.#answer();
    return instanceIds.map((id) => {
      const instance = this.#instances.get(id);
      return instance && !this.#forgotten.has(id) ? { id, instance } : { id };
    });
  }

  async list(): Promise<readonly Instance[]> {
    this.#answer();
    return [...this.#instances.values()].filter(({ state }) => state !== 'terminated');
  }

  async zones(): Promise<readonly string[]> {
    this.#answer();
    return this.#options.zones ?? ZONES;
  }

  /** Its agent joins the cluster, or says something new. */
  register(id: string, said: Partial<Registration> = {}): void {
    const { registration: old, ...instance } = this.#known(id);
    const registration: Registration = {
      id: `registration-of-${id}`,
      registeredAtMs: old?.registeredAtMs ?? this.#options.clock.nowMs(),
      status: 'ACTIVE',
      agentConnected: true,
      cpuUnits: (instance.shape?.cpus ?? 2) * 1024,
      memoryMiB: instance.shape?.memoryMiB ?? 4096,
      gpus: instance.shape?.gpu?.count ?? 0,
      attributes: this.#attributes.get(id) ?? {},
      ...old,
      ...said,
      version: (old?.version ?? 0) + 1,
    };
    this.#instances.set(id, { ...instance, state: 'running', registration });
  }

  /** A machine that somebody else started, and that may join the cluster. */
  add(instance: Instance, attributes: Attributes = {}): void {
    this.#instances.set(instance.id, instance);
    this.#attributes.set(instance.id, attributes);
  }

  /** The machine is terminated, by whomever. */
  end(id: string): void {
    const { registration: _, ...instance } = this.#known(id);
    this.#instances.set(id, { ...instance, state: 'terminated' });
  }

  /** The cloud forgets what ended long ago. */
  forget(id: string): void {
    this.#forgotten.add(id);
    this.#instances.set(id, { ...this.#known(id), state: 'terminated' });
  }

  /** Launches of this type in this zone fail from now on. */
  refuse(type: string, zone: string, why: Why): void {
    this.#refusals.set(`${type}/${zone}`, why);
  }

  /** Whether every call fails. */
  setDown(isDown: boolean): void {
    this.#isDown = isDown;
  }

  #answer(): void {
    if (this.#isDown) throw new InstancesUnavailable('the instances are told not to answer');
  }

  #known(id: string): Instance {
    const instance = this.#instances.get(id);
    if (!instance) throw new RangeError(`no instance ${id}`);
    return instance;
  }

  #failureOf(type: string, zone: string, { capacityType }: LaunchRequest): LaunchFailure[] {
    const isKnown = this.#options.shapes[type] !== undefined;
    const refused = this.#refusals.get(`${type}/${zone}`);
    const why: Why | undefined = isKnown
      ? refused
      : { kind: 'configuration', code: 'InvalidInstanceType' };
    if (!why) return [];
    return [{ ...why, type, zone, capacityType, message: `${why.code} for ${type} in ${zone}` }];
  }

  #start(type: string, zone: string, request: LaunchRequest): Instance {
    const { claimUid, capacityType, labels, taints } = request;
    const { shapes, idOf = counted } = this.#options;
    const id = idOf(++this.#launched);
    const shape = shapes[type];
    const instance: Instance = {
      id,
      state: 'pending',
      type,
      zone,
      capacityType,
      claimUid,
      isOurs: true,
      launchedAtMs: this.#options.clock.nowMs(),
      ...(shape ? { shape } : {}),
    };
    this.#instances.set(id, instance);
    this.#attributes.set(id, attributesOf(labels, taints));
    return instance;
  }
}

function counted(count: number): string {
  return `i-${count.toString(16).padStart(17, '0')}`;
}

function launchedOf({ id, type, zone, capacityType }: Instance): Launched {
  return { id, type, zone, capacityType };
}

function checkAttributes({ labels, taints }: LaunchRequest): void {
  try {
    attributesOf(labels, taints);
  } catch (error) {
    throw new LaunchRejected(String(error));
  }
}
