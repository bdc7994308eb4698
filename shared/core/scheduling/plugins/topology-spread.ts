/**
 * Required spread: no domain may have more than `maxSkew` pods above the one that has the fewest.
 */
import type { ClusterFilter, Plugin } from '../framework.ts';
import { type Spread, spreadsOf } from '../spread.ts';
import type { SumRange } from '../tally.ts';

export const UNEVEN = "node(s) didn't match pod topology spread constraints";
export const NO_TOPOLOGY_LABEL = `${UNEVEN} (missing required label)`;

export const topologySpread: Plugin = {
  name: 'PodTopologySpread',
  helpedBy: [
    'podPending',
    'podBound',
    'podGone',
    'podRelabelled',
    'nodeAdded',
    'nodeChanged',
    'nodeRemoved',
  ],
  begin: (cluster) => ({
    clusterFilter(pod) {
      const spreads = spreadsOf(pod, 'DoNotSchedule', cluster);
      return spreads.length > 0 ? filter(spreads) : undefined;
    },
  }),
};

function filter(spreads: readonly Spread[]): ClusterFilter {
  return {
    refuse(verdicts, code) {
      for (const spread of spreads) spread.tally.refuseOutside(rangeOf(spread), verdicts, code);
    },
    refuses: (node) => !spreads.every((spread) => spread.tally.isWithin(rangeOf(spread), node)),
    reasons: (node) => [spreads.some(({ tally }) => !tally.has(node)) ? NO_TOPOLOGY_LABEL : UNEVEN],
  };
}

/** How many pods a domain may have and still take one more. */
function rangeOf({ constraint, tally, self }: Spread): SumRange {
  const { present } = tally.domains;
  // Domains that are asked for and not there count as empty ones.
  const fewest = present.length < (constraint.minDomains ?? 1) ? 0 : tally.lowest;
  return { least: 0, most: constraint.maxSkew + fewest - self, needsDomain: true };
}
