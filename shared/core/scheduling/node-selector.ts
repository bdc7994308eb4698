/** Whether a node is one that a node selector means. */
import type { NodeRequirement, NodeSelectorTerm } from '../../api/kinds/affinity.ts';
import type { Node } from '../../api/kinds/node.ts';
import { matchesLabels } from '../../api/selectors.ts';
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
    matchExpressions.every((need) => meets(node.metadata.labels?.[need.key], need)) &&
    matchFields.every((need) => meets(fieldOf(node, need.key), need))
  );
}

/** The only field that can be selected by. */
function fieldOf(node: Node, path: string): string | undefined {
  return path === 'metadata.name' ? node.metadata.name : undefined;
}

function meets(value: string | undefined, { operator, values = [] }: NodeRequirement): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return integerOf(value) > integerOf(values[0]);
    case 'Lt':
      return integerOf(value) < integerOf(values[0]);
  }
}

/** NaN, which compares with nothing, for what is no integer. */
function integerOf(text: string | undefined): number {
  return text !== undefined && /^[-+]?\d{1,19}$/.test(text) ? Number(text) : NaN;
}
