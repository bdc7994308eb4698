/**
 * The engine: finds the best node for a pod out of all nodes, by the plugins that are enabled.
 *
 * Verdicts that depend on a node alone are kept for each spec shape (answers.ts); verdicts over the
 * cluster are made anew for each pod, one loop over numbers a plugin.
 *
 * Order of preference, total: open nodes only; higher score; lower index, which is the order of the
 * names of the nodes that were there from the start. Nothing is left to chance.
 */
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { Labels } from '../../api/meta.ts';
import { GAVE_UP, highest, type PodAnswers, SpecAnswers } from './answers.ts';
import { Cluster } from './cluster.ts';
import { type Considered, counted, ranked } from './considered.ts';
import { CLOSED, type Enabled, type Help, type Judge, OPEN, type Tracker } from './framework.ts';
import { grown } from './grown.ts';
import { type PodShape, Shapes, type SpecShape } from './shape.ts';

/** Verdicts of spec shapes are kept as far as this goes: of 280 at 5,000 nodes. More is slower. */
const MAX_KEPT_BYTES = 12 * 2 ** 20;
/** A verdict and a total. */
const BYTES_PER_NODE = 9;

interface Begun extends Enabled {
  readonly judge: Judge;
}

/** Verdicts are kept between passes until the log is so long: some megabytes. */
const MAX_LOG = 2 ** 18;

/** What each plugin thinks of a node, for people. */
export interface Scores {
  readonly total: number;
  readonly parts: { readonly [plugin: string]: number };
}

export class Engine {
  readonly cluster: Cluster;
  readonly shapes: Shapes;
  readonly #plugins: readonly Begun[];
  readonly #bySpec = new Map<string, SpecAnswers>();
  readonly #byPod = new Map<string, PodAnswers>();
  readonly #trackers = new Map<string, readonly Tracker[]>();
  readonly #closed = new Set<number>();
  /** Scratch of the pod at hand, as long as there are nodes. */
  #verdicts = new Uint8Array(0);
  #totals = new Float64Array(0);

