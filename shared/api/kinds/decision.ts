/**
 * The scheduler's record of a decision about a pod: what was looked at, what was chosen and why.
 * Kept with the pod out of sight (`PodControl`), written along with what was decided and never by
 * itself. Nothing is decided from it.
 */
import type { CapacityType } from '../instance.ts';

export interface Decision {
  readonly outcome: Outcome;
  /** When, in milliseconds. */
  readonly atMs: number;
  /** What it was decided from, as a digest: the same in a recording of the pass. */
  readonly input: string;
  readonly reason?: DecisionReason;
  /** Nodes that were looked at, and how many of them would have taken it where that was counted. */
  readonly nodes?: number;
  readonly open?: number;
  /** How many nodes each filter refused; a node counts for the first one. */
  readonly refused?: { readonly [filter: string]: number };
  /** The best first: the one that was chosen. */
  readonly candidates?: readonly DecisionCandidate[];
  readonly cost?: DecisionCost;
  /** The NodeClaim that was made for it. */
  readonly claim?: string;
  /** The node that it was nominated for. */
  readonly nominated?: string;
  readonly victims?: DecisionVictims;
}

/**
 * `placed`: bound to a node. `launching`: waits for a machine that was asked for. `nominated`:
 * waits for others to end. `unschedulable`: none of them.
 */
export type Outcome = 'placed' | 'launching' | 'nominated' | 'unschedulable';

/** Why it was placed where it was, if not as the best of the nodes. */
export type DecisionReason =
  /** An earlier pass had reserved its room, and was cut off before it bound the pod. */
  | 'reserved'
  /** Room was found on a node while machines were planned. */
  | 'packed'
  /** Machines could have been launched, and none of them would have cost less. */
  | 'cheaper';

export interface DecisionCandidate {
  readonly node: string;
  readonly score: number;
  /** What each plugin gave, weighed; of the first pods of a pass only. */
  readonly parts?: { readonly [plugin: string]: number };
}

export interface DecisionCost {
  /** A task's size on Fargate, or the type of the machine. */
  readonly of: string;
  /** In dollars: of the pod on Fargate, of the whole machine elsewhere. */
  readonly usdPerHour: number;
  /** Not a listed price. */
  readonly isEstimate?: true;
  readonly capacityType?: CapacityType;
  readonly zone?: string;
  /** How many pods the machine was asked for. */
  readonly pods?: number;
}

/** Pods that had to go for it; the names of the first. */
export interface DecisionVictims {
  readonly count: number;
  readonly names: readonly string[];
}
