/**
 * What nodes lose when pods have to go from them, and which of them loses least. Owns the order of
 * losses; who would have to go is preemption.ts.
 *
 * Invariant: of nodes that lose the same, the first is chosen.
 *
 * Source: kube-scheduler's DefaultPreemption, `pickOneNodeForPreemption`.
 */
import type { Pod } from '../../api/kinds/pod.ts';

export interface Loss {
  /** How many of the victims a budget protects. */
  readonly violations: number;
  readonly highestPriority: number;
  /** Of all victims, each raised so that even negative ones count as a loss. */
  readonly prioritySum: number;
  readonly count: number;
  /** When the earliest of the victims of highest priority was started. */
  readonly startedAtMs: number;
}

export interface Candidate extends Loss {
  readonly node: number;
  readonly victims: readonly Pod[];
}

/** What is known of a node: its candidate, or what its loss is at the least, until it is judged. */
export type Prospect = Candidate | Loss;

/** By node; undefined where nobody may go, or it does not help. */
export type Prospects = (Prospect | undefined)[];

/** Finds out what a node would lose. */
type Judging = (node: number) => Candidate | undefined;

/** As kube-scheduler: priorities are above this, and so each victim counts. */
export const LOWEST_PRIORITY = -(2 ** 31);

/** Each looks through the prospects of all nodes, which takes as long as judging one or two. */
const MAX_HOPES = 16;

interface Lost {
  readonly priority: number;
  readonly startMs: number;
}

export function lossOf(victims: readonly Lost[], violations: number): Loss {
  let [highestPriority, prioritySum, startedAtMs] = [LOWEST_PRIORITY, 0, Infinity];
  for (const { priority } of victims) {
    highestPriority = Math.max(highestPriority, priority);
    prioritySum += priority - LOWEST_PRIORITY;
  }
  for (const { priority, startMs: startedMs } of victims) {
    if (priority === highestPriority) startedAtMs = Math.min(startedAtMs, startedMs);
  }
  return { violations, highestPriority, prioritySum, count: victims.length, startedAtMs };
}

export const NO_LOSS = lossOf([], 0);

/**
 * The node that loses least. The most hopeful is judged first, and is the answer if it keeps what
 * it promised; where hopes are too high again and again, the nodes are gone through in order. What
 * is found out is kept in `prospects`.
 */
export function leastLosing(prospects: Prospects, judge: Judging): Candidate | undefined {
  for (let tries = 0; tries < MAX_HOPES; tries++) {
    const node = mostHopeful(prospects);
    const prospect = node === undefined ? undefined : prospects[node];
    if (node === undefined || !prospect) return undefined;
    if (isJudged(prospect)) return prospect;
    prospects[node] = judge(node);
  }
  return leastInOrder(prospects, judge);
}

function isJudged(prospect: Prospect): prospect is Candidate {
  return 'victims' in prospect;
}

function mostHopeful(prospects: Readonly<Prospects>): number | undefined {
  let [found, best]: [number | undefined, Prospect | undefined] = [undefined, undefined];
  for (let node = 0; node < prospects.length; node++) {
    const prospect = prospects[node];
    if (prospect && (!best || isLesserLoss(prospect, best))) [found, best] = [node, prospect];
  }
  return found;
}

/** Judges only nodes that may be better than the best before them. */
function leastInOrder(prospects: Prospects, judge: Judging): Candidate | undefined {
  let found: Candidate | undefined;
  for (let node = 0; node < prospects.length; node++) {
    const prospect = prospects[node];
    if (!prospect || (found && !isLesserLoss(prospect, found))) continue;
    const candidate = isJudged(prospect) ? prospect : judge(node);
    prospects[node] = candidate;
    if (candidate && (!found || isLesserLoss(candidate, found))) found = candidate;
  }
  return found;
}

/** Of candidates in the order of their nodes. */
export function leastLoss(candidates: readonly Candidate[]): Candidate | undefined {
  const found = mostHopeful(candidates);
  return found === undefined ? undefined : candidates[found];
}

function isLesserLoss(a: Loss, b: Loss): boolean {
  if (a.violations !== b.violations) return a.violations < b.violations;
  if (a.highestPriority !== b.highestPriority) return a.highestPriority < b.highestPriority;
  if (a.prioritySum !== b.prioritySum) return a.prioritySum < b.prioritySum;
  if (a.count !== b.count) return a.count < b.count;
  return a.startedAtMs > b.startedAtMs;
}
