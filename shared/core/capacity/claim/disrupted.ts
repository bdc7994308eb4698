/**
 * The life of a claim that was chosen to go (consolidation/): its node takes no more pods, it waits
 * until all that stand in for it are set up, and then it is deleted. Pure.
 *
 * Invariants:
 *  Q1 It goes only when its replacements are there: a launch that fails takes nothing away.
 *  Q2 One that waits in vain is taken back into use.
 */
import { withoutCondition } from '../../../api/conditions.ts';
import type { NodeClaim } from '../../../api/kinds/karpenter.ts';
import type { Node } from '../../../api/kinds/node.ts';
import { deletion } from '../../deletion.ts';
import { DISRUPTED } from '../../node/observe.ts';
import { withoutTaint, withTaint } from '../../node/state.ts';
import { blocked, event, eventTarget, NOTHING, type Plan, update } from '../../plan.ts';
import {
  claimControl,
  CLAIMS,
  type Disruption,
  DISRUPTION_REASON,
  isInitialized,
  withClaimControl,
} from './state.ts';

/** Replacements are written right after the choice: one that is missing now never will be there. */
const WRITTEN_WITHIN_MS = 60_000;
/** A machine that has not been set up by then has something wrong with it. */
const READY_WITHIN_MS = 1_800_000;
/** Looks that nothing else brings about. */
const RECHECK_MS = 60_000;

export interface DisruptedSnapshot {
  readonly claim: NodeClaim;
  readonly node: Node | undefined;
  /** Those of its replacements that there are. */
  readonly replacements: readonly NodeClaim[];
}

export function planDisrupted(
  { claim, node, replacements }: DisruptedSnapshot,
  disruption: Disruption,
  nowMs: number,
): Plan {
  const cordoned = node && withTaint(node, DISRUPTED);
  if (cordoned && cordoned !== node) return { ...NOTHING, stages: [[update('nodes', cordoned)]] };
  const standing = replacements.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const ageMs = nowMs - disruption.atMs;
  const areMissing = standing.length < disruption.replacements.length;
  if (areMissing && (ageMs > WRITTEN_WITHIN_MS || standing.length < replacements.length)) {
    return takeBack(claim, node, 'a replacement could not be launched');
  }
  if (!areMissing && standing.every(isInitialized)) return planDeletion(claim, disruption, nowMs);
  if (ageMs > READY_WITHIN_MS) return takeBack(claim, node, 'its replacements were not set up');
  const waits = blocked(`waits for ${disruption.replacements.join(', ')} to be set up`);
  return { ...waits, againAfterMs: RECHECK_MS };
}

function planDeletion(claim: NodeClaim, { reason }: Disruption, nowMs: number): Plan {
  const mark = deletion(CLAIMS, claim, {}, nowMs);
  const message = `Disrupting NodeClaim: ${reason}`;
  const news = event(eventTarget(CLAIMS, claim), 'Normal', 'DisruptionTerminating', message);
  return { ...NOTHING, stages: [mark ? [mark] : [], [news]].filter(({ length }) => length > 0) };
}

/** The node first: what is left undone is then still marked, and taken back again. */
function takeBack(claim: NodeClaim, node: Node | undefined, why: string): Plan {
  const open = node && withoutTaint(node, DISRUPTED.key);
  const news = event(eventTarget(CLAIMS, claim), 'Warning', 'DisruptionBlocked', why);
  const opening = open && open !== node ? [[update('nodes', open)]] : [];
  return { ...NOTHING, stages: [...opening, [update(CLAIMS, unmarked(claim))], [news]] };
}

function unmarked(claim: NodeClaim): NodeClaim {
  const control = claimControl(claim);
  if (!control) return claim;
  const { disruption: _, ...kept } = control;
  const conditions = withoutCondition(claim.status.conditions, DISRUPTION_REASON);
  return withClaimControl({ ...claim, status: { ...claim.status, conditions } }, kept);
}
