/** Indexes that lag: since when they show what they show. */
import type { IndexQuery } from '../../../shared/api/change.ts';
import type { KubeObject } from '../../../shared/api/meta.ts';
import { indexEntries, indexEntry } from './read.ts';

export class Indexes {
  readonly #nowMs: () => number;
  readonly #sinceMs = new Map<string, number>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  changed(resource: string, object: KubeObject): void {
    for (const entry of indexEntries(resource, object)) {
      if (!this.#sinceMs.has(entry)) this.#sinceMs.set(entry, this.#nowMs());
    }
  }

  /**
   * Whether the index has had the object under this value for at least this long. What it has else
   * come to, such as a node, is of other indexes, which lag each for itself.
   */
  isShown({ metadata }: KubeObject, { name, value }: IndexQuery, forMs: number): boolean {
    const sinceMs = this.#sinceMs.get(indexEntry(metadata.uid, name, value)) ?? 0;
    return sinceMs <= this.#nowMs() - forMs;
  }
}
