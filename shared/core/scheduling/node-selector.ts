/** Whether a node is one that a node selector means. */
import type { NodeSelectorTerm } from '../../api/kinds/affinity.ts';
import type { Node } from '../../api/kinds/node.ts';
import { matchesExpression, matchesLabels } from '../../api/selectors.ts';
import type { SpecShape } from './shape.ts';

/** What a pod requires of its node's labels and name. */
export type Selection = Pick<SpecShape, 'nodeSelector' | 'nodeAffinity'>;

/** The node has the labels of the selector, and one of the required terms holds. */
export function matchesRequired(node: Node, selection: Selection): boolean {
  return mayMatch(node, selection, NOTHING_OPEN);
}

/** The same, whatever the labels turn out to be that are still open. */
export function mayMatch(
  node: Node,
  { nodeSelector, nodeAffinity }: Selection,
  open: ReadonlySet<string>,
): boolean {
  const { labels } = node.metadata;
  const closed = Object.entries(nodeSelector ?? {}).filter(([key]) => !open.has(key));
  if (nodeSelector && !matchesLabels(Object.fromEntries(closed), labels)) return false;
  const required = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || required.nodeSelectorTerms.some((term) => termMayMatch(node, term, open));
}

const NOTHING_OPEN: ReadonlySet<string> = new Set();

/** All requirements of the term hold; a term without any selects nothing. */
export function matchesTerm(node: Node, term: NodeSelectorTerm): boolean {
  return termMayMatch(node, term, NOTHING_OPEN);
}

function termMayMatch(node: Node, term: NodeSelectorTerm, open: ReadonlySet<string>): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length + matchFields.length === 0) return false;
  return (
    matchExpressions.every(
      (need) => open.has(need.key) || matchesExpression(need, node.metadata.labels),
    ) && matchFields.every((need) => matchesExpression(need, fieldsOf(node)))
  );
}

/** The only field that can be selected by. */
const fieldsOf = (node: Node) => ({ 'metadata.name': node.metadata.name });
