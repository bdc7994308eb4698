/**
 * The status of a Deployment, from the statuses of its ReplicaSets: the counts and conditions that
 * `kubectl rollout status` and `kubectl get` read. Does not own sizes.
 */
import { findCondition, withCondition, withoutCondition } from '../../api/conditions.ts';
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from '../../api/kinds/workloads.ts';
import { parseTime, rfc3339 } from '../../api/time.ts';
import { present, sum } from '../counts.ts';
import { limitsOf } from './limits.ts';
import type { Fleet } from './revisions.ts';

/** What the plan is about, beside the counts. */
export interface Course {
  /** Whether the template is being rolled out: not while paused, resized or deleted. */
  readonly rollingOut: boolean;
  /** The current ReplicaSet is made in this plan. */
  readonly created: boolean;
}

type Conditions = readonly DeploymentCondition[] | undefined;
/** A condition as it is to be; times are filled in when it is put in its place. */
type Verdict = Pick<DeploymentCondition, 'type' | 'status'> & { reason: string; message: string };

/** progressDeadlineSeconds of this value means no deadline, as in Kubernetes. */
const NO_DEADLINE_SECONDS = 2_147_483_647;

export function statusOf(
  deployment: Deployment,
  fleet: Fleet,
  course: Course,
  nowMs: number,
): DeploymentStatus {
  const counts = countsOf(deployment, fleet);
  const available = withVerdict(
    deployment.status.conditions,
    availability(deployment, counts),
    nowMs,
  );
  const progress = withProgress(deployment, fleet, counts, course, available, nowMs);
  const conditions = withFailure(progress, fleet, nowMs) ?? [];
  return { ...counts, ...(conditions.length > 0 ? { conditions } : {}) };
}

/**
 * Whether the rollout is over: only pods of the present template are left, and all are available.
 */
