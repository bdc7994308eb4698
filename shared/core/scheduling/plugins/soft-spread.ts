/**
 * Preferred spread (ScheduleAnyway): a node scores by how crowded its domain is, compared with the
 * emptiest open one. The second pod in a domain counts much and the fiftieth little, since that is
 * how much each is worth to availability.
 */
import { NO_DOMAIN } from '../domains.ts';
import { type ClusterScore, MAX_SCORE, OPEN, type Plugin } from '../framework.ts';
import type { Tally } from '../tally.ts';
import { spreadsOf } from '../spread.ts';

export const softSpread: Plugin = {
  name: 'PreferredTopologySpread',
  helpedBy: [],
  begin: (cluster) => ({
    clusterScore(pod) {
      const spreads = spreadsOf(pod, 'ScheduleAnyway', cluster);
      return spreads.length > 0 ? emptiest(spreads.map(({ tally }) => tally)) : undefined;
    },
  }),
};

/** The mean over the tallies; a tally in which no open node has a domain says nothing. */
export function emptiest(tallies: readonly Tally[]): ClusterScore {
  return {
    add(totals, verdicts, weight) {
      for (const tally of tallies) {
        const fewest = fewestOpen(tally, verdicts);
        if (fewest === Infinity) continue;
        addShares(tally, totals, (MAX_SCORE * weight * (1 + fewest)) / tallies.length);
      }
    },
  };
}

function fewestOpen({ domains, sums }: Tally, verdicts: Uint8Array): number {
  const { of } = domains;
  let fewest = Infinity;
  for (let node = 0; node < verdicts.length; node++) {
    const count = sums[of[node] as number];
    if (count !== undefined && count < fewest && verdicts[node] === OPEN) fewest = count;
  }
  return fewest;
}

/** Closed nodes get a share as well: nobody looks at it, and asking would cost more. */
function addShares({ domains, sums }: Tally, totals: Float64Array, scale: number): void {
  const { of } = domains;
  for (let node = 0; node < totals.length; node++) {
    const domain = of[node] as number;
    if (domain !== NO_DOMAIN)
      totals[node] = (totals[node] as number) + scale / (1 + (sums[domain] as number));
  }
}
