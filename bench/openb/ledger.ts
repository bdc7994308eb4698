/**
 * A run's nodes, and each spec's scores of all of them, so that a pod costs only the judgements of
 * nodes that changed since its like was placed.
 *
 * Invariants:
 *  L1 A kept score is that of the node as it stands; -Infinity where the spec does not fit.
 *  L2 Memory is bounded by specs × nodes; nothing grows with the pods.
 */
import type {
  DeviceAccounts,
  DeviceSet,
  PlacedRequest,
} from '../../shared/core/scheduling/gpu/devices.ts';

/** A policy at work. `spec` is one of the workload's. */
export interface Placer {
  /** Of a node where the spec fits; more is better. Kept until the node changes. */
  score(node: number, spec: PlacedRequest): number;
  /** Where on the node it goes. */
  devices(node: number, spec: PlacedRequest): DeviceSet;
  /** Told of each pod before it is placed. True when no earlier score holds any more. */
  arrives?(spec: PlacedRequest): boolean;
  /** Chooses instead of the highest score; nodes that don't fit have -Infinity. */
  choose?(scores: Float64Array): number | undefined;
  /** Told where a pod was placed. */
  placed?(node: number, spec: PlacedRequest, on: DeviceSet): void;
  /** No node takes the pod; a last chance to make room. The node where it can go now. */
  refused?(spec: PlacedRequest, ledger: Ledger): number | undefined;
  /** Moves of running pods so far. */
  readonly moves?: number;
}

interface Kept {
  readonly scores: Float64Array;
  /** The clock when they were right. */
  at: number;
}

export class Ledger {
  readonly accounts: DeviceAccounts;
  readonly #kept = new Map<PlacedRequest, Kept>();
  /** Counts changes; for each node, when it changed last. */
  #clock = 0;
  readonly #changedAt: Uint32Array;

  constructor(accounts: DeviceAccounts) {
    this.accounts = accounts;
    this.#changedAt = new Uint32Array(accounts.size);
  }

  /** True when the pod has a place. */
  place(placer: Placer, spec: PlacedRequest): boolean {
    if (placer.arrives?.(spec)) this.#kept.clear();
    const node = this.choose(placer, spec) ?? placer.refused?.(spec, this);
    if (node === undefined) return false;
    const on = placer.devices(node, spec);
    this.move(node, spec, on, 1);
    placer.placed?.(node, spec, on);
    return true;
  }

  choose(placer: Placer, spec: PlacedRequest): number | undefined {
    const scores = this.#scores(placer, spec);
    return placer.choose ? placer.choose(scores) : highest(scores);
  }

  /** Takes room, or gives it back. */
  move(node: number, spec: PlacedRequest, on: DeviceSet, sign: 1 | -1): void {
    this.accounts.place(node, spec, on, sign);
    this.#changedAt[node] = ++this.#clock;
  }

  #scores(placer: Placer, spec: PlacedRequest): Float64Array {
    const { size } = this.accounts;
    const known = this.#kept.get(spec);
    const kept = known ?? { scores: new Float64Array(size), at: 0 };
    for (let node = 0; node < size; node++) {
      if (known && (this.#changedAt[node] ?? 0) <= known.at) continue;
      const fits = this.accounts.fits(node, spec);
      kept.scores[node] = fits ? placer.score(node, spec) : -Infinity;
    }
    kept.at = this.#clock;
    this.#kept.set(spec, kept);
    return kept.scores;
  }
}

/** The first of the highest; undefined when all are -Infinity. */
export function highest(scores: Float64Array): number | undefined {
  let best: number | undefined;
  let bestScore = -Infinity;
  for (let node = 0; node < scores.length; node++) {
    const score = scores[node] ?? -Infinity;
    if (score <= bestScore) continue;
    best = node;
    bestScore = score;
  }
  return best;
}
