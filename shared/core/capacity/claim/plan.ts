/**
 * The life of a NodeClaim: launched, joined, set up, over. Pure. What is learned of a launch is
 * folded in by observe.ts; emptying a node and ending its machine is the node's
 * (core/node/drain.ts).
 *
 * Invariants:
 *  N1 One claim launches one machine: its uid is the launch's identity, for every repeat.
 *  N2 A claim goes after its node and its machine: while either may be there, the finalizer stays.
 *  N3 A machine that does not join in time is ended, and its claim with it; what it was for is
 *     planned anew (B4).
 */
import { findCondition, withCondition } from '../../../api/conditions.ts';
import { keyOf } from '../../../api/change.ts';
import { parseDuration, parseDurationOrNever } from '../../../api/duration.ts';
import type { NodeClaim, NodePool } from '../../../api/kinds/karpenter.ts';
import type { Node } from '../../../api/kinds/node.ts';
import { parseTime, rfc3339 } from '../../../api/time.ts';
import { isStandIn } from '../../../api/well-formed.ts';
import { deletion, removal, withoutFinalizer } from '../../deletion.ts';
import {
  isGone,
  isUnreachable,
  TERMINATION_FINALIZER,
  TERMINATION_TIME_ANNOTATION,
} from '../../node/state.ts';
import { JOINS_WITHIN_MS } from '../../node/sweep.ts';
import {
  type Action,
  blocked,
  event,
  eventTarget,
  inOrder,
  NOTHING,
  type Plan,
  update,
} from '../../plan.ts';
import { POOL_HASH_ANNOTATION } from './draft.ts';
import { planDisrupted } from './disrupted.ts';
import { driftHash } from './drift.ts';
import { poolRequirements, satisfies } from '../requirements.ts';
import { CLAIMS, claimControl, isRegistered, startupTaintLeft } from './state.ts';

export interface ClaimSnapshot {
  readonly claim: NodeClaim;
  /** The pool that made it; undefined when it is gone. */
  readonly pool?: NodePool;
  /** The node that its machine became; undefined when there is none of its name. */
  readonly node?: Node;
  /** Those of its replacements that there are, where it is to be replaced. */
  readonly replacements?: readonly NodeClaim[];
}

/** A claim that got no machine in this time has been asking in vain. */
const LAUNCHES_WITHIN_MS = 300_000;
/** How often a claim that waits for something is looked at, where nothing wakes it. */
const RECHECK_MS = 60_000;
/** What is due later than the next sweeps is left to them. */
const SWEEPS_MS = 600_000;

export function planClaim(snapshot: ClaimSnapshot, nowMs: number): Plan {
  const { claim, node } = snapshot;
  if (claim.metadata.deletionTimestamp !== undefined) return planEnd(snapshot, nowMs);
  const control = claimControl(claim);
  if (!control) return blocked('a claim that was made by hand is not acted on');
  if (control.instanceId === undefined) return planLaunch(claim, nowMs);
  if (!node || isGone(node)) {
    return isRegistered(claim)
      ? planLost(claim, nowMs)
      : planJoining(claim, control.launchedAtMs, nowMs);
  }
  const { disruption } = control;
  const { replacements = [] } = snapshot;
  return disruption
    ? planDisrupted({ claim, node, replacements }, disruption, nowMs)
    : planNode(snapshot, node, nowMs);
}

function planLaunch(claim: NodeClaim, nowMs: number): Plan {
  const told = findCondition(claim.status.conditions, 'Launched');
  if (told?.status === 'False') {
    return giveUp(claim, told.reason ?? 'LaunchFailed', told.message ?? '', nowMs);
  }
  const createdMs = parseTime(claim.metadata.creationTimestamp) ?? nowMs;
  if (nowMs - createdMs > LAUNCHES_WITHIN_MS) {
    return giveUp(claim, 'LaunchFailed', 'no machine was launched in time', nowMs);
  }
  const key = keyOf(CLAIMS, claim);
  return inOrder({ kind: 'launchInstance', claim: key, claimUid: claim.metadata.uid });
}

function planJoining(claim: NodeClaim, launchedAtMs = 0, nowMs: number): Plan {
  const leftMs = launchedAtMs + JOINS_WITHIN_MS - nowMs;
  if (leftMs <= 0) {
    const message = `its machine did not join within ${JOINS_WITHIN_MS / 60_000} minutes`;
    return giveUp(claim, 'RegistrationFailed', message, nowMs);
  }
  return { ...blocked('waits for its machine to join'), againAfterMs: leftMs };
}

/** The node of a claim that had one is gone: the claim is over. */
function planLost(claim: NodeClaim, nowMs: number): Plan {
  return giveUp(claim, 'NodeGone', 'its node is gone', nowMs);
}

function giveUp(claim: NodeClaim, reason: string, message: string, nowMs: number): Plan {
  const mark = deletion(CLAIMS, claim, {}, nowMs);
  const news = event(eventTarget(CLAIMS, claim), 'Warning', reason, message);
  return { ...NOTHING, stages: mark ? [[mark], [news]] : [[news]], blocked: [message] };
}

function planNode({ claim, pool }: ClaimSnapshot, node: Node, nowMs: number): Plan {
  const expiresAtMs = expiryMs(claim);
  if (expiresAtMs <= nowMs) return giveUp(claim, 'Expired', 'it is older than expireAfter', nowMs);
  const next = observed(claim, pool, node, nowMs);
  const dueMs = expiresAtMs - nowMs;
  const timer = dueMs < SWEEPS_MS ? { againAfterMs: dueMs } : {};
  if (next === claim) return { ...NOTHING, ...timer };
  return { ...NOTHING, stages: [[update(CLAIMS, next)]], ...timer };
}

