/** The machines that there are, for whoever troubles them. One that ended never comes back. */
import type { HealthMessage } from '../../../shared/api/task.ts';
import type { Ground } from './ground.ts';

/** Others must be left to work on. */
const MIN_LEFT = 1;
const ZONES = 3;

export class Machines {
  readonly #ground: Ground;
  readonly #names: string[] = [];
  #added = 0;
  readonly #zones = new Map<string, number>();

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  async add(): Promise<void> {
    const zone = this.#added++ % ZONES;
    const name = await this.#ground.addNode();
    this.#names.push(name);
    this.#zones.set(name, zone);
  }

  inZone(zone: number): readonly string[] {
    return this.#names.filter((name) => this.#zones.get(name) === zone % ZONES);
  }

  heard(message: HealthMessage): void {
    this.#ground.heard?.(message);
  }

  /** Agents say again how they are. */
  speak(): void {
    this.#ground.tellOfMachines();
  }

  cutOff(name: string): void {
    if (this.#names.includes(name)) this.#ground.disconnect(name);
  }

  reconnect(name: string): void {
    if (this.#names.includes(name)) this.#ground.reconnect(name);
  }

  /** Whether it ended: the last one does not. */
  end(name: string): boolean {
    const place = this.#names.indexOf(name);
    if (place < 0 || this.#names.length <= MIN_LEFT) return false;
    this.#names.splice(place, 1);
    this.#ground.terminate(name);
    return true;
  }
}
