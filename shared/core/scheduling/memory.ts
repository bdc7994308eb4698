/**
 * What a pass has read, for the next one: it goes on from there, and reads only what has changed,
 * so that a pass takes no longer for pods that have their place.
 *
 * Owns when that may be done. What it means for what is read is pass.ts (`follow`).
 *
 * Invariants:
 *  M1 A pass that goes on from another gives the answer that it would have given anew. What can't
 *     be followed is forgotten, and read anew: nodes that came, went or offer something else,
 *     namespaces, plugins, machines on their way, services that are short of room, GPUs, and
 *     machines that the pass tried to launch.
 *  M2 One pass is remembered at most, and its snapshot with it. Shapes that no pod has any more are
 *     remembered up to a bound (`MAX_STALE_SHAPES`).
 *  M3 What is remembered is in nobody's hands but the memory's: a pass that fails halfway is
 *     forgotten.
 */
import type { Pod } from '../../api/kinds/pod.ts';
import { sameJson } from '../../api/hash.ts';
import type { Node, NodeAllocation } from '../../api/kinds/node.ts';
import { comingNodes } from '../capacity/claim/state.ts';
import { type Differences, differences } from './differences.ts';
import type { Enabled } from './framework.ts';
import { isOfGang } from './gang/membership.ts';
import type { Ground } from './ground.ts';
import { offerOf } from './helps.ts';
import { digestSum } from './input-digest.ts';
import type { Changed } from './pass.ts';
import { isPending } from './pending.ts';
import type { ClusterSnapshot } from './snapshot.ts';
import { shortNames } from './capacity-shortages.ts';

/** What decides whether a pass may go on from another. */
export interface PassGiven {
  readonly snapshot: ClusterSnapshot;
  readonly plugins: readonly Enabled[];
  readonly nowMs: number;
}

/** When more pods than this part have changed, reading all of them anew takes less time. */
const MOST_CHANGED = 0.5;
/** So few that it makes no difference. */
const FEW_CHANGED = 1_000;
/** Of pods that are gone, or have changed their labels: some hundred bytes to a kilobyte each. */
const MAX_STALE_SHAPES = 4_096;

/** The last pass, and what has changed since. */
export interface Recalled {
  readonly last: Remembered;
  readonly changed: Changed;
}

/** Of one cell in one process: its owner hands it to each pass over the cell. */
export class PassMemory {
  /** How many passes went on from the one before. */
  followed = 0;
  #last: Remembered | undefined;

  /**
   * What the last pass has read, with what has changed since; undefined where it is of no use. The
   * memory is empty from then on (M3).
   */
  take(given: PassGiven): Recalled | undefined {
    const last = this.#last;
    this.#last = undefined;
    const changed = last?.changedTo(given);
    if (!last || !changed) return undefined;
    this.followed++;
    return { last, changed };
  }

  keep(last: Remembered): void {
    if (last.isReusable) this.#last = last;
  }
}

/** What of a snapshot is known by what has changed of it. */
interface Known {
  /** Pods that wait for a place, and those of gangs, in no order. */
  readonly pending: Set<Pod>;
  readonly ofGangs: Set<Pod>;
  /** What ledgers and pods are in the digest of the snapshot. */
  digest: number;
}

export class Remembered {
  readonly ground: Ground;
  readonly #shapes: number;
  #given: PassGiven;
  readonly #digest: number | undefined;
  #known: Known | undefined;

  /** `digest`: of the snapshot's ledgers and pods, where it is known. */
  constructor(ground: Ground, given: PassGiven, digest?: number) {
    this.ground = ground;
    this.#given = given;
    this.#digest = digest;
    this.#shapes = ground.pass.engine.shapes.size;
  }

  /** M1, M2: whether a pass may go on from it. */
  get isReusable(): boolean {
    const { engine, hasGrown } = this.ground.pass;
    const isLarge = engine.shapes.size > 2 * this.#shapes + MAX_STALE_SHAPES;
    return !hasGrown && !isLarge && engine.cluster.gpus.isIdle;
  }

