/** What was asked for, and when: the measure of what may be there. */
import type { ReplicaSet } from '../../../shared/api/kinds/workloads.ts';
import { controllerOf, type KubeObject } from '../../../shared/api/meta.ts';

/**
 * How many pods each ReplicaSet was asked for lately: a create may be late, and is then of no harm.
 */
export class Asked {
  readonly #nowMs: () => number;
  readonly #history = new Map<string, { readonly atMs: number; readonly replicas: number }[]>();

  /** By owner: when each of its objects went. */
  readonly #left = new Map<string, readonly number[]>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  changed({ metadata, spec }: ReplicaSet): void {
    const history = this.#history.get(metadata.uid) ?? [];
    this.#history.set(metadata.uid, history);
    if (history.at(-1)?.replicas === spec.replicas) return;
    history.push({ atMs: this.#nowMs(), replicas: spec.replicas });
  }

  /** It is there no more. */
  left(object: KubeObject): void {
    const owner = controllerOf(object)?.uid;
    if (owner) this.#left.set(owner, [...(this.#left.get(owner) ?? []), this.#nowMs()]);
  }

  /** How many of the owner's went in the last two minutes: their slots have had a pod before. */
  leftLately(owner: string): number {
    const sinceMs = this.#nowMs() - LATE_CREATE_MS;
    return (this.#left.get(owner) ?? []).filter((atMs) => atMs > sinceMs).length;
  }

  /** The most that was asked for at any time in the last two minutes. */
  most(uid: string): number | undefined {
    const history = this.#history.get(uid);
    const sinceMs = this.#nowMs() - LATE_CREATE_MS;
    const lately = history?.filter((_, i) => (history[i + 1]?.atMs ?? Infinity) > sinceMs);
    return lately && Math.max(...lately.map(({ replicas }) => replicas));
  }
}

const LATE_CREATE_MS = 120_000;
