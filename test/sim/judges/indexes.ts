/** Indexes that lag: since when they show what they show. */
import type { KubeObject } from '../../../shared/api/meta.ts';
import { indexEntries } from './read.ts';

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

  /** Whether the index has shown the object as it is for at least this long. */
  isShown(resource: string, object: KubeObject, forMs: number): boolean {
    const sinceMs = indexEntries(resource, object).map((entry) => this.#sinceMs.get(entry) ?? 0);
    return Math.max(0, ...sinceMs) <= this.#nowMs() - forMs;
  }
}
