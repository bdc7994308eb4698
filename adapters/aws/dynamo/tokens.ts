/**
 * The versions that lists and watches continue from. They tell the time, like those of writes.
 *
 * Invariant:
 *  T1 This process gives a token once. The last digits (in base 2048) are those of the process, so
 *     that two processes hardly ever give the same: what one remembers under it (shown.ts) is then
 *     not what a client of the other has seen.
 */
import { hash64 } from '../../../shared/api/hash.ts';
import { VERSIONS_PER_MS } from './versions.ts';

export class Tokens {
  readonly #identity: () => string;
  #salt: number | undefined;
  #last = 0;

  /** `identity` is asked at the first token. */
  constructor(identity: () => string) {
    this.#identity = identity;
  }

  /** A new one, not below `atLeast`; above it by less than a millisecond, unless many are given. */
  next(atLeast: number): number {
    this.#salt ??= Number(hash64(this.#identity()) % BigInt(VERSIONS_PER_MS));
    const floor = Math.max(atLeast, this.#last + 1);
    const ms = Math.ceil((floor - this.#salt) / VERSIONS_PER_MS);
    this.#last = ms * VERSIONS_PER_MS + this.#salt;
    return this.#last;
  }
}
