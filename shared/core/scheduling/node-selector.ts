/** Whether a node is one that a node selector means. */
import type { NodeSelectorTerm } from '../../api/kinds/affinity.ts';
import type { Node } from '../../api/kinds/node.ts';
import { matchesExpression, matchesLabels } from '../../api/selectors.ts';
import type { SpecShape } from './shape.ts';

/** The node has the labels of the selector, and one of the required terms holds. */
export function matchesRequired(
  node: Node,
  { nodeSelector, nodeAffinity }: Pick<SpecShape, 'nodeSelector' | 'nodeAffinity'>,
): boolean {
  if (nodeSelector && !matchesLabels(nodeSelector, node.metadata.labels)) return false;
  const required = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || required.nodeSelectorTerms.some((term) => matchesTerm(node, term));
}

/** All requirements of the term hold; a term without any selects nothing. */
export function matchesTerm(node: Node, term: NodeSelectorTerm): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length + matchFields.length === 0) return false;
  return (
    matchExpressions.every((need) => matchesExpression(need, node.metadata.labels)) &&
    matchFields.every((need) => matchesExpression(need, fieldsOf(node)))
  );
}

/** The only field that can be selected by. */
const fieldsOf = (node: Node) => ({ 'metadata.name': node.metadata.name });
