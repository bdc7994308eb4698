/** Indexes that lag: since when they show what they show, and what they have hidden from looks. */
import { controllerOf, type KubeObject } from '../../../shared/api/meta.ts';
import { indexEntries } from './read.ts';

export class Indexes {
  readonly #nowMs: () => number;
  readonly #sinceMs = new Map<string, number>();
  /** By the process that was not shown them, and their owner: the uids of what was hidden. */
  readonly #hidden = new Map<string, Set<string>>();

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

  /** These are not shown to the process. */
  hide(reader: string, objects: readonly KubeObject[]): void {
    for (const object of objects) {
      const owner = controllerOf(object)?.uid;
      if (!owner) continue;
      const hidden = this.#hidden.get(`${reader} ${owner}`) ?? new Set();
      this.#hidden.set(`${reader} ${owner}`, hidden.add(object.metadata.uid));
    }
  }

  /** How many of these, which are all of one owner, were ever hidden from the process. */
  hiddenFrom(reader: string, owner: string, objects: readonly KubeObject[]): number {
    const hidden = this.#hidden.get(`${reader} ${owner}`);
    return hidden ? objects.filter(({ metadata }) => hidden.has(metadata.uid)).length : 0;
  }
}
