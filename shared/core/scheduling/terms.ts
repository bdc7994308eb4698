/** Affinity terms and spread selectors, resolved: which placed pods they mean. */
import type { LabelSelector, PodAffinityTerm } from '../../api/kinds/affinity.ts';
import type { Labels } from '../../api/meta.ts';
import { matchesSelector } from '../../api/selectors.ts';
import type { Cluster } from './cluster.ts';
import type { GroupIdentity } from './pod-index.ts';
import type { Tally } from './tally.ts';

export interface PodTerm {
  /** The same for terms that mean the same pods and the same domains. */
  readonly key: string;
  readonly topologyKey: string;
  matches(pods: GroupIdentity): boolean;
}

/** The term as a pod of `owner` means it. */
export function resolveTerm(
  term: PodAffinityTerm,
  owner: GroupIdentity,
  namespaceLabels: ReadonlyMap<string, Labels>,
): PodTerm {
  const { topologyKey, namespaceSelector, matchLabelKeys, mismatchLabelKeys } = term;
  const own = namespaceSelector || term.namespaces?.length ? [] : [owner.namespace];
  const namespaces = [...own, ...(term.namespaces ?? [])];
  const taken = withOwnLabels(term.labelSelector, owner.labels, matchLabelKeys, 'In');
  const selector = withOwnLabels(taken, owner.labels, mismatchLabelKeys, 'NotIn');
  return {
    key: JSON.stringify([topologyKey, namespaces, namespaceSelector, selector]),
    topologyKey,
    matches: ({ namespace, labels }) =>
      (namespaces.includes(namespace) ||
        matchesSelector(namespaceSelector, namespaceLabels.get(namespace))) &&
      matchesSelector(selector, labels),
  };
}

/** The selector, narrowed to pods that have the same (or other) values as the pod itself. */
export function withOwnLabels(
  selector: LabelSelector | undefined,
  labels: Labels,
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
): LabelSelector | undefined {
  const known = (keys ?? []).filter((key) => labels[key] !== undefined);
  if (!selector || known.length === 0) return selector;
  const added = known.map((key) => ({ key, operator, values: [labels[key] ?? ''] }));
  return { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...added] };
}

/** How many pods that all the terms mean are in each domain of the label. */
export function tallyOf(terms: readonly PodTerm[], topologyKey: string, cluster: Cluster): Tally {
  const key = `term ${topologyKey} ${terms.map((term) => term.key).join()}`;
  return cluster.pods.tally(
    key,
    () => cluster.domains(topologyKey),
    (pods) => terms.every((term) => term.matches(pods)),
  );
}
