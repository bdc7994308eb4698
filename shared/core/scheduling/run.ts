/**
 * The queue of a pass: pods and gangs, one after the other, until nobody finds a place any more.
 * Owns what is tried for each and what is said of those that are left; where a pod may go is the
 * engine's (plugins).
 *
 * Invariant H3: a pod that could go nowhere is tried again only if a plugin that refused it is
 * helped by placements.
 */
import type { Pod } from '../../api/kinds/pod.ts';
import type { GangCloseness } from './gang/closeness.ts';
import { type GangItem, placeGang } from './gang/place.ts';
import type { Pass } from './pass.ts';
import type { Preempted, Preemption } from './preemption.ts';
import type { PodShape } from './shape.ts';

export type Item = { readonly pod: Pod } | GangItem;

/** A pod that got no place, and what is known of why beyond the verdicts of nodes. */
export interface Left {
  readonly pod: Pod;
  /** What is true of its gang, which can't be placed or waits (gang/place.ts). */
  readonly gang?: string;
  /** How the search for victims ended. */
  readonly preemption?: string;
}

/** What is to be tried again, and its pods. */
interface Remainder {
  readonly item: Item;
  readonly pods: readonly Left[];
}

/** A shape that found no place, and when. */
interface Failure {
  /** The length of the cluster's log at the time. */
  readonly at: number;
  readonly mayBeHelped: boolean;
  readonly preemption?: string;
}

/**
 * A pod may wait for one behind it in the queue (affinity, spread), so the rest of the queue is
 * gone through again while that helps. Longer chains than this go on in the next pass.
 */
const MAX_ROUNDS = 8;

export interface RunTools {
  readonly pass: Pass;
  readonly closeness: GangCloseness;
  readonly preemption: Preemption;
}

export class Run {
  /** Pods for which others are going to end, each with its node and its victims. */
  readonly preempted = new Map<Pod, Preempted>();
  /** Pods of gangs that have room, and wait for that of the others; with what for. */
  readonly waiting = new Map<Pod, string>();
  readonly #tools: RunTools;
  readonly #failures = new Map<string, Failure>();

  constructor(tools: RunTools) {
    this.#tools = tools;
  }

  /** Places what can be placed; tells of the rest. */
  run(items: readonly Item[]): readonly Left[] {
    const { pass } = this.#tools;
    let open = items.flatMap((item) => this.#withoutReserved(item));
    let left: readonly Remainder[] = [];
    for (let round = 0; round < MAX_ROUNDS && open.length > 0; round++) {
      const at = pass.mark();
      left = open.flatMap((item) =>
        'gang' in item ? this.#placeGang(item) : this.#placePod(item.pod),
      );
      if (pass.mark() === at) break;
      open = left.map(({ item }) => item);
    }
    return left.flatMap(({ pods }) => pods);
  }

  #withoutReserved(item: Item): readonly Item[] {
    // A gang takes up what it has with the rest of it, or gives it back (gang/place.ts: G3).
    if ('gang' in item) return [item];
    return this.#tools.pass.finishReserved(item.pod) ? [] : [item];
  }

  #placePod(pod: Pod): readonly Remainder[] {
    const { pass, preemption } = this.#tools;
    const shape = pass.shapeOf(pod);
    const known = this.#failureOf(pod, shape);
    if (known) return [remainderOf(pod, known)];
    if (pass.place(pod)) return [];
    const made = preemption.preempt(pod);
    if ('victims' in made) this.preempted.set(pod, made);
    // It has no place yet, and asks for none again in this pass, and for no machine.
    if (!('message' in made)) return [];
    const { engine } = pass;
    const failure = {
      at: engine.cluster.log.length,
      mayBeHelped: engine.mayBeHelped(shape, 'podBound'),
      preemption: made.message,
    };
    this.#failures.set(failureKey(pod, shape), failure);
    return [remainderOf(pod, failure)];
  }

  /** What is known of the shape's last try, if another would end the same. */
  #failureOf(pod: Pod, shape: PodShape): Failure | undefined {
    const failure = this.#failures.get(failureKey(pod, shape));
    const { log } = this.#tools.pass.engine.cluster;
    const isSame = failure && (!failure.mayBeHelped || failure.at === log.length);
    return isSame ? failure : undefined;
  }

  #placeGang(item: GangItem): readonly Remainder[] {
    const { pass } = this.#tools;
    const result = placeGang(item, this.#tools);
    if (!result.isPlaced) {
      return [{ item, pods: item.pods.map((pod) => ({ pod, gang: result.why })) }];
    }
    for (const [pod, made] of result.preempted) this.preempted.set(pod, made);
    const { preempted, underWay } = result;
    const makesRoom = preempted.size + underWay.size > 0;
    const waits = makesRoom || item.pods.some((pod) => pass.isComing(pod));
    if (!waits) return result.left.map((pod) => remainderOf(pod, {}));
    // They start together: none is bound before there is room for all.
    for (const pod of item.pods) {
      pass.postpone(pod);
      if (!preempted.has(pod) && !underWay.has(pod)) {
        this.waiting.set(pod, `waits for room for its gang ${item.gang.key}`);
      }
    }
    return [];
  }
}

/** Pods of one shape fare alike, but for whom they may preempt. */
function failureKey({ spec, status }: Pod, shape: PodShape): string {
  const nominated = status.nominatedNodeName ?? '';
  return `${spec.priority ?? 0} ${spec.preemptionPolicy ?? ''} ${nominated} ${shape.key}`;
}

function remainderOf(pod: Pod, { preemption }: Pick<Failure, 'preemption'>): Remainder {
  return { item: { pod }, pods: [preemption === undefined ? { pod } : { pod, preemption }] };
}
