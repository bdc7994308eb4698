/**
 * How a node is: what was heard of it (`NodeControl`), and what follows for its pods. The Ready
 * condition is Unknown only after a grace, since agents lose their connection several times an
 * hour and come back within seconds.
 */
import { findCondition } from '../../api/conditions.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { KubeObject } from '../../api/meta.ts';

export interface NodeControl {
  readonly status?: 'connected' | 'disconnected' | 'gone';
  /** When that was last said, by the clock of who said it; what is older is late. */
  readonly atMs?: number;
  /** When it was first said, by the clock of who heard it: the grace counts from here. */
  readonly sinceMs?: number;
}

/** `gone` also when there is no such node. */
export type NodeView = 'ready' | 'unreachable' | 'gone';

/** The reason of a Ready condition that will never be True again. */
export const NODE_GONE = 'NodeGone';

export const UNREACHABLE_TAINT = 'node.kubernetes.io/unreachable';
export const NOT_READY_TAINT = 'node.kubernetes.io/not-ready';

export function nodeControl(node: Node): NodeControl {
  const { control }: KubeObject = node;
  return control ?? {};
}

export function nodeView(node: Node | undefined): NodeView {
  if (!node || isGone(node)) return 'gone';
  return isUnreachable(node) ? 'unreachable' : 'ready';
}

export function isGone(node: Node): boolean {
  return nodeControl(node).status === 'gone';
}

/** The node has not been heard of for longer than the grace. */
export function isUnreachable(node: Node): boolean {
  return findCondition(node.status.conditions, 'Ready')?.status === 'Unknown';
}

export function isTaintedUnreachable(node: Node): boolean {
  return node.spec.taints?.some(({ key }) => key === UNREACHABLE_TAINT) ?? false;
}

/** What makes pods leave the node. */
export function noExecuteTaints(node: Node) {
  return (node.spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
}
