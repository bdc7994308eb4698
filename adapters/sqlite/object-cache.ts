/**
 * Parsed objects by version, so that a list does not parse again what it parsed before. A version's
 * object never changes, so that nothing here is ever stale. Bounded by the size of their JSON.
 */
import type { AnyObject } from '../../shared/api/meta.ts';

interface Entry {
  readonly object: AnyObject;
  readonly jsonLength: number;
  /** Read since it was last looked at for eviction. */
  isUsed: boolean;
}

/** Evicting this much at once keeps the search for what to evict rare. */
const KEPT_AT_EVICTION = 0.9;

export class ObjectCache {
  readonly #maxJsonLength: number;
  readonly #entries = new Map<number, Entry>();
  #jsonLength = 0;

  constructor(maxJsonLength: number) {
    this.#maxJsonLength = maxJsonLength;
  }

  get(version: number): AnyObject | undefined {
    const entry = this.#entries.get(version);
    if (entry) entry.isUsed = true;
    return entry?.object;
  }

  add(version: number, object: AnyObject, jsonLength: number): void {
    this.#entries.set(version, { object, jsonLength, isUsed: false });
    this.#jsonLength += jsonLength;
    if (this.#jsonLength > this.#maxJsonLength) this.#evict();
  }

  /** Oldest first; what was read since gets a second chance at the other end. */
  #evict(): void {
    for (const [version, entry] of this.#entries) {
      if (this.#jsonLength <= this.#maxJsonLength * KEPT_AT_EVICTION) return;
      this.#entries.delete(version);
      if (entry.isUsed) this.#entries.set(version, { ...entry, isUsed: false });
      else this.#jsonLength -= entry.jsonLength;
    }
  }
}