export function isComplete({ spec, metadata }: Deployment, status: DeploymentStatus): boolean {
  return (
    (status.updatedReplicas ?? 0) === spec.replicas &&
    (status.replicas ?? 0) === spec.replicas &&
    (status.availableReplicas ?? 0) === spec.replicas &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

/**
 * When the rollout misses its deadline unless it goes on; undefined when there is nothing to wait
 * for.
 */
export function deadlineInMs(
  deployment: Deployment,
  { conditions }: DeploymentStatus,
  nowMs: number,
): number | undefined {
  const progressing = findCondition(conditions, 'Progressing');
  if (!progressing || progressing.status !== 'True' || isOver(progressing)) return undefined;
  return Math.max(0, deadlineMs(deployment, progressing) - nowMs) + 1;
}

function countsOf(deployment: Deployment, { current, old }: Fleet): DeploymentStatus {
  const { metadata, status } = deployment;
  const sets = [...old, ...(current ? [current] : [])];
  const total = (count: (status: ReplicaSet['status']) => number | undefined) =>
    sum(sets.map((set) => count(set.status) ?? 0));
  const availableReplicas = total((s) => s.availableReplicas);
  const wanted = sum(sets.map((set) => set.spec.replicas));
  return {
    ...present({
      observedGeneration: metadata.generation ?? 0,
      replicas: total((s) => s.replicas),
      updatedReplicas: current?.status.replicas ?? 0,
      readyReplicas: total((s) => s.readyReplicas),
      availableReplicas,
      unavailableReplicas: Math.max(0, wanted - availableReplicas),
      terminatingReplicas: total((s) => s.terminatingReplicas),
      collisionCount: status.collisionCount ?? 0,
    }),
  };
}

function availability({ spec }: Deployment, counts: DeploymentStatus): Verdict {
  const enough = (counts.availableReplicas ?? 0) >= spec.replicas - limitsOf(spec).maxUnavailable;
  return {
    type: 'Available',
    ...(enough
      ? {
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }
      : {
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        }),
  };
}

function withProgress(
  deployment: Deployment,
  { current }: Fleet,
  counts: DeploymentStatus,
  { rollingOut, created }: Course,
  conditions: Conditions,
  nowMs: number,
): Conditions {
  if (!hasDeadline(deployment)) return withoutCondition(conditions, 'Progressing');
  const subject = current
    ? `ReplicaSet "${current.metadata.name}"`
    : `Deployment "${deployment.metadata.name}"`;
  const begun = begin(deployment, current, created, conditions, nowMs);
  const before = findCondition(begun, 'Progressing');
  const settled =
    counts.replicas === counts.updatedReplicas && before?.reason === 'NewReplicaSetAvailable';
  if (!rollingOut || settled) return begun;
  if (isComplete(deployment, counts)) {
    const message = `${subject} has successfully progressed.`;
    return withVerdict(begun, progressing('True', 'NewReplicaSetAvailable', message), nowMs);
  }
  if (hasProgressed(deployment.status, counts)) {
    const verdict = progressing('True', 'ReplicaSetUpdated', `${subject} is progressing.`);
    return put(begun, verdict, nowMs);
  }
  if (before && !isOver(before) && deadlineMs(deployment, before) < nowMs) {
    const message = `${subject} has timed out progressing.`;
    return withVerdict(begun, progressing('False', 'ProgressDeadlineExceeded', message), nowMs);
  }
  return begun;
}

/** What is said of progress before any is made: paused, resumed, a ReplicaSet made or found. */
function begin(
  { spec }: Deployment,
  current: ReplicaSet | undefined,
  created: boolean,
  conditions: Conditions,
  nowMs: number,
): Conditions {
  const before = findCondition(conditions, 'Progressing');
  const wasPaused = before?.reason === 'DeploymentPaused';
  if (spec.paused && !wasPaused && before?.reason !== 'ProgressDeadlineExceeded') {
    const verdict = progressing('Unknown', 'DeploymentPaused', 'Deployment is paused');
    return withVerdict(conditions, verdict, nowMs);
  }
  const resumed = progressing('Unknown', 'DeploymentResumed', 'Deployment is resumed');
  const going = wasPaused && !spec.paused ? withVerdict(conditions, resumed, nowMs) : conditions;
  if (!current || (before && !created)) return going;
  const [reason, verb] = created
    ? ['NewReplicaSetCreated', 'Created']
    : ['FoundNewReplicaSet', 'Found'];
  const message = `${verb} new replica set "${current.metadata.name}"`;
  return withVerdict(going, progressing('True', reason, message), nowMs);
}

function withFailure(conditions: Conditions, { current, old }: Fleet, nowMs: number): Conditions {
  const failure = [current, ...old]
    .flatMap((set) => findCondition(set?.status.conditions, 'ReplicaFailure') ?? [])
    .find(({ status }) => status === 'True');
  if (!failure) return withoutCondition(conditions, 'ReplicaFailure');
  const { type, status, reason = '', message = '' } = failure;
  return withVerdict(conditions, { type, status, reason, message }, nowMs);
}

function progressing(status: Verdict['status'], reason: string, message: string): Verdict {
  return { type: 'Progressing', status, reason, message };
}

/** The condition in its place; one that says the same already keeps its times. */
function withVerdict(conditions: Conditions, verdict: Verdict, nowMs: number): Conditions {
  const before = findCondition(conditions, verdict.type);
  const same = before?.status === verdict.status && before.reason === verdict.reason;
  return same ? conditions : put(conditions, verdict, nowMs);
}

function put(conditions: Conditions, verdict: Verdict, nowMs: number): Conditions {
  return withCondition(conditions, { ...verdict, lastUpdateTime: rfc3339(nowMs) }, nowMs);
}

function hasProgressed(before: DeploymentStatus, now: DeploymentStatus): boolean {
  const oldPods = (s: DeploymentStatus) => (s.replicas ?? 0) - (s.updatedReplicas ?? 0);
  const grew = (field: 'updatedReplicas' | 'readyReplicas' | 'availableReplicas') =>
    (now[field] ?? 0) > (before[field] ?? 0);
  return (
    grew('updatedReplicas') ||
    grew('readyReplicas') ||
    grew('availableReplicas') ||
    oldPods(now) < oldPods(before)
  );
}

function hasDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== NO_DEADLINE_SECONDS;
}

function isOver({ reason }: DeploymentCondition): boolean {
  return reason === 'NewReplicaSetAvailable' || reason === 'ProgressDeadlineExceeded';
}

function deadlineMs({ spec }: Deployment, since: DeploymentCondition): number {
  return (parseTime(since.lastUpdateTime) ?? 0) + spec.progressDeadlineSeconds * 1000;
}
