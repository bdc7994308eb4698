/** Identities that a seed decides. */
import { NAME_ALPHABET } from '../../shared/api/hash.ts';
import type { Ids } from '../../shared/ports/ids.ts';
import { SeededRandom } from './seeded-random.ts';

export class SeededIds implements Ids {
  readonly #random: SeededRandom;

  constructor(seed: string | number) {
    this.#random = new SeededRandom(seed).fork('ids');
  }

  uid(): string {
    const version = '4';
    const variant = this.#random.pick([...'89ab']);
    const parts = [this.#hex(8), this.#hex(4), version + this.#hex(3), variant + this.#hex(3)];
    return [...parts, this.#hex(12)].join('-');
  }

  suffix(length: number): string {
    const characters = Array.from({ length }, () => this.#random.pick([...NAME_ALPHABET]));
    return characters.join('');
  }

  #hex(digits: number): string {
    return Array.from({ length: digits }, () => this.#random.integer(16).toString(16)).join('');
  }
}
