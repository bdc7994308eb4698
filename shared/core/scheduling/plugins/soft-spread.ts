/**
 * Preferred spread (ScheduleAnyway): a node scores by how crowded its domain is, compared with the emptiest open one.
 * The second pod in a domain counts much and the fiftieth little, since that is how much each is worth to
 * availability.
 */
import { NO_DOMAIN } from '../cluster.ts';
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
  return (totals, verdicts, weight) => {
    for (const { domains, sums } of tallies) {
      let fewest = Infinity;
      for (let node = 0; node < totals.length; node++) {
        const domain = domains.of[node] ?? NO_DOMAIN;
        if (domain === NO_DOMAIN || verdicts[node] !== OPEN) continue;
        const count = sums[domain] ?? 0;
        if (count < fewest) fewest = count;
      }
      if (fewest === Infinity) continue;
      const scale = (MAX_SCORE * weight * (1 + fewest)) / tallies.length;
      for (let node = 0; node < totals.length; node++) {
        const domain = domains.of[node] ?? NO_DOMAIN;
        if (domain === NO_DOMAIN || verdicts[node] !== OPEN) continue;
        totals[node] = (totals[node] ?? 0) + scale / (1 + (sums[domain] ?? 0));
      }
    }
  };
}
