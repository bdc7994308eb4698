/**
 * Which kinds of pods arrive, and how often. From a list at once, or learned pod by pod, where what
 * arrived long ago fades.
 *
 * The most frequent kinds stand for all of them (FGD's "typical pods", Weng et al., ATC 2023): rare
 * ones cost time and change little.
 */
import { type GpuRequest, kindKey, type PodKind } from './request.ts';

/** Kinds are taken, the most frequent first, until they are so much of all pods. */
export const TYPICAL_SHARE = 0.95;

/** More kinds than this say no more, and each costs time at every judgement. */
const MAX_KINDS = 256;

/** After so many pods all counts are halved. A demand is known to a percent by then. */
export const FADE_AFTER = 20_000;

/** Kinds that are remembered; when there are more, those that were seen least go. */
const MAX_REMEMBERED = 4_096;

interface Seen {
  readonly request: GpuRequest;
  count: number;
}

export class Demand {
  readonly #seen = new Map<string, Seen>();
  readonly #fadeAfter: number;
  #total = 0;
  #everSeen = 0;

  /** `Infinity`: nothing fades. */
  constructor(fadeAfter = FADE_AFTER) {
    this.#fadeAfter = fadeAfter;
  }

  /** Pods that were ever counted. */
  get seen(): number {
    return this.#everSeen;
  }

  count(request: GpuRequest, pods = 1): void {
    const key = kindKey(request);
    const seen = this.#seen.get(key);
    if (seen) seen.count += pods;
    else this.#seen.set(key, { request, count: pods });
    this.#total += pods;
    this.#everSeen += pods;
    if (this.#total >= this.#fadeAfter) this.#fade();
    if (this.#seen.size > MAX_REMEMBERED) this.#forget();
  }

  /** The kinds that stand for all, most frequent first; equals in the order of their keys. */
  typical(share = TYPICAL_SHARE): readonly PodKind[] {
    const kinds: Seen[] = [];
    let covered = 0;
    for (const [, seen] of this.#ranked()) {
      if (covered >= share * this.#total || kinds.length >= MAX_KINDS) break;
      kinds.push(seen);
      covered += seen.count;
    }
    return kinds.map(({ request, count }) => {
      const { cpuMillis, devices, milliPerDevice, models } = request;
      return { cpuMillis, devices, milliPerDevice, models, share: count / covered };
    });
  }

  #ranked(): [string, Seen][] {
    return [...this.#seen].sort(
      ([aKey, a], [bKey, b]) => b.count - a.count || (aKey < bKey ? -1 : 1),
    );
  }

  #fade(): void {
    this.#total = 0;
    for (const seen of this.#seen.values()) {
      seen.count /= 2;
      this.#total += seen.count;
    }
  }

  #forget(): void {
    for (const [key, { count }] of this.#ranked().slice(MAX_REMEMBERED / 2)) {
      this.#seen.delete(key);
      this.#total -= count;
    }
  }
}
