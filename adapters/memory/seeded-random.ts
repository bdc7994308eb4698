/** Random numbers that a seed decides, for tests and simulation. Not for secrets. */
import { hash64 } from '../../shared/api/hash.ts';

const TWO_TO_32 = 2 ** 32;

/** Rounds after seeding, until the state has lost the shape of the seed. */
const WARM_UP_ROUNDS = 15;

/** The generator sfc32 (Doty-Humphrey): small, fast, 128 bits of state. */
export class SeededRandom {
  readonly #seed: string;
  readonly #state: Uint32Array;

  constructor(seed: string | number) {
    this.#seed = String(seed);
    const a = hash64(this.#seed);
    const b = hash64(`${this.#seed}'`);
    const words = [a, a >> 32n, b].map((word) => Number(word & 0xffffffffn));
    this.#state = Uint32Array.of(...words, 1);
    for (let i = 0; i < WARM_UP_ROUNDS; i++) this.uint32();
  }

  uint32(): number {
    const state = this.#state as Uint32Array & [number, number, number, number];
    const [a, b, c, counter] = state;
    const result = (a + b + counter) >>> 0;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + result;
    state[3] = counter + 1;
    return result;
  }

  /** In [0, 1). */
  fraction(): number {
    return this.uint32() / TWO_TO_32;
  }

  /** A whole number in [0, below). */
  integer(below: number): number {
    return Math.floor(this.fraction() * below);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[this.integer(items.length)] as T;
  }

  /** The items in another order; the given list stays as it is. */
  shuffled<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [result[i], result[j]] = [result[j] as T, result[i] as T];
    }
    return result;
  }

  /** A stream of its own: what one part draws does not change what another gets. */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.#seed}/${name}`);
  }
}
