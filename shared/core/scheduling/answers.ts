/**
 * What the plugins say of one shape. Verdicts and scores that depend on a node alone are kept for
 * all nodes, and renewed only for those that were written to since (K2).
 */
import type { Cluster } from './cluster.ts';
import {
  type ClusterFilter,
  type ClusterScore,
  type Help,
  type NodeFilter,
  type NodeScore,
  OPEN,
} from './framework.ts';
import { grown } from './grown.ts';
import { MaxTree } from './max-tree.ts';

/** A filter and what helps those that it refuses. */
export type Helped<F> = F & { readonly name: string; readonly helpedBy: readonly Help[] };

export interface Weighed<S> {
  readonly name: string;
  readonly score: S;
  readonly weight: number;
}

export interface PodAnswers {
  readonly filters: readonly Helped<ClusterFilter>[];
  readonly scores: readonly Weighed<ClusterScore>[];
}

export class SpecAnswers {
  readonly filters: readonly Helped<NodeFilter>[];
  readonly scores: readonly Weighed<NodeScore>[];
  /** By node: OPEN, or 1 + the index of the filter that refused. Longer than there are nodes. */
  verdicts = new Uint8Array(0);
  /** By node, where it is open. */
  totals = new Float64Array(0);
  /** How far the cluster's log is worked in. */
  #seen = 0;
  /** Made when it is first asked for. */
  #best: MaxTree | undefined;

  constructor(filters: readonly Helped<NodeFilter>[], scores: readonly Weighed<NodeScore>[]) {
    this.filters = filters;
    this.scores = scores;
  }

  /** Brings the answers up to date. */
  renew({ log, size }: Cluster): void {
    if (this.verdicts.length < size) {
      this.verdicts = grown(this.verdicts, size);
      this.totals = grown(this.totals, size);
    }
    if (this.#seen === 0 || log.length - this.#seen > size) {
      for (let node = 0; node < size; node++) this.#renewNode(node);
      this.#best = undefined;
    } else {
      for (let at = this.#seen; at < log.length; at++) {
        const node = log[at] ?? 0;
        this.#renewNode(node);
        if (this.#best?.holds(node) === true) this.#best.update(node);
        else this.#best = undefined;
      }
    }
    this.#seen = log.length;
  }

  /** The open node with the highest total, the first of equals, as of the last renewal. */
  best(size: number): number | undefined {
    if (!this.#best) {
      const valueOf = (node: number) =>
        this.verdicts[node] === OPEN ? (this.totals[node] ?? -Infinity) : -Infinity;
      this.#best = new MaxTree(valueOf);
      this.#best.rebuild(size);
    }
    return this.#best.best;
  }

  #renewNode(node: number): void {
    const refuser = this.filters.findIndex((filter) => !filter.allows(node));
    this.verdicts[node] = refuser + 1;
    if (refuser >= 0) return;
    let total = 0;
    for (const { score, weight } of this.scores) total += score(node) * weight;
    this.totals[node] = total;
  }
}
