/** What a choice of node was made from. */
import { CLOSED, OPEN } from './framework.ts';

/** A node, and what it scored. */
export type Candidate = readonly [node: number, score: number];

/** A filter, and how many nodes it refused. */
export type Refused = readonly [filter: string, nodes: number];

export interface Considered {
  readonly nodes: number;
  /** How many of them would take the pod; undefined where that was not counted. */
  readonly open?: number;
  /** A node counts once, for the first filter that refused it. */
  readonly refused: readonly Refused[];
  /** The best first. */
  readonly best: readonly Candidate[];
}

/** Who was chosen, and whom it was chosen before. */
const PLACES = 3;

/** Nodes by verdict: `filters` are named in the order of their codes. */
export function counted(
  verdicts: Uint8Array,
  filters: readonly string[],
): Required<Omit<Considered, 'best'>> {
  const counts = new Uint32Array(CLOSED + 1);
  for (const verdict of verdicts) counts[verdict] = (counts[verdict] ?? 0) + 1;
  const named = filters.map((filter, i): Refused => [filter, counts[i + 1] ?? 0]);
  const all: readonly Refused[] = [...named, ['Closed', counts[CLOSED] ?? 0]];
  const refused = all.filter(([, count]) => count > 0);
  return { nodes: verdicts.length, open: counts[OPEN] ?? 0, refused };
}

/** The best nodes of all, of equals the first ones. */
export function ranked(totals: Float64Array, verdicts: Uint8Array): readonly Candidate[] {
  const best: Candidate[] = [];
  for (let node = 0; node < totals.length; node++) {
    if (verdicts[node] !== OPEN) continue;
    const total = totals[node] ?? 0;
    let at = best.length;
    while (at > 0 && total > (best[at - 1]?.[1] ?? 0)) at--;
    if (at >= PLACES) continue;
    best.splice(at, 0, [node, total]);
    if (best.length > PLACES) best.pop();
  }
  return best;
}
