/** Machines of the simulated runtime, as people and the cloud treat them. */
import type { ConditionMessage, HealthMessage } from '../../../shared/api/task.ts';
import type { World } from '../../world/world.ts';
import type { Ground } from './ground.ts';

/** Little enough that pods have to wait for one another. */
const ROOM = { cpu: '3', memory: '8Gi' };

/** Some have GPUs, whose parts are handed out. */
const SHARED = { 'nullplane.io/gpu-sharing': 'assigned' };

export class SimulatedGround implements Ground {
  readonly #world: World;
  /** What was last said of each machine that ever was in trouble. */
  readonly #machines = new Map<string, HealthMessage>();
  /** What was last said of the GPUs of each. */
  readonly #conditions = new Map<string, ConditionMessage>();
  #added = 0;

  constructor(world: World) {
    this.#world = world;
  }

  async addNode(): Promise<string> {
    const name = `n${++this.#added}`;
    const hasGpus = this.#added % 2 === 0;
    await (hasGpus
      ? this.#world.addNode(name, { ...ROOM, 'nvidia.com/gpu': '2' }, SHARED)
      : this.#world.addNode(name, ROOM));
    return name;
  }

  addSpare(): Promise<void> {
    const room = { cpu: '32', memory: '64Gi', 'nvidia.com/gpu': '16' };
    return this.#world.addNode('spare', room, SHARED);
  }

  disconnect(name: string): void {
    this.#world.runtime.disconnectNode(name);
  }

  reconnect(name: string): void {
    this.#world.runtime.reconnectNode(name);
  }

  terminate(name: string): void {
    this.#world.runtime.terminateNode(name);
  }

  readonly gpuMilli = 300;

  shapeOf(behaviour: object): { readonly behaviour: object } {
    return { behaviour };
  }

  heard(message: HealthMessage): void {
    if (message.type === 'node') this.#machines.set(message.nodeName, message);
    if (message.type === 'node-condition') this.#conditions.set(message.nodeName, message);
  }

  /** In place of a sweep of instances: nobody launched these. Agents repeat what they said. */
  tellOfMachines(): void {
    for (const message of this.#machines.values()) this.#world.tell(message);
    const atMs = this.#world.agenda.nowMs;
    for (const message of this.#conditions.values()) this.#world.tell({ ...message, atMs });
  }
}
