/**
 * Preferred relations to other pods, both ways: what this pod prefers, and what placed pods prefer
 * of it.
 */
import type { PodAffinityTerm } from '../../../api/kinds/affinity.ts';
import type { Cluster } from '../cluster.ts';
import { type ClusterScore, type Judge, MAX_SCORE, type Plugin } from '../framework.ts';
import { HeldTerms } from '../held-terms.ts';
import { addRanked, type Tally } from '../tally.ts';
import type { PodShape } from '../shape.ts';
import { type PodTerm, resolveTerm, tallyOf } from '../terms.ts';

/**
 * What a placed pod's required affinity weighs for pods that it means: it would rather have them
 * near.
 */
const REQUIRED_WEIGHT = 1;

interface Wish {
  readonly term: PodTerm;
  /** Negative for pods to be far from. */
  readonly weight: number;
}

type Counted = { readonly tally: Tally; readonly weight: number };

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
      const all = () => [...own, ...ofOthers().map((tally) => ({ tally, weight: 1 }))];
      return score(all);
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

function score(wishesNow: () => readonly Counted[]): ClusterScore {
  let raw = new Float64Array(0);
  const counted = () => wishesNow().filter(({ tally }) => !tally.isZero);
  const isIdle = () => !wishesNow().some(({ tally }) => !tally.isZero);
  const add = (totals: Float64Array, verdicts: Uint8Array, scoreWeight: number): void => {
    if (isIdle()) return;
    if (raw.length === totals.length) raw.fill(0);
    else raw = new Float64Array(totals.length);
    for (const { tally, weight } of counted()) tally.addTo(raw, weight);
    addRanked(raw, totals, verdicts, MAX_SCORE * scoreWeight);
  };
  return { add, isIdle };
}
