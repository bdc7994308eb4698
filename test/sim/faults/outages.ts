/** What is wrong with a service for a while: a share of the calls that it strikes fails. */
import type { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import type { Call } from '../../world/process.ts';

export interface Outage {
  /** The share of calls that fail. */
  readonly share: number;
  readonly strikes: (call: Call) => boolean;
  /** What a caller is told; that the service is unavailable, if nothing else. */
  readonly error?: () => Error;
}

export class Outages {
  readonly #present = new Map<Outage, SeededRandom>();

  /** Answers with what ends it. */
  begin(outage: Outage, random: SeededRandom): () => void {
    this.#present.set(outage, random);
    return () => void this.#present.delete(outage);
  }

  /** The outage that the call fails for. */
  strike(call: Call): Outage | undefined {
    for (const [outage, random] of this.#present) {
      if (outage.strikes(call) && random.chance(outage.share)) return outage;
    }
    return undefined;
  }
}
