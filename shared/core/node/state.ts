/**
 * How a node is: what was heard of it (`NodeControl`), and what follows for its pods. The Ready
 * condition is Unknown only after a grace, since agents lose their connection several times an
 * hour and come back within seconds.
 */
import { findCondition } from '../../api/conditions.ts';
import type { Taint } from '../../api/kinds/affinity.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Interruption } from '../../api/task.ts';

export interface NodeControl {
  readonly status?: 'connected' | 'disconnected' | 'gone';
  /** When that was last said, by the clock of who said it; what is older is late. */
  readonly atMs?: number;
  /** When it was first said, by the clock of who heard it: the grace counts from here. */
  readonly sinceMs?: number;
  /** The registration that was last seen, and its version: what is older is late (S7). */
  readonly registrationId?: string;
  readonly registeredAtMs?: number;
  readonly version?: number;
  /** Why the machine is to be emptied. */
  readonly interruption?: Pick<Interruption, 'kind' | 'atMs' | 'endsAtMs'>;
  /** When what a condition says was so, by its type. */
  readonly conditionsAtMs?: { readonly [type: string]: number };
  /** New pods avoid it until then: it had no capacity (shortage.ts). */
  readonly shortUntilMs?: number;
  /** The cloud said that the machine has ended, and was not believed yet: core/node/sweep.ts. */
  readonly endedSinceMs?: number;
}

/** `gone` also when there is no such node. */
export type NodeView = 'ready' | 'unreachable' | 'gone';

/** The reason of a Ready condition that will never be True again. */
export const NODE_GONE = 'NodeGone';

export const UNREACHABLE_TAINT = 'node.kubernetes.io/unreachable';
export const NOT_READY_TAINT = 'node.kubernetes.io/not-ready';
/** The node is to be emptied; named as Karpenter names it. */
export const DISRUPTED_TAINT = 'karpenter.sh/disrupted';

/**
 * The machine ends before its node's object goes. On nodes of machines that this installation
 * launched; named as Karpenter names it.
 */
export const TERMINATION_FINALIZER = 'karpenter.sh/termination';

/** When all pods have to have left a node that is being deleted; Karpenter's annotation. */
export const TERMINATION_TIME_ANNOTATION = 'karpenter.sh/nodeclaim-termination-timestamp';

export function nodeControl(node: Node): NodeControl {
  const { control }: KubeObject = node;
  return control ?? {};
}

export function withControl(node: Node, control: NodeControl): Node {
  const next: Node & { readonly control: NodeControl } = { ...node, control };
  return next;
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
  return hasTaint(node, UNREACHABLE_TAINT);
}

/** What makes pods leave the node. */
export function noExecuteTaints(node: Node) {
  return (node.spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
}

export function hasTaint({ spec }: Node, key: string): boolean {
  return spec.taints?.some((taint) => taint.key === key) ?? false;
}

/** The node with this taint and no other of its key; itself when it has it. */
export function withTaint(node: Node, taint: Taint): Node {
  const { taints = [] } = node.spec;
  const isThere = taints.some((t) => {
    return t.key === taint.key && t.effect === taint.effect && t.value === taint.value;
  });
  if (isThere) return node;
  const others = taints.filter(({ key }) => key !== taint.key);
  return { ...node, spec: { ...node.spec, taints: [...others, taint] } };
}

export function withoutTaint(node: Node, key: string): Node {
  const { taints = [], ...spec } = node.spec;
  const left = taints.filter((taint) => taint.key !== key);
  if (left.length === taints.length) return node;
  return { ...node, spec: left.length > 0 ? { ...spec, taints: left } : spec };
}
