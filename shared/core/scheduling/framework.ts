/**
 * The door through which every rule of placement enters: built-in or not, a rule is a plugin in
 * registry.ts and nothing else of the scheduler knows it.
 *
 * Invariants:
 *  K1 A verdict depends on the pod's shape and on the cluster as it is now; never on the order of
 *     the snapshot.
 *  K2 `node…` verdicts depend on the spec and on that one node, so that they are kept until
 *     something is placed there.
 *  K3 A plugin that counts does it in `track`, a placement at a time; nothing is counted again for
 *     each pod.
 *  K4 A score is between 0 and 100. The registry weighs it.
 */
import type { Pod } from '../../api/kinds/pod.ts';
import type { Cluster } from './cluster.ts';
import type { PodShape, SpecShape } from './shape.ts';

/** Changes that may make room for a pod that was refused. */
export type Help =
  /** The pending pod itself appeared, or what it asks for changed. */
  | 'podPending'
  /** A pod was bound. */
  | 'podBound'
  /** A bound pod ended or went away. */
  | 'podGone'
  /** The labels of a bound pod changed. */
  | 'podRelabelled'
  | 'nodeAdded'
  /** Room, labels, taints or schedulability of a node changed; its heartbeat does not count. */
  | 'nodeChanged'
  | 'nodeRemoved'
  /** The labels of a namespace changed. */
  | 'namespaceChanged'
  /**
   * Other machines can be launched: pools changed, or what one of them asked for came to nothing.
   */
  | 'machinesChanged'
  /** Of how many pods a gang is. */
  | 'gangChanged'
  /** A kind of capacity that had no room lately may have some again. */
  | 'capacityBack';

export interface Plugin {
  readonly name: string;
  /**
   * The changes that may lift a refusal of this plugin; the pass is woken by these and by nothing
   * else.
   */
  readonly helpedBy: readonly Help[];
  /** Keeps a pod out of the queue as long as it answers. */
  gate?(pod: Pod): Gate | undefined;
  /** Starts a pass. The state of the judge lives as long as the pass. */
  begin?(cluster: Cluster): Judge;
}

/** The condition of a pod that waits for something other than room. */
export interface Gate {
  readonly reason: string;
  readonly message: string;
}

/** Each method answers undefined when the plugin has nothing to say about pods of the shape. */
export interface Judge {
  nodeFilter?(spec: SpecShape): NodeFilter | undefined;
  nodeScore?(spec: SpecShape): NodeScore | undefined;
  clusterFilter?(pod: PodShape): ClusterFilter | undefined;
  clusterScore?(pod: PodShape): ClusterScore | undefined;
  track?(pod: PodShape): Tracker | undefined;
}

/** Judges one node at a time. */
export interface NodeFilter {
  allows(node: number): boolean;
  /** Whether it refuses the node whatever pods are taken off it; not known where absent. */
  refusesEmpty?(node: number): boolean;
  /** Whether it refuses none as things are; it need not be asked then. */
  isIdle?(): boolean;
  /** Nodes before `from`, and from `to` on, are refused in any case; they need not be asked for. */
  within?(): { readonly from: number; readonly to: number };
  /** Why the node is refused, each as kubectl users know it. Asked only when no node is left. */
  reasons(node: number): readonly string[];
}

export type NodeScore = (node: number) => number;

/** Judges all nodes at once, by what is placed anywhere. */
export interface ClusterFilter {
  /** Writes `code` for each node that is still open and that it refuses. */
  refuse(verdicts: Uint8Array, code: number): void;
  /** Whether it refuses this one. */
  refuses(node: number): boolean;
  /** Whether it refuses none as things are; it need not be asked then. */
  isIdle?(): boolean;
  reasons(node: number): readonly string[];
}

export interface ClusterScore {
  /** Adds its score times `weight` to the total of each open node. */
  add(totals: Float64Array, verdicts: Uint8Array, weight: number): void;
  /** Whether all nodes are the same to it as things are; it need not be asked then. */
  isIdle?(): boolean;
}

/**
 * Told of each placement of a pod of the shape; `sign` is -1 when it is taken back. The pod itself
 * is told where it is known: for who counts what one pod has, and another of its shape has not.
 */
export type Tracker = (node: number, sign: 1 | -1, pod?: Pod) => void;

/** The verdict of a node that no filter has refused. */
export const OPEN = 0;

/** The verdict of a node that is closed to all: no filter's index is as high. */
export const CLOSED = 255;

export const MAX_SCORE = 100;

/** A plugin that is in use, and how much its score counts. */
export interface Enabled {
  readonly plugin: Plugin;
  readonly weight: number;
}
