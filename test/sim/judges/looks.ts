/** What processes that look at objects cannot have seen: what an index hid, and what came later. */
import type { KubeObject } from '../../../shared/api/meta.ts';

interface Birth {
  readonly atMs: number;
  /** The process that made it. */
  readonly by: string;
}

export class Looks {
  readonly #nowMs: () => number;
  readonly #beganAtMs = new Map<string, number>();
  /** By process: the uids of what was not shown to it. */
  readonly #hidden = new Map<string, Set<string>>();
  readonly #births = new Map<string, Birth>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The process begins, unless it has already. */
  began(reader: string): void {
    if (!this.#beganAtMs.has(reader)) this.#beganAtMs.set(reader, this.#nowMs());
  }

  /** These are not shown to the process. */
  hide(reader: string, objects: readonly KubeObject[]): void {
    const hidden = this.#hidden.get(reader) ?? new Set();
    this.#hidden.set(reader, hidden);
    for (const { metadata } of objects) hidden.add(metadata.uid);
  }

  born({ metadata }: KubeObject, by: string): void {
    this.#births.set(metadata.uid, { atMs: this.#nowMs(), by });
  }

  gone({ metadata }: KubeObject): void {
    this.#births.delete(metadata.uid);
  }

  ageMs({ metadata }: KubeObject): number {
    return this.#nowMs() - (this.#births.get(metadata.uid)?.atMs ?? 0);
  }

  /** How many of these a look of the process may have missed. */
  unseenBy(reader: string, objects: readonly KubeObject[]): number {
    const beganAtMs = this.#beganAtMs.get(reader) ?? Infinity;
    const isUnseen = ({ metadata }: KubeObject) => {
      if (this.#hidden.get(reader)?.has(metadata.uid)) return true;
      const birth = this.#births.get(metadata.uid);
      return birth !== undefined && birth.by !== reader && birth.atMs >= beganAtMs;
    };
    return objects.filter(isUnseen).length;
  }
}
