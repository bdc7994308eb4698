/**
 * Spread constraints, resolved: which nodes are in play and how many of the pods in question are in
 * each domain. Which nodes count is part of a tally's key, so that shapes with the same view share
 * it.
 */
import type { TopologySpreadConstraint } from '../../api/kinds/affinity.ts';
import type { Node } from '../../api/kinds/node.ts';
import { matchesSelector } from '../../api/selectors.ts';
import type { Cluster } from './cluster.ts';
import { Domains, NO_DOMAIN } from './domains.ts';
import { repelling } from './tolerations.ts';
import type { PodGroup } from './pod-index.ts';
import type { Tally } from './tally.ts';
import type { PodShape } from './shape.ts';
import { withOwnLabels } from './terms.ts';

export interface Spread {
  readonly constraint: TopologySpreadConstraint;
  /** Its domains are those that have a node in play. */
  readonly tally: Tally;
  /** 1 when the pod is one of those that it counts. */
  readonly self: number;
}

/** The constraints of the pod that say so when they can't be met. */
export function spreadsOf(
  pod: PodShape,
  whenUnsatisfiable: TopologySpreadConstraint['whenUnsatisfiable'],
  cluster: Cluster,
): Spread[] {
  const constraints = pod.spread.filter((c) => c.whenUnsatisfiable === whenUnsatisfiable);
  const labels = constraints.map(({ topologyKey }) => topologyKey);
  return constraints.map((constraint) => resolve(constraint, labels, pod, cluster));
}

function resolve(
  constraint: TopologySpreadConstraint,
  allLabels: readonly string[],
  pod: PodShape,
  cluster: Cluster,
): Spread {
  const { topologyKey, labelSelector, matchLabelKeys } = constraint;
  const { namespace, labels } = pod.group;
  const selector = withOwnLabels(labelSelector, labels, matchLabelKeys, 'In');
  const matches = (pods: PodGroup) =>
    pods.namespace === namespace && !pods.terminating && matchesSelector(selector, pods.labels);
  const view = viewOf(constraint, pod);
  const key = JSON.stringify(['spread', namespace, selector, topologyKey, allLabels, view]);
  const domains = () => domainsInPlay(constraint, allLabels, pod, cluster);
  const tally = cluster.pods.tally(key, domains, matches);
  return { constraint, tally, self: matchesSelector(selector, labels) ? 1 : 0 };
}

/** What of the pod decides which nodes are in play. */
function viewOf({ nodeAffinityPolicy, nodeTaintsPolicy }: TopologySpreadConstraint, pod: PodShape) {
  const { nodeSelector, nodeAffinity, tolerations } = pod.spec;
  return [
    nodeAffinityPolicy === 'Honor' ? [nodeSelector, nodeAffinity] : null,
    nodeTaintsPolicy === 'Honor' ? tolerations : null,
  ];
}

/** Nodes that lack one of the labels, or that the policies leave out, are in no domain. */
function domainsInPlay(
  { topologyKey, nodeAffinityPolicy, nodeTaintsPolicy }: TopologySpreadConstraint,
  allLabels: readonly string[],
  { spec }: PodShape,
  cluster: Cluster,
): Domains {
  const all = cluster.domains(topologyKey);
  const counts = (node: Node, index: number) => {
    if (!allLabels.every((label) => node.metadata.labels?.[label] !== undefined)) return false;
    if (nodeAffinityPolicy === 'Honor' && !cluster.isSelected(index, spec)) return false;
    return nodeTaintsPolicy !== 'Honor' || !repelling(node, spec.tolerations);
  };
  const numbering = (node: Node, index: number) =>
    counts(node, index) ? (all.of[index] ?? NO_DOMAIN) : NO_DOMAIN;
  return cluster.follow(new Domains(cluster.nodes, numbering));
}
