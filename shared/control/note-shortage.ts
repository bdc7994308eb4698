/** Writes down that a node had no capacity for a launch (core/node/shortage.ts), and tells so. */
import type { Node } from '../api/kinds/node.ts';
import { NO_CAPACITY, observeRefusal } from '../core/node/shortage.ts';
import { event, eventTarget } from '../core/plan.ts';
import type { Effects } from './effects.ts';
import { foldIntoNode } from './fold-node.ts';
import { recordEvent } from './record-event.ts';

export async function noteShortage(
  nodeName: string | undefined,
  why: string,
  effects: Effects,
): Promise<void> {
  if (!nodeName) return;
  let about: Node | undefined;
  const fold = (node: Node, nowMs: number) => {
    about = node;
    return observeRefusal(node, why, nowMs);
  };
  const folded = await foldIntoNode(nodeName, fold, effects);
  if (folded !== 'written' || !about) return;
  await recordEvent(event(eventTarget('nodes', about), 'Warning', NO_CAPACITY, why), effects);
}