  /** Made when it is first asked for: of many passes there is no next one. */
  get known(): Known {
    if (!this.#known) {
      const { pods, ledgers } = this.#given.snapshot;
      this.#known = {
        pending: new Set(pods.filter(isPending)),
        ofGangs: new Set(pods.filter(isOfGang)),
        digest: this.#digest ?? digestSum(pods) + digestSum(ledgers),
      };
    }
    return this.#known;
  }

  /** What has changed in the snapshot; undefined where that can't be followed. */
  changedTo(now: PassGiven): Changed | undefined {
    if (!this.#isAlike(now)) return undefined;
    const { pass } = this.ground;
    const pods = differences(
      {
        list: this.#given.snapshot.pods,
        keyOf: ({ metadata }) => metadata.uid,
        has: (uid) => pass.podsByUid.has(uid),
      },
      now.snapshot.pods,
    );
    const most = Math.max(FEW_CHANGED, MOST_CHANGED * now.snapshot.pods.length);
    if (pods.come.length > most) return undefined;
    if (pods.come.some((pod) => pass.shapeOf(pod).spec.gpus)) return undefined;
    const ledgers = differences(
      {
        list: this.#given.snapshot.ledgers,
        keyOf: ({ metadata }) => metadata.name,
        has: (name) => pass.ledgers.has(name),
      },
      now.snapshot.ledgers,
    );
    return { pods, ledgers };
  }

  /** Has become what the snapshot is now. */
  follow(now: PassGiven, { pods, ledgers }: Changed): void {
    const { known } = this;
    this.#given = now;
    followSet(known.pending, pods, isPending);
    followSet(known.ofGangs, pods, isOfGang);
    followDigest(known, pods);
    followDigest(known, ledgers);
    now.snapshot.nodes.forEach((node) => this.#followNode(node));
  }

  #followNode(node: Node): void {
    const { cluster } = this.ground.pass.engine;
    const index = cluster.nodeNamed(node.metadata.name) ?? 0;
    if (cluster.nodes[index] !== node) cluster.replace(index, node);
  }

  /** All but pods and ledgers is the same to a pass. */
  #isAlike({ snapshot, plugins, nowMs }: PassGiven): boolean {
    const before = this.#given;
    const { nodes, namespaces } = snapshot;
    return (
      areAlike(before.plugins, plugins, samePlugin) &&
      areAlike(before.snapshot.nodes, nodes, sameOffer) &&
      areAlike(before.snapshot.namespaces, namespaces, sameLabels) &&
      sameJson(comingIn(before.snapshot), comingIn(snapshot)) &&
      shortNames(before.snapshot.nodes, before.nowMs) === shortNames(nodes, nowMs)
    );
  }
}

function followSet(
  set: Set<Pod>,
  { gone, come }: Differences<Pod>,
  isIn: (pod: Pod) => boolean,
): void {
  for (const pod of gone) set.delete(pod);
  for (const pod of come) if (isIn(pod)) set.add(pod);
}

function followDigest(known: Known, { gone, come }: Differences<Pod | NodeAllocation>): void {
  known.digest = (known.digest + digestSum(come) - digestSum(gone)) >>> 0;
}

function comingIn({ claims = [], nodes }: ClusterSnapshot): readonly Node[] {
  return comingNodes(claims, nodes);
}

function areAlike<T>(
  before: readonly T[],
  now: readonly T[],
  isAlike: (a: T, b: T) => boolean,
): boolean {
  if (before.length !== now.length) return false;
  return now.every((one, i) => one === before[i] || isAlike(before[i] as T, one));
}

function samePlugin(a: Enabled, b: Enabled): boolean {
  return a.plugin === b.plugin && a.weight === b.weight;
}

/** Nodes are written for much that placement does not look at. */
function sameOffer(a: Node, b: Node): boolean {
  return a.metadata.name === b.metadata.name && sameJson(offerOf(a), offerOf(b));
}

type Labelled = ClusterSnapshot['namespaces'][number];

function sameLabels({ metadata: a }: Labelled, { metadata: b }: Labelled): boolean {
  return a.name === b.name && sameJson(a.labels ?? {}, b.labels ?? {});
}
