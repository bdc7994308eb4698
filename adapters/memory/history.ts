/**
 * The latest changes of one resource, oldest first. What falls out of it raises the floor: versions
 * below expire.
 */
import type { Change } from '../../shared/api/change.ts';

interface Entry {
  readonly version: number;
  readonly change: Change;
}

export class History {
  readonly #kept: number;
  readonly #entries: Entry[] = [];
  /** Changes up to this version are not known here. */
  #floor: number;

  constructor(kept: number, floor: number) {
    this.#kept = kept;
    this.#floor = floor;
  }

  get floor(): number {
    return this.#floor;
  }

  get newest(): number {
    return this.#entries.at(-1)?.version ?? this.#floor;
  }

  /** Versions must be added in growing order. */
  add(version: number, change: Change): void {
    this.#entries.push({ version, change });
    if (this.#entries.length >= this.#kept * 2) this.#trim();
  }

  /** Half of them at once: dropping them one by one would move the rest each time. */
  #trim(): void {
    const dropped = this.#entries.splice(0, this.#entries.length - this.#kept);
    this.#floor = dropped.at(-1)?.version ?? this.#floor;
  }

  *after(version: number): Generator<Entry> {
    for (let i = this.#firstAfter(version); i < this.#entries.length; i++) {
      yield this.#entries[i] as Entry;
    }
  }

  #firstAfter(version: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as Entry).version <= version) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
