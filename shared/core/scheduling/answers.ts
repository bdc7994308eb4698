/**
 * What the plugins say of one shape. Verdicts and scores that depend on a node alone are kept for
 * all nodes, and renewed only for those that were written to since (K2).
 */
import type { Cluster } from './cluster.ts';
import type { Refused } from './considered.ts';
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

/** Setting a node aside costs two paths of the tree, and asking all nodes a few loops over them. */
const MAX_TRIES = 16;

export const GAVE_UP = Symbol('gave up');

/** The verdict of a node that has not been judged. */
const UNJUDGED = 254;

export class SpecAnswers {
  readonly filters: readonly Helped<NodeFilter>[];
  readonly scores: readonly Weighed<NodeScore>[];
  /** By node: OPEN, or 1 + the index of the filter that refused. Longer than there are nodes. */
  verdicts = new Uint8Array(0);
  /** By node, where it is open. */
  totals = new Float64Array(0);
  /** By verdict, how many nodes have it: the open ones, then those of each filter. */
  readonly #counts: number[];
  #refused: readonly Refused[] | undefined;
  /** How far the cluster's log is worked in. */
  #seen = 0;
  /** Nodes that are out of the tree while one is looked for. */
  readonly #aside: number[] = [];
  #isAskedAgain = false;
  /** Made when it is asked for a second time. */
  #best: MaxTree | undefined;

  /** Takes the arrays over from answers that nobody asks for any more. */
  constructor(
    filters: readonly Helped<NodeFilter>[],
    scores: readonly Weighed<NodeScore>[],
    spare?: SpecAnswers,
  ) {
    this.filters = filters;
    this.scores = scores;
    if (spare) {
      this.verdicts = spare.verdicts;
      this.totals = spare.totals;
    }
    this.#counts = [0, ...filters.map(() => 0)];
  }

  /** Brings the answers up to date. */
  renew({ log, lastAt, size }: Cluster): void {
    const known = this.verdicts.length;
    if (known < size) {
      this.verdicts = grown(this.verdicts, size).fill(UNJUDGED, known);
      this.totals = grown(this.totals, size);
    }
    if (this.#seen === 0) this.#renewAll(size);
    else if (log.length - this.#seen > size) {
      for (let node = 0; node < size; node++) {
        if ((lastAt[node] as number) >= this.#seen) this.#renewOne(node);
      }
    } else {
      for (let at = this.#seen; at < log.length; at++) {
        const node = log[at] as number;
        if (lastAt[node] === at) this.#renewOne(node);
      }
    }
    this.#seen = log.length;
  }

  /** How many nodes no filter of theirs refuses. */
  get open(): number {
    return this.#counts[OPEN] ?? 0;
  }

  /** How many each filter refuses, those that refuse any; the same list until one changes. */
  get refused(): readonly Refused[] {
    this.#refused ??= this.filters.flatMap(({ name }, i): readonly Refused[] => {
      const count = this.#counts[i + 1] ?? 0;
      return count > 0 ? [[name, count]] : [];
    });
    return this.#refused;
  }

  /** The open node with the highest total, the first of equals, as of the last renewal. */
  best(size: number): number | undefined {
    // Of a shape that is asked for once, a tree costs more than it saves.
    if (!this.#best && !this.#isAskedAgain) {
      this.#isAskedAgain = true;
      return highest(this.totals.subarray(0, size), this.verdicts);
    }
    return this.#tree(size).best;
  }

  /**
   * The same among those that `accepts`, as long as few refused ones come before it: GAVE_UP when
   * there were too many, and asking all at once costs less.
   */
  bestOf(size: number, accepts: (node: number) => boolean): number | undefined | typeof GAVE_UP {
    const tree = this.#tree(size);
    let found: number | undefined | typeof GAVE_UP = GAVE_UP;
    for (let tries = 0; tries < MAX_TRIES && found === GAVE_UP; tries++) {
      const node = tree.best;
      if (node === undefined || accepts(node)) found = node;
      else this.#setAside(node, tree);
    }
    for (const node of this.#aside.splice(0)) tree.update(node);
    return found;
  }

  #setAside(node: number, tree: MaxTree): void {
    this.#aside.push(node);
    tree.remove(node);
  }

  #tree(size: number): MaxTree {
    if (!this.#best) {
      const valueOf = (node: number) =>
        this.verdicts[node] === OPEN ? (this.totals[node] ?? -Infinity) : -Infinity;
      this.#best = new MaxTree(valueOf);
      this.#best.rebuild(size);
    }
    return this.#best;
  }

  #renewOne(node: number): void {
    if (!this.#renewNode(node)) return;
    if (this.#best?.holds(node) === true) this.#best.update(node);
    else this.#best = undefined;
  }

  /** One filter after the other: a loop over one filter's nodes is faster than one over all. */
  #renewAll(size: number): void {
    const { filters, verdicts, totals } = this;
    verdicts.fill(OPEN, 0, size);
    let open = size;
    for (let i = 0; i < filters.length; i++) {
      const refused = open > 0 ? refuse(filters[i] as NodeFilter, verdicts, i + 1, size) : 0;
      this.#counts[i + 1] = refused;
      open -= refused;
    }
    this.#counts[OPEN] = open;
    for (let node = 0; open > 0 && node < size; node++) {
      if (verdicts[node] === OPEN) totals[node] = this.#totalOf(node);
    }
    this.#refused = undefined;
    this.#best = undefined;
  }

  /** Whether the answer is another than before. */
  #renewNode(node: number): boolean {
    const { filters, verdicts, totals } = this;
    let verdict = OPEN;
    for (let i = 0; i < filters.length && verdict === OPEN; i++) {
      if (!(filters[i] as Helped<NodeFilter>).allows(node)) verdict = i + 1;
    }
    const before = verdicts[node];
    if (before !== verdict) this.#count(before, verdict);
    verdicts[node] = verdict;
    if (verdict !== OPEN) return before !== verdict;
    const total = this.#totalOf(node);
    const isSame = before === verdict && totals[node] === total;
    totals[node] = total;
    return !isSame;
  }

  #totalOf(node: number): number {
    let total = 0;
    for (const { score, weight } of this.scores) total += score(node) * weight;
    return total;
  }

  #count(before = UNJUDGED, after: number): void {
    if (before !== UNJUDGED) this.#counts[before] = (this.#counts[before] ?? 0) - 1;
    this.#counts[after] = (this.#counts[after] ?? 0) + 1;
    this.#refused = undefined;
  }
}

/** Writes the code for each open node that the filter refuses, and counts them. */
function refuse(filter: NodeFilter, verdicts: Uint8Array, code: number, size: number): number {
  if (filter.isIdle?.() === true) return 0;
  const { from, to } = filter.within?.() ?? { from: 0, to: size };
  let refused = 0;
  for (let node = 0; node < size; node++) {
    if (verdicts[node] !== OPEN) continue;
    if (node >= from && node < to && filter.allows(node)) continue;
    verdicts[node] = code;
    refused++;
  }
  return refused;
}

/** The open node with the highest total, the first of equals. */
export function highest(totals: Float64Array, verdicts: Uint8Array): number | undefined {
  let best: number | undefined;
  let bestTotal = -Infinity;
  for (let node = 0; node < totals.length; node++) {
    const total = totals[node] ?? 0;
    if (verdicts[node] === OPEN && total > bestTotal) {
      best = node;
      bestTotal = total;
    }
  }
  return best;
}
