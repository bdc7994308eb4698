/**
 * What a node becomes when something is heard of it. `gone` is final; everything else counts by the
 * time at which it was said, so that late news does no harm.
 */
import { withCondition } from '../../api/conditions.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { HealthMessage } from '../../api/task.ts';
import { rfc3339 } from '../../api/time.ts';
import { NODE_GONE, type NodeControl, nodeControl, UNREACHABLE_TAINT } from './state.ts';

type NodeMessage = Extract<HealthMessage, { type: 'node' }>;

/** The node after this message; undefined when it is old or no news. */
export function observeNode(node: Node, message: NodeMessage, nowMs: number): Node | undefined {
  const old = nodeControl(node);
  if (old.status === 'gone') return undefined;
  const { status, atMs } = message;
  if (status === 'gone') return gone(node, atMs, nowMs);
  const isLate = atMs < (old.atMs ?? 0) || (atMs === old.atMs && status === old.status);
  if (isLate) return undefined;
  const sinceMs = status === old.status ? (old.sinceMs ?? nowMs) : nowMs;
  return withControl(node, { status, atMs, sinceMs });
}

function gone(node: Node, atMs: number, nowMs: number): Node {
  const status = 'False';
  const message = 'The machine of this node is terminated.';
  const ready = { type: 'Ready', status, reason: NODE_GONE, message } as const;
  const conditions = withCondition(node.status.conditions, ready, nowMs);
  const tainted = withUnreachableTaints(node, nowMs);
  return withControl(
    { ...tainted, status: { ...node.status, conditions } },
    { status: 'gone', atMs, sinceMs: nowMs },
  );
}

function withControl(node: Node, control: NodeControl): Node {
  const next: Node & { readonly control: NodeControl } = { ...node, control };
  return next;
}

/** No new pods, and those that are there leave when they put up with it no longer. */
export function withUnreachableTaints(node: Node, nowMs: number): Node {
  const others = withoutUnreachableTaints(node).spec.taints ?? [];
  const taint = { key: UNREACHABLE_TAINT, timeAdded: rfc3339(nowMs) };
  const added = (['NoSchedule', 'NoExecute'] as const).map((effect) => ({ ...taint, effect }));
  return { ...node, spec: { ...node.spec, taints: [...others, ...added] } };
}

export function withoutUnreachableTaints(node: Node): Node {
  const { taints = [], ...spec } = node.spec;
  const left = taints.filter(({ key }) => key !== UNREACHABLE_TAINT);
  return { ...node, spec: left.length > 0 ? { ...spec, taints: left } : spec };
}
