/**
 * How a node is: what was heard of it (`NodeControl`), and what follows for its pods. The Ready
 * condition is Unknown only after a grace, since agents lose their connection several times an
 * hour and come back within seconds.
 */
import { findCondition } from '../../api/conditions.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { KubeObject } from '../../api/meta.ts';

/** What was last heard of the node, and when, by the clock of who said it. */
export interface NodeControl {
  readonly status?: 'connected' | 'disconnected' | 'gone';
  readonly atMs?: number;
}

export type NodeView = 'ready' | 'unreachable' | 'gone';

/** The reason of a Ready condition that will never be True again. */
export const NODE_GONE = 'NodeGone';

export function nodeControl(node: Node): NodeControl {
  return ((node as KubeObject).control ?? {}) as NodeControl;
}

/** Without a Node there is nothing that could run tasks. */
export function nodeView(node: Node | undefined): NodeView {
  if (!node || nodeControl(node).status === 'gone') return 'gone';
  return isUnreachable(node) ? 'unreachable' : 'ready';
}

/** The node has not been heard of for longer than the grace. */
export function isUnreachable(node: Node): boolean {
  return findCondition(node.status.conditions, 'Ready')?.status === 'Unknown';
}
