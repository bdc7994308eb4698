/** Preferred relations to other pods, both ways: what this pod prefers, and what placed pods prefer of it. */
import type { PodAffinityTerm } from '../../../api/kinds/affinity.ts';
import type { Cluster } from '../cluster.ts';
import { type ClusterScore, type Judge, MAX_SCORE, OPEN, type Plugin } from '../framework.ts';
import { HeldTerms } from '../held-terms.ts';
import type { Tally } from '../pod-index.ts';
import type { PodShape } from '../shape.ts';
import { type PodTerm, resolveTerm, tallyOf } from '../terms.ts';

/** What a placed pod's required affinity weighs for pods that it means: it would rather have them near. */
const REQUIRED_WEIGHT = 1;

interface Wish {
  readonly term: PodTerm;
  /** Negative for pods to be far from. */
  readonly weight: number;
}

export const preferredPodAffinity: Plugin = {
  name: 'PreferredPodAffinity',
  helpedBy: [],
  begin: judge,
};

function judge(cluster: Cluster): Judge {
  const held = new HeldTerms(cluster);
  return {
    track(pod) {
      const required = pod.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
      const also = required.map((term) => wish(term, REQUIRED_WEIGHT, pod, cluster));
      const all = [...wishes(pod, cluster), ...also];
      const tallies = all.map(({ term, weight }) => ({ tally: held.tally(term), weight }));
      if (tallies.length === 0) return undefined;
      return (node, sign) => tallies.forEach(({ tally, weight }) => tally.add(node, sign * weight));
    },
    clusterScore(pod) {
      const own = wishes(pod, cluster).map(({ term, weight }) => ({
        weight,
        tally: tallyOf([term], term.topologyKey, cluster),
      }));
      const ofOthers = held.about(pod.group);
      return score(() => [...own, ...ofOthers().map((tally) => ({ tally, weight: 1 }))]);
    },
  };
}

function wishes(pod: PodShape, cluster: Cluster): Wish[] {
  const near = pod.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const far = pod.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...near.map(({ weight, podAffinityTerm: term }) => wish(term, weight, pod, cluster)),
    ...far.map(({ weight, podAffinityTerm: term }) => wish(term, -weight, pod, cluster)),
  ];
}

function wish(term: PodAffinityTerm, weight: number, pod: PodShape, cluster: Cluster): Wish {
  return { term: resolveTerm(term, pod.group, cluster.namespaceLabels), weight };
}

/** The best open node gets the full score and the worst none, so that counts of any size compare. */
function score(tallies: () => readonly { tally: Tally; weight: number }[]): ClusterScore {
  return (totals, verdicts, scoreWeight) => {
    const counted = tallies().filter(({ tally }) => !tally.isZero);
    if (counted.length === 0) return;
    const raw = (node: number) =>
      counted.reduce((sum, { tally, weight }) => sum + weight * tally.at(node), 0);
    let [least, most] = [Infinity, -Infinity];
    for (let node = 0; node < totals.length; node++) {
      if (verdicts[node] !== OPEN) continue;
      least = Math.min(least, raw(node));
      most = Math.max(most, raw(node));
    }
    if (!(most > least)) return;
    const scale = (MAX_SCORE * scoreWeight) / (most - least);
    for (let node = 0; node < totals.length; node++) {
      if (verdicts[node] === OPEN) totals[node] = (totals[node] ?? 0) + (raw(node) - least) * scale;
    }
  };
}
