/**
 * Since when a node has had the pods that it has: `consolidateAfter` counts from there, so that a
 * node that pods come and go on is left alone. What is remembered is a hash, written when it
 * changes; additions tell their time by themselves. Pure.
 */
import { findCondition } from '../../../api/conditions.ts';
import { hash64 } from '../../../api/hash.ts';
import type { NodeClaim } from '../../../api/kinds/karpenter.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { parseTime, rfc3339 } from '../../../api/time.ts';
import { claimControl, type Seen, withClaimControl } from '../claim/state.ts';

/** What is seen now; the very same as remembered, where nothing has changed. */
export function seenNow(claim: NodeClaim, pods: readonly Pod[], nowMs: number): Seen {
  const known = claimControl(claim)?.seen;
  const hash = hashOf(pods);
  if (known?.pods === hash) return known;
  const newestMs = Math.max(0, ...pods.map(boundAtMs));
  const before = pods.filter((pod) => boundAtMs(pod) <= (known?.sinceMs ?? -1));
  const onlyCame = known !== undefined && hashOf(before) === known.pods;
  // Who has left since, nobody can tell; a node that is seen first has been set up just now.
  return { pods: hash, sinceMs: onlyCame ? Math.min(newestMs, nowMs) : nowMs };
}

export function withSeen(claim: NodeClaim, seen: Seen): NodeClaim {
  const control = claimControl(claim);
  if (!control) return claim;
  const status = { ...claim.status, lastPodEventTime: rfc3339(seen.sinceMs) };
  return withClaimControl({ ...claim, status }, { ...control, seen });
}

function hashOf(pods: readonly Pod[]): string {
  const uids = pods.map(({ metadata }) => metadata.uid).sort();
  return hash64(uids.join()).toString(36);
}

/** When the pod was given the place that it has. */
export function boundAtMs({ status, metadata }: Pod): number {
  const scheduled = findCondition(status.conditions, 'PodScheduled')?.lastTransitionTime;
  return parseTime(scheduled ?? metadata.creationTimestamp) ?? 0;
}
