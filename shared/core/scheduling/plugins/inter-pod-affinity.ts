/**
 * Required relations to other pods: near to some, far from others, and what placed pods require of
 * this one.
 */
import type { PodAffinityTerm } from '../../../api/kinds/affinity.ts';
import type { Cluster } from '../cluster.ts';
import { type ClusterFilter, type Judge, type Plugin } from '../framework.ts';
import { HeldTerms } from '../held-terms.ts';
import type { Tally } from '../tally.ts';
import type { PodShape } from '../shape.ts';
import { type PodTerm, resolveTerm, tallyOf } from '../terms.ts';

export const TOO_FAR = "node(s) didn't match pod affinity rules";
export const TOO_NEAR = "node(s) didn't match pod anti-affinity rules";
export const NOT_WANTED = "node(s) didn't satisfy existing pods anti-affinity rules";

/** No pod in the domain; where there is no domain there is none to be in. */
const NONE = { least: 0, most: 0, needsDomain: false };

export const interPodAffinity: Plugin = {
  name: 'InterPodAffinity',
  helpedBy: [
    'podPending',
    'podBound',
    'podGone',
    'podRelabelled',
    'nodeAdded',
    'nodeChanged',
    'namespaceChanged',
  ],
  begin: judge,
};

function judge(cluster: Cluster): Judge {
  const repelling = new HeldTerms(cluster);
  const resolve = (terms: readonly PodAffinityTerm[] | undefined, { group }: PodShape) =>
    (terms ?? []).map((term) => resolveTerm(term, group, cluster.namespaceLabels));
  const farFrom = (pod: PodShape) =>
    resolve(pod.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution, pod);
  return {
    track(pod) {
      const tallies = farFrom(pod).map((term) => repelling.tally(term));
      if (tallies.length === 0) return undefined;
      return (node, sign) => tallies.forEach((tally) => tally.add(node, sign));
    },
    clusterFilter(pod) {
      const near = resolve(pod.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution, pod);
      const far = farFrom(pod).map((term) => tallyOf([term], term.topologyKey, cluster));
      return filter(near, far, repelling.about(pod.group), pod, cluster);
    },
  };
}

function filter(
  nearTerms: readonly PodTerm[],
  far: readonly Tally[],
  unwanted: () => readonly Tally[],
  pod: PodShape,
  cluster: Cluster,
): ClusterFilter {
  // A pod that one is to be near to must be meant by all the terms, as in Kubernetes.
  const near = nearTerms.map(({ topologyKey }) => tallyOf(nearTerms, topologyKey, cluster));
  const isOneOfThem = nearTerms.every((term) => term.matches(pod.group));
  // The first of a group that wants to be together may go anywhere that has the domains.
  const isFirst = () => isOneOfThem && near.every(({ total }) => total === 0);
  const tooFar = (node: number, first: boolean) =>
    near.some((tally) => !(first ? tally.has(node) : tally.at(node) > 0));
  const some = () => ({ least: isFirst() ? 0 : 1, most: Infinity, needsDomain: true });
  const someAt = (tallies: readonly Tally[], node: number) => tallies.some((t) => t.at(node) > 0);
  return {
    refuse(verdicts, code) {
      const range = some();
      for (const tally of near) tally.refuseOutside(range, verdicts, code);
      for (const tally of far) tally.refuseOutside(NONE, verdicts, code);
      for (const tally of unwanted()) tally.refuseOutside(NONE, verdicts, code);
    },
    refuses(node) {
      const range = some();
      return !(
        near.every((tally) => tally.isWithin(range, node)) &&
        far.every((tally) => tally.isWithin(NONE, node)) &&
        unwanted().every((tally) => tally.isWithin(NONE, node))
      );
    },
    isIdle: () => near.length === 0 && far.length === 0 && unwanted().every(({ isZero }) => isZero),
    reasons(node) {
      if (tooFar(node, isFirst())) return [TOO_FAR];
      return [someAt(far, node) ? TOO_NEAR : NOT_WANTED];
    },
  };
}
