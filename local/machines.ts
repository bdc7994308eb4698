/**
 * Machines of local mode: what a NodePool launches boots within seconds, joins, and ends, all of it
 * played. Owns the play and its journal; what there is to launch is the catalogue's.
 *
 * Invariant: a machine lives through a restart of the process; one that was booting goes on
 * booting.
 */
import { randomBytes } from 'node:crypto';
import { MemoryInstances } from '../adapters/memory/memory-instances.ts';
import type { SimulatedRuntime } from '../adapters/memory/simulated-runtime.ts';
import type { Instance } from '../shared/api/instance.ts';
import { type Attributes, attributesOf } from '../shared/api/node-attributes.ts';
import type { HealthMessage } from '../shared/api/task.ts';
import type { MachineType } from '../shared/core/capacity/machine-type.ts';
import { machineTypes } from '../shared/core/capacity/catalogue/machine-types.ts';
import { expectedOffer } from '../shared/core/capacity/catalogue/nodes.ts';
import { allInstanceTypes, instanceType } from '../shared/core/capacity/catalogue/types.ts';
import type { Clock } from '../shared/ports/clock.ts';
import type {
  Described,
  InstancePool,
  LaunchRequest,
  LaunchResult,
} from '../shared/ports/instances.ts';
import type { Journal } from './journal.ts';
import { ZONES } from './nodes.ts';

/** Where a real one takes about a minute: long enough to be watched, short enough to wait for. */
const BOOT_MS = 4_000;
const SHUTDOWN_MS = 1_000;
/** What EC2 gives a Spot machine from its notice to its end. */
const SPOT_NOTICE_MS = 120_000;

/** Every machine has a trunk interface: tasks here need no interfaces of their own at all. */
const SETTINGS = { awsvpcTrunking: true };
const TRUNK = { 'ecs.awsvpc-trunk-id': 'local', 'ecs.os-type': 'linux' };

const ID_CHARS = 17;

export interface MachineRecord {
  readonly instance: Instance;
  readonly attributes: Attributes;
}

export interface LocalMachinesOptions {
  readonly clock: Clock;
  readonly journal: Journal<MachineRecord>;
  readonly emit: (message: HealthMessage) => void;
  /** Plays the tasks; undefined where they are containers. */
  readonly runtime: SimulatedRuntime | undefined;
}

export class LocalMachines implements InstancePool {
  readonly #options: LocalMachinesOptions;
  readonly #machines: MemoryInstances;
  readonly #records = new Map<string, MachineRecord>();
  readonly #closed = new AbortController();
  #types: readonly MachineType[] | undefined;

  constructor(options: LocalMachinesOptions) {
    this.#options = options;
    this.#machines = new MemoryInstances({
      clock: options.clock,
      shapes: Object.fromEntries(allInstanceTypes().map((type) => [type.name, type])),
      zones: ZONES,
      idOf: newId,
    });
    for (const record of options.journal.load()) this.#restore(record);
  }

  /** What a node pool may launch. Costs a moment, and is asked for only where there is one. */
  types = (): Promise<readonly MachineType[]> => {
    this.#types ??= machineTypes({ region: 'local', zones: ZONES, ...SETTINGS });
    return Promise.resolve(this.#types);
  };

  async launch(request: LaunchRequest): Promise<LaunchResult> {
    const result = await this.#machines.launch(request);
    const attributes = { ...attributesOf(request.labels, request.taints), ...TRUNK };
    for (const { id } of result.instances) {
      if (this.#records.has(id)) continue;
      await this.#remember(id, attributes);
      void this.#boot(id);
    }
    return result;
  }

  async terminate(instanceIds: readonly string[]): Promise<void> {
    for (const id of instanceIds) {
      if (this.#records.has(id)) void this.#later(SHUTDOWN_MS, () => void this.end(id));
    }
  }

  describe(instanceIds: readonly string[]): Promise<readonly Described[]> {
    return this.#machines.describe(instanceIds);
  }

  list(): Promise<readonly Instance[]> {
    return this.#machines.list();
  }

  zones(): Promise<readonly string[]> {
    return this.#machines.zones();
  }

  /** The machine is no more, by whomever. Says whether it was one of these. */
  end(id: string): boolean {
    if (!this.#records.delete(id)) return false;
    this.#machines.end(id);
    this.#options.journal.remove(id);
    const { runtime, emit, clock } = this.#options;
    if (runtime) runtime.terminateNode(id);
    else emit({ type: 'node', nodeName: id, status: 'gone', atMs: clock.nowMs() });
    return true;
  }

  /** EC2 wants the machine back: it says so, and ends it two minutes later. */
  interrupt(nodeName: string, end: () => void): void {
    const atMs = this.#options.clock.nowMs();
    const endsAtMs = atMs + SPOT_NOTICE_MS;
    this.#options.emit({ type: 'node-interruption', nodeName, kind: 'spot', atMs, endsAtMs });
    void this.#later(SPOT_NOTICE_MS, end);
  }

  close(): void {
    this.#closed.abort();
    this.#options.journal.close();
  }

  #restore(record: MachineRecord): void {
    const { instance, attributes } = record;
    this.#records.set(instance.id, record);
    this.#machines.add(instance, attributes);
    if (!instance.registration) void this.#boot(instance.id);
  }

  async #boot(id: string): Promise<void> {
    await this.#later(BOOT_MS, async () => {
      const record = this.#records.get(id);
      const type = record && instanceType(record.instance.type);
      if (!record || !type) return;
      const architecture = { 'ecs.cpu-architecture': type.arch === 'arm64' ? 'arm64' : 'x86_64' };
      const attributes = { ...record.attributes, ...architecture };
      this.#machines.register(id, { ...expectedOffer(type), attributes });
      const instance = await this.#remember(id, attributes);
      const { registration } = instance ?? {};
      if (!registration) return;
      const atMs = this.#options.clock.nowMs();
      this.#options.emit({ type: 'node-registration', nodeName: id, atMs, registration });
    });
  }

  async #remember(id: string, attributes: Attributes): Promise<Instance | undefined> {
    const [described] = await this.#machines.describe([id]);
    if (!described?.instance) return undefined;
    const record = { instance: described.instance, attributes };
    this.#records.set(id, record);
    this.#options.journal.put(id, record);
    return described.instance;
  }

  async #later(ms: number, act: () => void | Promise<void>): Promise<void> {
    const { signal } = this.#closed;
    await this.#options.clock.delay(ms, signal);
    if (!signal.aborted) await act();
  }
}

/** As EC2's are. */
function newId(): string {
  return `i-${randomBytes(ID_CHARS).toString('hex').slice(0, ID_CHARS)}`;
}
