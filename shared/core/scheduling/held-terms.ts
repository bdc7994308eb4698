/**
 * Terms that placed pods hold, and where: affinity works both ways, so a pod must also ask what the
 * pods that are there think of it.
 */
import type { Cluster } from './cluster.ts';
import type { GroupIdentity } from './pod-index.ts';
import { Tally } from './tally.ts';
import type { PodTerm } from './terms.ts';

interface Held {
  readonly term: PodTerm;
  readonly tally: Tally;
}

export class HeldTerms {
  readonly #cluster: Cluster;
  readonly #held: Held[] = [];
  readonly #byKey = new Map<string, Held>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The weight with which the term is held, for each domain. */
  tally(term: PodTerm): Tally {
    let held = this.#byKey.get(term.key);
    if (!held) {
      held = { term, tally: new Tally(this.#cluster.domains(term.topologyKey)) };
      this.#byKey.set(term.key, held);
      this.#held.push(held);
    }
    return held.tally;
  }

  /**
   * The tallies of the terms that mean such a pod, whenever it is asked; terms may have come since.
   */
  about(pods: GroupIdentity): () => readonly Tally[] {
    const matching: Tally[] = [];
    let seen = 0;
    return () => {
      for (let held = this.#held[seen]; held !== undefined; held = this.#held[++seen]) {
        if (held.term.matches(pods)) matching.push(held.tally);
      }
      return matching;
    };
  }
}
