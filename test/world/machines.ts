/**
 * Machines of the world: what is launched boots, joins, and ends, under the virtual clock. The
 * types are made up, with round prices, so that decisions can be followed by head.
 */
import { MemoryInstances } from '../../adapters/memory/memory-instances.ts';
import type { CapacityType, InstanceShape } from '../../shared/api/instance.ts';
import type { HealthMessage } from '../../shared/api/task.ts';
import type { MachineType } from '../../shared/core/capacity/machine-type.ts';
import { typeLabels } from '../../shared/core/node/draft.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { InstancePool, LaunchResult } from '../../shared/ports/instances.ts';
import type { Agenda } from './agenda.ts';

const ZONES = ['us-east-1a', 'us-east-1b'];
const GIB = 2 ** 30;
/** One for each pod, and the machine's own. */
const INTERFACES = 30;
/** What Spot costs of the other price. */
const SPOT_SHARE = 0.4;

/** From the launch to the node, and from the order to the end. */
const BOOT_MS = 30_000;
const SHUTDOWN_MS = 10_000;

interface Made {
  readonly name: string;
  readonly cpus: number;
  readonly gib: number;
  readonly usdPerHour: number;
  readonly gpus?: number;
}

const MADE: readonly Made[] = [
  { name: 'm1.large', cpus: 2, gib: 8, usdPerHour: 0.1 },
  { name: 'm1.xlarge', cpus: 4, gib: 16, usdPerHour: 0.2 },
  { name: 'm1.2xlarge', cpus: 8, gib: 32, usdPerHour: 0.4 },
  { name: 'g1.2xlarge', cpus: 8, gib: 32, usdPerHour: 1, gpus: 1 },
];

function shapeOf({ cpus, gib, gpus }: Made): InstanceShape {
  const gpu = { name: 't4', manufacturer: 'nvidia', count: gpus ?? 0, memoryMiB: 16_384 };
  return {
    ...{ cpus, memoryMiB: gib * 1024, arch: 'amd64', networkInterfaces: INTERFACES },
    ...(gpus ? { gpu } : {}),
  };
}

function typeOf(made: Made): MachineType {
  const { name, cpus, gib, usdPerHour, gpus } = made;
  const gpu = gpus ? { 'nvidia.com/gpu': gpus } : {};
  const room = { cpu: cpus * 1000, memory: gib * GIB, pods: INTERFACES - 1, ...gpu };
  const kinds: readonly (readonly [CapacityType, number])[] = [
    ['on-demand', usdPerHour],
    ['spot', usdPerHour * SPOT_SHARE],
  ];
  const offerings = ZONES.flatMap((zone) =>
    kinds.map(([capacityType, usd]) => ({ zone, capacityType, usdPerHour: usd })),
  );
  return { name, labels: typeLabels(name, shapeOf(made)), room, capacity: room, offerings };
}

export const MACHINE_TYPES: readonly MachineType[] = MADE.map(typeOf);

export interface MachinesOptions {
  readonly agenda: Agenda;
  readonly clock: Clock;
  readonly tell: (message: HealthMessage) => void;
  /** The machine is off, and whatever ran on it. */
  readonly off: (id: string) => void;
}

export class Machines implements InstancePool {
  readonly #options: MachinesOptions;
  readonly #instances: MemoryInstances;
  readonly #booting = new Set<string>();
  #joins = true;

  constructor(options: MachinesOptions) {
    this.#options = options;
    const shapes = Object.fromEntries(MADE.map((made) => [made.name, shapeOf(made)]));
    this.#instances = new MemoryInstances({ clock: options.clock, shapes, zones: ZONES });
  }

  launch: InstancePool['launch'] = async (request): Promise<LaunchResult> => {
    const result = await this.#instances.launch(request);
    for (const { id } of result.instances) {
      if (this.#booting.has(id)) continue;
      this.#booting.add(id);
      this.#options.agenda.in(BOOT_MS, () => void this.#join(id));
    }
    return result;
  };

  terminate: InstancePool['terminate'] = (ids) => {
    for (const id of ids) this.#options.agenda.in(SHUTDOWN_MS, () => void this.end(id));
    return Promise.resolve();
  };

  describe: InstancePool['describe'] = (ids) => this.#instances.describe(ids);
  list: InstancePool['list'] = () => this.#instances.list();
  zones: InstancePool['zones'] = () => this.#instances.zones();

  /** How many were launched so far. */
  get launched(): number {
    return this.#booting.size;
  }

  /** Machines that boot from now on find no cluster. */
  joinNoMore(): void {
    this.#joins = false;
  }

  /** Launches of this type fail in all zones from now on: there are none. */
  runOut(type: string): void {
    const code = 'InsufficientInstanceCapacity';
    for (const zone of ZONES) this.#instances.refuse(type, zone, { kind: 'capacity', code });
  }

  /** The machine ends, by whomever. */
  async end(id: string): Promise<void> {
    const [known] = await this.#instances.describe([id]);
    if (!known?.instance || known.instance.state === 'terminated') return;
    this.#instances.end(id);
    this.#options.off(id);
  }

  async #join(id: string): Promise<void> {
    const [known] = await this.#instances.describe([id]);
    if (known?.instance?.state !== 'pending' || !this.#joins) return;
    this.#instances.register(id);
    const [joined] = await this.#instances.describe([id]);
    const { registration } = joined?.instance ?? {};
    if (!registration) return;
    const atMs = this.#options.clock.nowMs();
    this.#options.tell({ type: 'node-registration', nodeName: id, atMs, registration });
  }
}