  constructor(
    nodes: readonly Node[],
    namespaceLabels: ReadonlyMap<string, Labels>,
    plugins: readonly Enabled[],
    openLabels?: ReadonlySet<string>,
  ) {
    this.cluster = new Cluster(nodes, namespaceLabels, openLabels);
    this.shapes = new Shapes(this.cluster.pods);
    this.#plugins = plugins.flatMap(({ plugin, weight }) =>
      plugin.begin ? [{ plugin, weight, judge: plugin.begin(this.cluster) }] : [],
    );
  }

  shapeOf(pod: Pod): PodShape {
    return this.shapes.of(pod);
  }

  /** Puts a pod of the shape on the node, or takes it off again: this one, where it is given. */
  place(shape: PodShape, node: number, sign: 1 | -1 = 1, pod?: Pod): void {
    this.cluster.pods.place(shape.group, node, sign);
    this.cluster.occupy(node, shape.spec.requests, sign);
    for (const track of this.#trackersOf(shape)) track(node, sign, pod);
  }

  /** Gets ready for another pass over the same nodes. */
  settle(): void {
    this.#closed.clear();
    if (this.cluster.log.length <= MAX_LOG) return;
    this.#bySpec.clear();
    this.cluster.clearLog();
  }

  /** Nobody is placed there until it is opened again. */
  close(node: number): void {
    this.#closed.add(node);
  }

  open(node: number): void {
    this.#closed.delete(node);
  }

  /** The node that a pod of the shape should go to; undefined when all refuse it. */
  best(shape: PodShape): number | undefined {
    const { filters, scores } = this.#podAnswers(shape);
    if (scores.every(isIdleScore)) {
      const answers = this.#specAnswers(shape.spec);
      const isFree = this.#closed.size === 0 && filters.every(isIdle);
      if (isFree) return answers.best(this.cluster.size);
      const accepts = (node: number) =>
        !this.#closed.has(node) && !filters.some((filter) => filter.refuses(node));
      const found = answers.bestOf(this.cluster.size, accepts);
      if (found !== GAVE_UP) return found;
    }
    this.#total(shape);
    return highest(this.#totals, this.#verdicts);
  }

  /**
   * How `best` came to the node, its last answer; nothing may have been placed since. What is at
   * hand anyway: the node, and how many the filters refuse that look at a node alone.
   */
  considered(shape: PodShape, node: number): Considered {
    const spec = this.#specAnswers(shape.spec);
    const { filters, scores } = this.#podAnswers(shape);
    const isCounted = this.#closed.size === 0 && filters.every(isIdle);
    const totals = scores.every(isIdleScore) ? spec.totals : this.#totals;
    return {
      nodes: this.cluster.size,
      ...(isCounted ? { open: spec.open } : {}),
      refused: spec.refused,
      best: [[node, totals[node] ?? 0]],
    };
  }

  /** The same with all refusals and those that came next, at the cost of some loops over nodes. */
  consideredAll(shape: PodShape): Considered {
    const spec = this.#total(shape);
    const filters = [...spec.filters, ...this.#podAnswers(shape).filters];
    const names = filters.map(({ name }) => name);
    return { ...counted(this.#verdicts, names), best: ranked(this.#totals, this.#verdicts) };
  }

  /** Whether this node would take a pod of the shape. */
  allows(shape: PodShape, node: number): boolean {
    if (this.#closed.has(node)) return false;
    const spec = this.#specAnswers(shape.spec);
    return (
      spec.verdicts[node] === OPEN &&
      !this.#podAnswers(shape).filters.some((filter) => filter.refuses(node))
    );
  }

  /** Whether it is refused there whatever pods are taken off the node. */
  refusesEmpty(shape: PodShape, node: number): boolean {
    return this.#ofSpec(shape.spec).filters.some((f) => f.refusesEmpty?.(node) === true);
  }

  /**
   * As `allows`, for a node whose pods are shifted about: verdicts of all nodes are not brought up
   * to date for it.
   */
  allowsNow(shape: PodShape, node: number): boolean {
    if (this.#closed.has(node)) return false;
    return (
      this.#ofSpec(shape.spec).filters.every((filter) => filter.allows(node)) &&
      !this.#podAnswers(shape).filters.some((filter) => filter.refuses(node))
    );
  }

  /** Whether what is placed elsewhere may change what this shape is told of a node. */
  looksAtPods(shape: PodShape): boolean {
    return !this.#podAnswers(shape).filters.every(isIdle);
  }

  /** Whether such a change may open this node to a pod of the shape. */
  mayBeHelpedAt(shape: PodShape, node: number, by: Help): boolean {
    const spec = this.#specAnswers(shape.spec);
    const verdict = spec.verdicts[node] ?? OPEN;
    if (verdict !== OPEN) return spec.filters[verdict - 1]?.helpedBy.includes(by) === true;
    const refuser = this.#podAnswers(shape).filters.find((filter) => filter.refuses(node));
    return refuser?.helpedBy.includes(by) === true;
  }

  /** The nodes that would take a pod of the shape. */
  allowed(shape: PodShape): readonly number[] {
    this.#judge(shape);
    return [...this.#verdicts.keys()].filter((node) => this.#verdicts[node] === OPEN);
  }

  /** What the plugins think of the nodes that would take a pod of the shape. */
  scores(shape: PodShape): ReadonlyMap<number, Scores> {
    return this.scoresAt(shape, this.allowed(shape));
  }

  /** The same of some of them. */
  scoresAt(shape: PodShape, nodes: readonly number[]): ReadonlyMap<number, Scores> {
    const spec = this.#judge(shape);
    const ofPod = this.#podAnswers(shape).scores.map(({ name, score, weight }) => {
      const values = new Float64Array(this.cluster.size);
      if (!isIdle(score)) score.add(values, this.#verdicts, weight);
      return [name, values] as const;
    });
    const scoresOf = (node: number): Scores => {
      const parts = [
        ...spec.scores.map(({ name, score, weight }) => [name, weight * score(node)] as const),
        ...ofPod.map(([name, values]) => [name, values[node] ?? 0] as const),
      ];
      const total = parts.reduce((sum, [, value]) => sum + value, 0);
      return { total, parts: Object.fromEntries(parts) };
    };
    return new Map(nodes.map((node) => [node, scoresOf(node)]));
  }

  /** Why each node refuses the shape. A node that does not refuse it has no reasons. */
  refusals(shape: PodShape): (readonly string[])[] {
    const spec = this.#judge(shape);
    const filters = [...spec.filters, ...this.#podAnswers(shape).filters];
    return Array.from(this.#verdicts, (verdict, node) => filters[verdict - 1]?.reasons(node) ?? []);
  }

  /** The plugin that refuses each node; undefined where none does. */
  refusers(shape: PodShape): (string | undefined)[] {
    const spec = this.#judge(shape);
    const filters = [...spec.filters, ...this.#podAnswers(shape).filters];
    return Array.from(this.#verdicts, (verdict) => filters[verdict - 1]?.name);
  }

  /** Whether a placement in this pass might open one of the nodes that refuse the shape now. */
  mayBeHelped(shape: PodShape, by: Help): boolean {
    const spec = this.#judge(shape);
    const filters = [...spec.filters, ...this.#podAnswers(shape).filters];
    const helped = filters.map(({ helpedBy }) => helpedBy.includes(by));
    return this.#verdicts.some((verdict) => helped[verdict - 1] === true);
  }

  /** Fills `#verdicts` and `#totals`. */
  #total(shape: PodShape): SpecAnswers {
    const spec = this.#judge(shape);
    const totals = this.#totals;
    totals.set(spec.totals.subarray(0, totals.length));
    for (const { score, weight } of this.#podAnswers(shape).scores) {
      score.add(totals, this.#verdicts, weight);
    }
    return spec;
  }

  /** Fills `#verdicts`. */
  #judge(shape: PodShape): SpecAnswers {
    const spec = this.#specAnswers(shape.spec);
    const { size } = this.cluster;
    if (this.#verdicts.length !== size) {
      this.#verdicts = grown(new Uint8Array(this.#verdicts.buffer), size).subarray(0, size);
      this.#totals = grown(new Float64Array(this.#totals.buffer), size).subarray(0, size);
    }
    this.#verdicts.set(spec.verdicts.subarray(0, size));
    let code = spec.filters.length;
    for (const filter of this.#podAnswers(shape).filters) filter.refuse(this.#verdicts, ++code);
    for (const node of this.#closed) this.#verdicts[node] = CLOSED;
    return spec;
  }

  #specAnswers(spec: SpecShape): SpecAnswers {
    const answers = this.#ofSpec(spec);
    answers.renew(this.cluster);
    return answers;
  }

  /** As of when they were last brought up to date. */
  #ofSpec(spec: SpecShape): SpecAnswers {
    return this.#bySpec.get(spec.key) ?? this.#newSpecAnswers(spec);
  }

  #newSpecAnswers(spec: SpecShape): SpecAnswers {
    const filters = this.#plugins.flatMap(({ plugin: { name, helpedBy }, judge }) => {
      const filter = judge.nodeFilter?.(spec);
      return filter ? [{ ...filter, name, helpedBy }] : [];
    });
    const scores = this.#plugins.flatMap(({ plugin: { name }, weight, judge }) => {
      const score = judge.nodeScore?.(spec);
      return score ? [{ name, score, weight }] : [];
    });
    const answers = new SpecAnswers(filters, scores, this.#evicted());
    this.#bySpec.set(spec.key, answers);
    return answers;
  }

  /** The oldest answers, where there are too many; they are forgotten. */
  #evicted(): SpecAnswers | undefined {
    const keptBytes = this.#bySpec.size * this.cluster.size * BYTES_PER_NODE;
    const oldest = this.#bySpec.entries().next();
    if (keptBytes <= MAX_KEPT_BYTES || oldest.done) return undefined;
    const [key, answers] = oldest.value;
    this.#bySpec.delete(key);
    return answers;
  }

  #podAnswers(shape: PodShape): PodAnswers {
    let answers = this.#byPod.get(shape.key);
    if (!answers) {
      answers = {
        filters: this.#plugins.flatMap(({ plugin: { name, helpedBy }, judge }) => {
          const filter = judge.clusterFilter?.(shape);
          return filter ? [{ ...filter, name, helpedBy }] : [];
        }),
        scores: this.#plugins.flatMap(({ plugin: { name }, weight, judge }) => {
          const score = judge.clusterScore?.(shape);
          return score ? [{ name, score, weight }] : [];
        }),
      };
      this.#byPod.set(shape.key, answers);
    }
    return answers;
  }

  #trackersOf(shape: PodShape): readonly Tracker[] {
    let trackers = this.#trackers.get(shape.key);
    if (!trackers) {
      trackers = this.#plugins.flatMap(({ judge }) => judge.track?.(shape) ?? []);
      this.#trackers.set(shape.key, trackers);
    }
    return trackers;
  }
}

function isIdle(judge: { readonly isIdle?: () => boolean }): boolean {
  return judge.isIdle?.() === true;
}

function isIdleScore({ score }: PodAnswers['scores'][number]): boolean {
  return isIdle(score);
}
