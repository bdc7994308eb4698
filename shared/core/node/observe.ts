/**
 * What a node becomes when something is heard of it. `gone` is final; everything else counts by the
 * time at which it was said, or by its version, so that late news does no harm.
 *
 * Invariant: observing is idempotent, and what changes nothing but a version is no news: no write
 * follows it.
 */
import { withCondition } from '../../api/conditions.ts';
import type { Taint } from '../../api/kinds/affinity.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { Interruption, NodeStatusMessage } from '../../api/task.ts';
import { rfc3339 } from '../../api/time.ts';
import {
  DISRUPTED_TAINT,
  NODE_GONE,
  nodeControl,
  UNREACHABLE_TAINT,
  withControl,
  withoutTaint,
  withTaint,
} from './state.ts';

/**
 * What was told of an agent's connection before is of the past, and the sweep asks how it is now. A
 * table that was set back has forgotten what such news was followed by. Longer than the outages
 * after which messages that waited are still to count.
 */
export const NEWS_MS = 2 * 86_400_000;

/** The node after this message; undefined when it is old or no news. */
export function observeNode(
  node: Node,
  message: NodeStatusMessage,
  nowMs: number,
): Node | undefined {
  const old = nodeControl(node);
  if (old.status === 'gone') return undefined;
  const { status, atMs } = message;
  if (status === 'gone') return gone(node, atMs, nowMs);
  const isLate = atMs < (old.atMs ?? 0) || (atMs === old.atMs && status === old.status);
  if (isLate) return undefined;
  if (nowMs - atMs > NEWS_MS) return undefined;
  const sinceMs = status === old.status ? (old.sinceMs ?? nowMs) : nowMs;
  return withControl(node, { ...old, status, atMs, sinceMs });
}

function gone(node: Node, atMs: number, nowMs: number): Node {
  const status = 'False';
  const message = 'The machine of this node is terminated.';
  const ready = { type: 'Ready', status, reason: NODE_GONE, message } as const;
  const conditions = withCondition(node.status.conditions, ready, nowMs);
  const tainted = withUnreachableTaints(node, nowMs);
  return withControl(
    { ...tainted, status: { ...node.status, conditions } },
    { ...nodeControl(node), status: 'gone', atMs, sinceMs: nowMs },
  );
}

/** No new pods, and those that are there leave when they put up with it no longer. */
export function withUnreachableTaints(node: Node, nowMs: number): Node {
  const others = withoutUnreachableTaints(node).spec.taints ?? [];
  const taint = { key: UNREACHABLE_TAINT, timeAdded: rfc3339(nowMs) };
  const added = (['NoSchedule', 'NoExecute'] as const).map((effect) => ({ ...taint, effect }));
  return { ...node, spec: { ...node.spec, taints: [...others, ...added] } };
}

export function withoutUnreachableTaints(node: Node): Node {
  return withoutTaint(node, UNREACHABLE_TAINT);
}

/** The opt-out of rebalance recommendations: a label or an annotation of the node. */
export const IGNORE_REBALANCE = 'nullplane.io/ignore-rebalance';

/**
 * What is told later than this is of the past: a machine that still runs was not taken away then.
 * Recommendations stay true for longer.
 */
const LATE_MS = { rebalance: 3_600_000, spot: 600_000, shutdown: 600_000, over: Infinity } as const;

const SEVERITY = { over: 0, rebalance: 1, spot: 2, shutdown: 3 } as const;

/** No new pods: the node is cordoned from the moment of the news on. */
export const DISRUPTED: Taint = { key: DISRUPTED_TAINT, effect: 'NoSchedule' };

/** The node after this news; the worst that was told counts. Undefined when it is no news. */
export function observeInterruption(
  node: Node,
  message: Interruption,
  nowMs: number,
): Node | undefined {
  const control = nodeControl(node);
  const { kind, atMs, endsAtMs } = message;
  if (control.status === 'gone' || nowMs - atMs > LATE_MS[kind]) return undefined;
  const { interruption: old, ...rest } = control;
  if (kind === 'over') {
    const isOver = old?.kind === 'shutdown' && old.atMs < atMs;
    return isOver ? withControl(withoutTaint(node, DISRUPTED_TAINT), rest) : undefined;
  }
  if (kind === 'rebalance' && ignoresRebalance(node)) return undefined;
  if (old && SEVERITY[old.kind] >= SEVERITY[kind]) return undefined;
  const interruption = { kind, atMs, ...(endsAtMs === undefined ? {} : { endsAtMs }) };
  return withControl(withTaint(node, DISRUPTED), { ...control, interruption });
}

function ignoresRebalance({ metadata }: Node): boolean {
  const { labels, annotations } = metadata;
  return labels?.[IGNORE_REBALANCE] !== undefined || annotations?.[IGNORE_REBALANCE] !== undefined;
}