/** Infinity for a claim that never expires. */
export function expiryMs({ metadata, spec }: NodeClaim): number {
  const afterMs = parseDurationOrNever(spec.expireAfter);
  return afterMs === undefined ? Infinity : (parseTime(metadata.creationTimestamp) ?? 0) + afterMs;
}

type Verdict = readonly [type: string, holds: boolean, reason: string, message: string];

/** The claim after a look at its node; itself when that says nothing new. */
function observed(
  claim: NodeClaim,
  pool: NodePool | undefined,
  node: Node,
  nowMs: number,
): NodeClaim {
  const isReady = findCondition(node.status.conditions, 'Ready')?.status === 'True';
  const startup = startupTaintLeft(claim, node);
  const isSetUp = isReady && !isUnreachable(node) && startup === undefined;
  const waits = startup ? `waits for taint ${startup.key} to go` : 'its node is not ready';
  const drift = driftOf(claim, pool, node);
  const verdicts: readonly Verdict[] = [
    ['Launched', true, 'Launched', ''],
    ['Registered', true, 'Registered', ''],
    ['Initialized', isSetUp, isSetUp ? 'Initialized' : 'NotInitialized', isSetUp ? '' : waits],
    ['Ready', isSetUp, isSetUp ? 'Ready' : 'NotReady', isSetUp ? '' : waits],
    ['Drifted', drift !== undefined, drift ?? 'NotDrifted', ''],
  ];
  const old = claim.status.conditions ?? [];
  const changed = verdicts.filter(([type, holds, reason, message]) => {
    const known = findCondition(old, type);
    const status = holds ? 'True' : 'False';
    if (!known && type === 'Drifted' && !holds) return false;
    return known?.status !== status || known.reason !== reason || known.message !== message;
  });
  const isNamed = claim.status.nodeName === node.metadata.name;
  if (changed.length === 0 && isNamed) return claim;
  const conditions = changed.reduce<NonNullable<NodeClaim['status']['conditions']>>(
    (all, [type, holds, reason, message]) =>
      withCondition(all, { type, status: holds ? 'True' : 'False', reason, message }, nowMs) ?? all,
    old,
  );
  const { capacity, allocatable } = node.status;
  const room = { ...(capacity ? { capacity } : {}), ...(allocatable ? { allocatable } : {}) };
  const status = { ...claim.status, ...room, nodeName: node.metadata.name, conditions };
  return { ...claim, status };
}

/** Why the node is no longer what its pool makes; undefined when it is, or nobody can tell. */
function driftOf(claim: NodeClaim, pool: NodePool | undefined, node: Node): string | undefined {
  if (!pool || isStandIn(pool) || isStandIn(node)) return undefined;
  const made = claim.metadata.annotations?.[POOL_HASH_ANNOTATION];
  if (made !== undefined && made !== driftHash(pool)) return 'NodePoolDrifted';
  return satisfies(node.metadata.labels, poolRequirements(pool))
    ? undefined
    : 'RequirementsDrifted';
}

/** The node first: it is drained, its machine ended, and it goes; then the claim. */
function planEnd({ claim, node }: ClaimSnapshot, nowMs: number): Plan {
  const { finalizers = [] } = claim.metadata;
  if (!finalizers.includes(TERMINATION_FINALIZER)) {
    return finalizers.length > 0
      ? blocked(`waits for finalizers ${finalizers.join(', ')}`)
      : NOTHING;
  }
  if (node && !isGone(node)) return planNodeEnd(claim, node, nowMs);
  const { instanceId } = claimControl(claim) ?? {};
  const end: readonly Action[] =
    instanceId === undefined ? [] : [{ kind: 'terminateInstance', instanceId }];
  const released = withoutFinalizer(claim, TERMINATION_FINALIZER);
  const write = released.metadata.finalizers ? update(CLAIMS, released) : removal(CLAIMS, claim);
  // A launch that was asked for and not answered leaves a machine that no claim means: the sweep
  // ends it when it has not joined in time.
  return { ...NOTHING, stages: [...(end.length > 0 ? [end] : []), [write]] };
}

function planNodeEnd(claim: NodeClaim, node: Node, nowMs: number): Plan {
  const waits = { ...blocked('waits for its node to go'), againAfterMs: RECHECK_MS };
  const bounded = withDeadline(node, claim);
  if (bounded !== node) return { ...waits, stages: [[update('nodes', bounded)]], againAfterMs: 0 };
  const mark = node.metadata.deletionTimestamp ? undefined : deletion('nodes', node, {}, nowMs);
  return mark ? { ...waits, stages: [[mark]] } : waits;
}

/** The node with the time by which it is to be empty, where its claim says how long it may take. */
function withDeadline(node: Node, { metadata, spec }: NodeClaim): Node {
  const graceMs = parseDuration(spec.terminationGracePeriod ?? '');
  const endedMs = parseTime(metadata.deletionTimestamp);
  const { annotations } = node.metadata;
  const isSet = annotations?.[TERMINATION_TIME_ANNOTATION] !== undefined;
  if (graceMs === undefined || endedMs === undefined || isSet) return node;
  const deadline = { [TERMINATION_TIME_ANNOTATION]: rfc3339(endedMs + graceMs) };
  return { ...node, metadata: { ...node.metadata, annotations: { ...annotations, ...deadline } } };
}
