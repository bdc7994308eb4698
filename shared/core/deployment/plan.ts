/**
 * Deployment: brings a change of the template to the pods, by way of ReplicaSets. Owns which
 * ReplicaSets there are, how large they are, and what is said of it; does not own pods
 * (core/replicaset).
 *
 * A plan is one step. Each step changes sizes; ReplicaSets answer with statuses; those wake the
 * next step.
 *
 * Invariants: S9 (rolling.ts U1, U2), S7 (revisions.ts V2), and
 *  Y1 A step that changes nothing writes nothing (L3).
 */
import { sameJson } from '../../api/hash.ts';
import type { Deployment, ReplicaSet } from '../../api/kinds/workloads.ts';
import { type AnyObject, controllerOf } from '../../api/meta.ts';
import { deletion } from '../deletion.ts';
import { claim } from '../ownership.ts';
import { type Action, create, event, eventTarget, type Plan, update } from '../plan.ts';
import { REPLICA_SETS } from '../replicaset/plan.ts';
import { limitsOf } from './limits.ts';
import {
  type Fleet,
  fleetOf,
  newSet,
  resized,
  REVISION,
  revised,
  revisionOf,
  wouldBeKnown,
} from './revisions.ts';
import { isEmpty, recreateSizes, rollingSizes, type Sized } from './rolling.ts';
import { isResized, scaledSizes } from './scaling.ts';
import { deadlineInMs, isComplete, statusOf } from './status.ts';

export const DEPLOYMENTS = 'deployments.apps';

export interface DeploymentSnapshot {
  readonly deployment: Deployment;
  /** The ReplicaSets that it controls, and those of its namespace that nothing controls. */
  readonly sets: readonly ReplicaSet[];
  /** What has the name that a ReplicaSet of the present template would get (`newSetName`). */
  readonly namesake: AnyObject | undefined;
  /** The namespace is going: nothing new is made in it. */
  readonly namespaceTerminating: boolean;
}

export function planDeployment(snapshot: DeploymentSnapshot, nowMs: number): Plan {
  const { deployment } = snapshot;
  const { selector } = deployment.spec;
  const claims = claim(REPLICA_SETS, deployment, selector, knownSets(snapshot));
  // Whose the sets are comes first: sizes of this look are void once that changes.
  if (claims.changes.length > 0) return { stages: [claims.changes], blocked: [] };
  const before = fleetOf(deployment, claims.owned);
  const step = stepOf(snapshot, before);
  if (step.created && !wouldBeKnown(deployment)) return { stages: [], blocked: [UNKNOWN_SET] };
  if (step.created && snapshot.namesake) return renamed(deployment);
  return conclude(deployment, before, step, nowMs);
}

const OTHER_NAME_AFTER_MS = 50;
const UNKNOWN_SET = 'its selector does not select what its template makes';

/** The name of the new set belongs to another object, so that the next look derives another one. */
function renamed(deployment: Deployment): Plan {
  const collisionCount = (deployment.status.collisionCount ?? 0) + 1;
  const next = { ...deployment, status: { ...deployment.status, collisionCount } };
  const reason = 'the name of the new replica set is taken';
  // Only the status changes, which wakes nobody.
  const againAfterMs = OTHER_NAME_AFTER_MS;
  return { stages: [[update(DEPLOYMENTS, next)]], blocked: [reason], againAfterMs };
}

/** What is to become of the fleet in one step. */
interface Step {
  readonly after: Fleet;
  readonly rollingOut: boolean;
  readonly created: boolean;
}

/** The index may not know a set yet that its name leads to. */
function knownSets({ deployment, sets, namesake }: DeploymentSnapshot): readonly ReplicaSet[] {
  const ours = namesake && controllerOf(namesake)?.uid === deployment.metadata.uid;
  const known = sets.some((set) => set.metadata.uid === namesake?.metadata.uid);
  return ours && !known ? [...sets, namesake as unknown as ReplicaSet] : sets;
}

function stepOf({ deployment, namespaceTerminating }: DeploymentSnapshot, fleet: Fleet): Step {
  const { spec, metadata } = deployment;
  const leaving = metadata.deletionTimestamp !== undefined || namespaceTerminating;
  if (leaving) return { after: fleet, rollingOut: false, created: false };
  const known = fleet.current
    ? { ...fleet, current: revised(deployment, fleet.current, fleet.old) }
    : fleet;
  const recreate = spec.strategy.type === 'Recreate';
  // Under Recreate only one version has pods, and its size follows below.
  if (spec.paused || (!recreate && isResized(spec, known))) {
    const after = withSizes(deployment, known, scaledSizes(spec, known));
    return { after, rollingOut: false, created: false };
  }
  const mayCreate = !recreate || known.old.every(isEmpty);
  const created = !known.current && mayCreate;
  const whole = created
    ? { ...known, current: revised(deployment, newSet(deployment), known.old) }
    : known;
  const sizes = recreate ? recreateSizes(spec, whole) : rollingSizes(spec, whole);
  return { after: withSizes(deployment, whole, sizes), rollingOut: true, created };
}

