/**
 * The engine: finds the best node for a pod out of all nodes, by the plugins that are enabled.
 *
 * Verdicts that depend on a node alone are kept for each spec shape and renewed only for the nodes
 * that were written to since (K2); verdicts over the cluster are made anew for each pod, one loop
 * over numbers a plugin.
 *
 * Order of preference, total: open nodes only; higher score; lower name. Names are unique, so
 * nothing is left to chance.
 */
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { Labels } from '../../api/meta.ts';
import { Cluster } from './cluster.ts';
import {
  type ClusterFilter,
  type ClusterScore,
  type Enabled,
  type Help,
  type Judge,
  type NodeFilter,
  type NodeScore,
  OPEN,
  type Tracker,
} from './framework.ts';
import { type PodShape, Shapes, type SpecShape } from './shape.ts';

/** Verdicts of so many spec shapes are kept: at 5,000 nodes they take about 12 MB. */
const MAX_KEPT_SPECS = 256;

interface Begun extends Enabled {
  readonly judge: Judge;
}

interface Weighed<S> {
  readonly score: S;
  readonly weight: number;
}

/**
 * The answers about one spec shape, for all nodes. A verdict is 1 + the index of the filter that
 * refused.
 */
interface SpecAnswers {
  readonly filters: readonly (NodeFilter & { readonly helpedBy: readonly Help[] })[];
  readonly scores: readonly Weighed<NodeScore>[];
  readonly verdicts: Uint8Array;
  readonly totals: Float64Array;
  /** How far the cluster's log is worked in. */
  seen: number;
}

interface PodAnswers {
  readonly filters: readonly (ClusterFilter & { readonly helpedBy: readonly Help[] })[];
  readonly scores: readonly Weighed<ClusterScore>[];
}

export class Engine {
  readonly cluster: Cluster;
  readonly shapes: Shapes;
  readonly #plugins: readonly Begun[];
  readonly #bySpec = new Map<string, SpecAnswers>();
  readonly #byPod = new Map<string, PodAnswers>();
  readonly #trackers = new Map<string, readonly Tracker[]>();
  /** Scratch of the pod at hand. */
  readonly #verdicts: Uint8Array;
  readonly #totals: Float64Array;

  constructor(
    nodes: readonly Node[],
    namespaceLabels: ReadonlyMap<string, Labels>,
    plugins: readonly Enabled[],
  ) {
    this.cluster = new Cluster(nodes, namespaceLabels);
    this.shapes = new Shapes(this.cluster.pods);
    this.#plugins = plugins.flatMap(({ plugin, weight }) =>
      plugin.begin ? [{ plugin, weight, judge: plugin.begin(this.cluster) }] : [],
    );
    this.#verdicts = new Uint8Array(this.cluster.size);
    this.#totals = new Float64Array(this.cluster.size);
  }

  shapeOf(pod: Pod): PodShape {
    return this.shapes.of(pod);
  }

  /** Puts a pod of the shape on the node, or takes it off again. */
  place(shape: PodShape, node: number, sign: 1 | -1 = 1): void {
    this.cluster.pods.place(shape.group, node, sign);
    for (const track of this.#trackersOf(shape)) track(node, sign);
    this.cluster.occupy(node, shape.spec.requests, sign);
  }

  /** The node that a pod of the shape should go to; undefined when all refuse it. */
  best(shape: PodShape): number | undefined {
    const spec = this.#judge(shape);
    const totals = this.#totals;
    totals.set(spec.totals);
    for (const { score, weight } of this.#podAnswers(shape).scores) {
      score(totals, this.#verdicts, weight);
    }
    return highest(totals, this.#verdicts);
  }

  /** Whether this node would take a pod of the shape. */
  allows(shape: PodShape, node: number): boolean {
    this.#judge(shape);
    return this.#verdicts[node] === OPEN;
  }

  /** Why each node refuses the shape. A node that does not refuse it has no reasons. */
  refusals(shape: PodShape): (readonly string[])[] {
    const spec = this.#judge(shape);
    const filters = [...spec.filters, ...this.#podAnswers(shape).filters];
    return Array.from(this.#verdicts, (verdict, node) => filters[verdict - 1]?.reasons(node) ?? []);
  }

  /** Whether a placement in this pass might open one of the nodes that refuse the shape now. */
  mayBeHelped(shape: PodShape, by: Help): boolean {
    const spec = this.#judge(shape);
    const filters = [...spec.filters, ...this.#podAnswers(shape).filters];
    const helped = filters.map(({ helpedBy }) => helpedBy.includes(by));
    return this.#verdicts.some((verdict) => helped[verdict - 1] === true);
  }

  /** Fills `#verdicts`. */
  #judge(shape: PodShape): SpecAnswers {
    const spec = this.#specAnswers(shape.spec);
    this.#verdicts.set(spec.verdicts);
    let code = spec.filters.length;
    for (const filter of this.#podAnswers(shape).filters) filter.refuse(this.#verdicts, ++code);
    return spec;
  }

  #specAnswers(spec: SpecShape): SpecAnswers {
    const known = this.#bySpec.get(spec.key);
    const answers = known ?? this.#newSpecAnswers(spec);
    const { log } = this.cluster;
    if (!known || log.length - answers.seen > this.cluster.size) {
      for (let node = 0; node < this.cluster.size; node++) answerNode(answers, node);
    } else {
      for (let at = answers.seen; at < log.length; at++) answerNode(answers, log[at] ?? 0);
    }
    answers.seen = log.length;
    return answers;
  }

  #newSpecAnswers(spec: SpecShape): SpecAnswers {
    const answers: SpecAnswers = {
      filters: this.#plugins.flatMap(({ plugin, judge }) => {
        const filter = judge.nodeFilter?.(spec);
        return filter ? [{ ...filter, helpedBy: plugin.helpedBy }] : [];
      }),
      scores: this.#plugins.flatMap(({ weight, judge }) => {
        const score = judge.nodeScore?.(spec);
        return score ? [{ score, weight }] : [];
      }),
      verdicts: new Uint8Array(this.cluster.size),
      totals: new Float64Array(this.cluster.size),
      seen: 0,
    };
    if (this.#bySpec.size >= MAX_KEPT_SPECS) {
      for (const oldest of this.#bySpec.keys()) {
        this.#bySpec.delete(oldest);
        break;
      }
    }
    this.#bySpec.set(spec.key, answers);
    return answers;
  }

  #podAnswers(shape: PodShape): PodAnswers {
    let answers = this.#byPod.get(shape.key);
    if (!answers) {
      answers = {
        filters: this.#plugins.flatMap(({ plugin, judge }) => {
          const filter = judge.clusterFilter?.(shape);
          return filter ? [{ ...filter, helpedBy: plugin.helpedBy }] : [];
        }),
        scores: this.#plugins.flatMap(({ weight, judge }) => {
          const score = judge.clusterScore?.(shape);
          return score ? [{ score, weight }] : [];
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

function answerNode({ filters, scores, verdicts, totals }: SpecAnswers, node: number): void {
  const refuser = filters.findIndex((filter) => !filter.allows(node));
  verdicts[node] = refuser + 1;
  if (refuser >= 0) return;
  let total = 0;
  for (const { score, weight } of scores) total += score(node) * weight;
  totals[node] = total;
}

/** Nodes are in the order of their names, so that the first of equals has the lowest name. */
function highest(totals: Float64Array, verdicts: Uint8Array): number | undefined {
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
