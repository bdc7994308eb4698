/**
 * Conditions that agents report of their nodes: which are taken, and what a failed GPU means for
 * pods. Ready is the node controller's own and nobody else's.
 */
import { findCondition, withCondition } from '../../api/conditions.ts';
import type { Taint } from '../../api/kinds/affinity.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { ConditionMessage } from '../../api/task.ts';
import { NEWS_MS } from './observe.ts';
import { nodeControl, withControl, withoutTaint, withTaint } from './state.ts';

const GPU_HEALTHY = 'GPUHealthy';

/** New pods avoid a node whose GPUs are not well; those that run are left to their owners. */
export const GPU_TAINT: Taint = { key: 'nullplane.io/gpu-unhealthy', effect: 'NoSchedule' };

/** A node carries no more than this, whatever agents make up. */
export const MAX_CONDITIONS = 16;

/** The node after this report; undefined when it is late, no news, or one too many. */
export function observeCondition(
  node: Node,
  { condition, atMs }: ConditionMessage,
  nowMs: number,
): Node | undefined {
  const control = nodeControl(node);
  const { type, status, reason, message } = condition;
  const { conditions = [] } = node.status;
  const old = findCondition(conditions, type);
  if (type === 'Ready' || control.status === 'gone') return undefined;
  if (!old && conditions.length >= MAX_CONDITIONS) return undefined;
  if (old && atMs <= (control.conditionsAtMs?.[type] ?? 0)) return undefined;
  if (nowMs - atMs > NEWS_MS) return undefined;
  const isSame = old?.status === status && old.reason === reason && old.message === message;
  if (isSame) return undefined;
  const next = withCondition(conditions, { type, status, reason, message }, nowMs);
  const told = { ...node, status: { ...node.status, conditions: next } };
  const conditionsAtMs = { ...control.conditionsAtMs, [type]: atMs };
  return withControl(withGpuTaint(told, type, status), { ...control, conditionsAtMs });
}

/** `Unknown` is no reason to trust a GPU again, and none to stop trusting it. */
function withGpuTaint(node: Node, type: string, status: string): Node {
  if (type !== GPU_HEALTHY || status === 'Unknown') return node;
  return status === 'False' ? withTaint(node, GPU_TAINT) : withoutTaint(node, GPU_TAINT.key);
}