function withSizes({ spec }: Deployment, fleet: Fleet, sizes: readonly Sized[]): Fleet {
  const basis = { desired: spec.replicas, max: spec.replicas + limitsOf(spec).maxSurge };
  const sizeOf = new Map(sizes.map(({ set, size }) => [set.metadata.name, size]));
  const sized = (set: ReplicaSet): ReplicaSet => {
    const size = sizeOf.get(set.metadata.name);
    // The basis of an unchanged size matters only where it is read: on sets that have pods.
    const stays = size === undefined || (size === set.spec.replicas && size === 0);
    return stays && set.metadata.uid !== '' ? set : resized(set, size ?? 0, basis);
  };
  return {
    current: fleet.current && sized(fleet.current),
    old: fleet.old.map(sized),
  };
}

/** The plan that takes the fleet from one state to the other, and says so. */
function conclude(deployment: Deployment, before: Fleet, step: Step, nowMs: number): Plan {
  const { after, rollingOut } = step;
  const status = statusOf(deployment, after, step, nowMs);
  const next: Deployment = { ...withRevision(deployment, after), status };
  const cleans = deployment.spec.paused || (rollingOut && isComplete(deployment, status));
  const again = rollingOut && !isComplete(deployment, status);
  const againAfterMs = again ? deadlineInMs(deployment, status, nowMs) : undefined;
  const writes = [
    ...eventsOf(deployment, before, after),
    ...(cleans ? cleanUp(deployment, after.old, nowMs) : []),
    ...(sameJson(next, deployment) ? [] : [update(DEPLOYMENTS, next)]),
  ];
  return {
    stages: [changesOf(before, after), writes].filter((stage) => stage.length > 0),
    blocked: [],
    ...(againAfterMs === undefined ? {} : { againAfterMs }),
  };
}

function withRevision(deployment: Deployment, { current }: Fleet): Deployment {
  const revision = current && String(revisionOf(current));
  const { metadata } = deployment;
  if (!revision || metadata.annotations?.[REVISION] === revision) return deployment;
  const annotations = { ...metadata.annotations, [REVISION]: revision };
  return { ...deployment, metadata: { ...metadata, annotations } };
}

function changesOf(before: Fleet, after: Fleet): readonly Action[] {
  return pairs(before, after).flatMap(([old, set]) => {
    if (!old) return create(REPLICA_SETS, set);
    return sameJson(old, set) ? [] : update(REPLICA_SETS, set);
  });
}

function eventsOf(deployment: Deployment, before: Fleet, after: Fleet): readonly Action[] {
  const about = eventTarget(DEPLOYMENTS, deployment);
  return pairs(before, after).flatMap(([old, set]) => {
    const size = set.spec.replicas;
    const from = old?.spec.replicas ?? 0;
    if (size === from) return [];
    const direction = size > from ? 'up' : 'down';
    const sizes = old ? `from ${from} to ${size}` : `to ${size}`;
    const message = `Scaled ${direction} replica set ${set.metadata.name} ${sizes}`;
    return event(about, 'Normal', 'ScalingReplicaSet', message);
  });
}

/** Each set as it is to be, with what it was. */
function pairs(
  before: Fleet,
  after: Fleet,
): readonly (readonly [ReplicaSet | undefined, ReplicaSet])[] {
  const sets = [...(after.current ? [after.current] : []), ...after.old];
  const known = [...(before.current ? [before.current] : []), ...before.old];
  return sets.map((set) => [known.find((k) => k.metadata.name === set.metadata.name), set]);
}

/**
 * Old sets beyond the history limit, lowest revision first; only those that have no pods any more.
 */
function cleanUp(
  { spec }: Deployment,
  old: readonly ReplicaSet[],
  nowMs: number,
): readonly Action[] {
  const kept = old.filter((set) => set.metadata.deletionTimestamp === undefined);
  const tooMany = kept.length - spec.revisionHistoryLimit;
  return [...kept]
    .sort((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, Math.max(0, tooMany))
    .filter(isEmpty)
    .flatMap((set) => deletion(REPLICA_SETS, set, {}, nowMs) ?? []);
}
