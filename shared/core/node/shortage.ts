/**
 * Shortages of services that stand as nodes: Fargate or Fargate Spot refused a launch for want of
 * capacity, and is avoided for some minutes. Pure. Shortages of EC2 are kept by type, zone and kind
 * with their NodePools (core/capacity/shortages.ts); Fargate tells nothing so exact.
 *
 * Invariant F1: a shortage keeps new pods away and no more. Pods that run there stay.
 */
import { withCondition } from '../../api/conditions.ts';
import type { Node } from '../../api/kinds/node.ts';
import { rfc3339 } from '../../api/time.ts';
import { SHORT_FOR_MS } from '../capacity/shortages.ts';
import { NOTHING, type Plan, update } from '../plan.ts';
import { isVirtualNode } from '../scheduling/cluster.ts';
import { nodeControl, withControl } from './state.ts';

/** The node's condition while launches are refused there. */
export const NO_CAPACITY = 'NoCapacity';

/** Many launches are refused at about one time: the first of them is written, and not each. */
const RENEWED_AFTER_MS = 30_000;

/** The node after it refused a launch for want of capacity; undefined where that is no news. */
export function observeRefusal(node: Node, why: string, nowMs: number): Node | undefined {
  if (!isVirtualNode(node)) return undefined;
  const leftMs = shortForMs(node, nowMs) ?? 0;
  if (leftMs > SHORT_FOR_MS - RENEWED_AFTER_MS) return undefined;
  const shortUntilMs = nowMs + SHORT_FOR_MS;
  const message = `${why}; new pods avoid it until ${rfc3339(shortUntilMs)}`;
  const short = { type: NO_CAPACITY, status: 'True', reason: 'LaunchRefused', message } as const;
  return withControl(withVerdict(node, short, nowMs), { ...nodeControl(node), shortUntilMs });
}

/** How much longer new pods avoid the node; undefined: they need not. */
export function shortForMs(node: Node, nowMs: number): number | undefined {
  const leftMs = (nodeControl(node).shortUntilMs ?? 0) - nowMs;
  return leftMs > 0 ? leftMs : undefined;
}

/** Says when the shortage is over, which wakes those that wait for it. */
export function planShortage(node: Node, nowMs: number): Plan {
  const { shortUntilMs, ...control } = nodeControl(node);
  if (shortUntilMs === undefined) return NOTHING;
  const leftMs = shortForMs(node, nowMs);
  if (leftMs !== undefined) return { ...NOTHING, againAfterMs: leftMs };
  const message = 'it may have capacity again';
  const over = { type: NO_CAPACITY, status: 'False', reason: 'TimePassed', message } as const;
  const next = withControl(withVerdict(node, over, nowMs), control);
  return { ...NOTHING, stages: [[update('nodes', next)]] };
}

type Verdict = NonNullable<Node['status']['conditions']>[number];

function withVerdict(node: Node, verdict: Verdict, nowMs: number): Node {
  const conditions = withCondition(node.status.conditions, verdict, nowMs);
  return { ...node, status: { ...node.status, conditions } };
}
