/**
 * What a pass notes of its choices as it makes them: for every pod the little that is at hand
 * anyway, for the first pods also what each plugin said of the best nodes, and for one that
 * somebody asks about, everything.
 */
import type { Pod } from '../../api/kinds/pod.ts';
import type { Considered } from './considered.ts';
import type { Engine, Scores } from './engine.ts';
import type { PodShape } from './shape.ts';

export interface Choice extends Considered {
  /** Of the best nodes. */
  readonly scores?: ReadonlyMap<number, Scores>;
}

/** What every node was to the pod, when it was last tried. */
export interface Inspection {
  readonly pod: Pod;
  readonly nodes: readonly InspectedNode[];
}

export type InspectedNode =
  | { readonly node: string; readonly scores: Scores }
  | { readonly node: string; readonly filter: string; readonly reasons: readonly string[] };

/**
 * Plugins are asked once more for so many pods a pass, each at the cost of a few loops over all
 * nodes: passes are small but for bursts, of which one pod is like the other.
 */
const MAX_DETAILED = 8;

export class Choices {
  inspection: Inspection | undefined;
  readonly #byPod = new Map<Pod, Choice>();
  readonly #isInspected: ((pod: Pod) => boolean) | undefined;
  #detailed = 0;

  constructor(isInspected?: (pod: Pod) => boolean) {
    this.#isInspected = isInspected;
  }

  /** `node` was the engine's answer for the pod just now. */
  note(pod: Pod, shape: PodShape, node: number | undefined, engine: Engine): void {
    if (node !== undefined) {
      const isDetailed = this.#detailed++ < MAX_DETAILED;
      const choice = isDetailed ? detailed(shape, engine) : engine.considered(shape, node);
      this.#byPod.set(pod, choice);
    }
    if (this.#isInspected?.(pod)) this.inspection = inspected(pod, shape, engine);
  }

  /** By which the pod came to the node; undefined where it came there in another way. */
  of(pod: Pod, node: number | undefined): Choice | undefined {
    const choice = this.#byPod.get(pod);
    return choice?.best[0]?.[0] === node ? choice : undefined;
  }
}

function detailed(shape: PodShape, engine: Engine): Choice {
  const considered = engine.consideredAll(shape);
  const best = considered.best.map(([node]) => node);
  return { ...considered, scores: engine.scoresAt(shape, best) };
}

function inspected(pod: Pod, shape: PodShape, engine: Engine): Inspection {
  const scores = engine.scores(shape);
  const refusers = engine.refusers(shape);
  const refusals = engine.refusals(shape);
  const nodes = engine.cluster.nodes.map(({ metadata }, index): InspectedNode => {
    const node = metadata.name;
    const ofNode = scores.get(index);
    if (ofNode) return { node, scores: ofNode };
    return { node, filter: refusers[index] ?? 'Closed', reasons: refusals[index] ?? [] };
  });
  return { pod, nodes };
}
