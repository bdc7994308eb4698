/**
 * What a pass writes of its choices. First the claims that are to go, each on condition of its
 * version: whoever loses a race launches nothing. Then the claims that take their place.
 */
import { withCondition } from '../../../api/conditions.ts';
import type { NodeClaim } from '../../../api/kinds/karpenter.ts';
import { create, event, eventTarget, NOTHING, type Plan, update } from '../../plan.ts';
import { draftClaim, type PlannedMachine } from '../claim/draft.ts';
import {
  claimControl,
  CLAIMS,
  type Disruption,
  DISRUPTION_REASON,
  type DisruptionReason,
  withClaimControl,
} from '../claim/state.ts';
import type { Candidate } from './candidates.ts';
import { withSeen } from './quiet.ts';

export interface Decision {
  readonly candidates: readonly Candidate[];
  readonly reason: DisruptionReason;
  readonly machines: readonly PlannedMachine[];
  /** What replaces costs less than this. */
  readonly usdPerHour: number;
}

export function disruptionPlan(decision: Decision, nowMs: number): Plan {
  const { candidates, reason, machines, usdPerHour } = decision;
  const claims = candidates.map(({ claim }) => claim.metadata.name);
  const drafts = machines.map((machine) =>
    draftClaim({ ...machine, inPlaceOf: { claims, usdPerHour } }),
  );
  const replacements = drafts.map(({ metadata }) => metadata.name);
  const marks = candidates.map(({ claim }) => {
    return update(CLAIMS, marked(claim, { reason, atMs: nowMs, replacements }, nowMs));
  });
  const message = `Disrupting NodeClaim: ${sentence(decision, drafts)}`;
  const news = candidates.map(({ claim }) => {
    return event(eventTarget(CLAIMS, claim), 'Normal', 'DisruptionChosen', message);
  });
  const launches = drafts.map((draft) => create(CLAIMS, draft));
  const stages = [marks, launches, news].filter((stage) => stage.length > 0);
  return { ...NOTHING, stages };
}

/** For people, in words of their bill. */
function sentence(
  { candidates, reason, usdPerHour }: Decision,
  drafts: readonly NodeClaim[],
): string {
  const pods = candidates.reduce((sum, one) => sum + one.pods.length, 0);
  if (reason === 'Empty') return 'Empty: it has no pods';
  const names = drafts.map(({ metadata }) => metadata.name);
  const place = names.length > 0 ? `on nodeclaim/${names.join(', ')}` : 'elsewhere';
  const what = `${pods} pods of ${candidates.length} nodes have room ${place}`;
  if (usdPerHour === Infinity) return `${reason}: ${what}`;
  const thenUsd = drafts.reduce((sum, one) => sum + (claimControl(one)?.usdPerHour ?? 0), 0);
  return `${reason}: ${what}, for $${thenUsd.toFixed(4)}/h instead of $${usdPerHour.toFixed(4)}/h`;
}

function marked(claim: NodeClaim, disruption: Disruption, nowMs: number): NodeClaim {
  const control = claimControl(claim);
  if (!control) return claim;
  const { reason } = disruption;
  const told = { type: DISRUPTION_REASON, status: 'True', reason, message: '' } as const;
  const conditions = withCondition(claim.status.conditions, told, nowMs);
  const status = { ...claim.status, ...(conditions ? { conditions } : {}) };
  return withClaimControl({ ...claim, status }, { ...control, disruption });
}

/** Remembers what was seen of the node; undefined when that is known, or it goes anyway. */
export function seenPlan(candidate: Candidate, chosen: ReadonlySet<Candidate>): Plan | undefined {
  const { claim, seen, dueAtMs } = candidate;
  const isKnown = claimControl(claim)?.seen === seen;
  const isOfUse = dueAtMs !== Infinity && dueAtMs > seen.sinceMs;
  if (isKnown || !isOfUse || chosen.has(candidate)) return undefined;
  return { ...NOTHING, stages: [[update(CLAIMS, withSeen(claim, seen))]] };
}
