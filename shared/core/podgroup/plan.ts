/**
 * The status of a PodGroup: how many of its pods have a place, run, have succeeded or failed, and
 * how far the group has got by that. Pure, and level-triggered. Owns phase, counts and
 * `occupiedBy`, and says that the group is scheduled, or has given its room back (release.ts); why
 * it has no place, and `scheduleStartTime`, are the scheduler's, and stay as they are.
 *
 * Invariant G1: a group that has finished stays so, whatever becomes of its pods afterwards.
 *
 * Source: the scheduler-plugins project, PodGroup v1alpha1 and its controller.
 */
import { findCondition, withCondition } from '../../api/conditions.ts';
import { sameJson } from '../../api/hash.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { PodGroup, PodGroupPhase, PodGroupStatus } from '../../api/kinds/scheduling.ts';
import { present } from '../counts.ts';
import {
  type Action,
  event,
  eventTarget,
  inOrder,
  NOTHING,
  type Plan,
  sequence,
  update,
} from '../plan.ts';
import { hasPlace } from '../scheduling/pending.ts';
import { groupControl, withGroupControl } from './control.ts';
import { type Holding, holdingOf, planRelease, TIMED_OUT } from './release.ts';

export const POD_GROUPS = 'podgroups.scheduling.x-k8s.io';

/** Whether the group has all the places that it needs, and why not. */
export const SCHEDULED = 'Scheduled';

/** All had a place, and before they ran together one of them had lost it. */
const INCOMPLETE = 'Incomplete';

export type GroupCondition = NonNullable<PodGroupStatus['conditions']>[number];

export interface PodGroupSnapshot {
  readonly group: PodGroup;
  /** The pods that name the group. */
  readonly pods: readonly Pod[];
}

export function planPodGroup({ group, pods }: PodGroupSnapshot, nowMs: number): Plan {
  // A pod on its way out is no member any more: another one takes its place.
  const members = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const counted = statusOf(group, members);
  const isStarted = hasStarted(group, counted, members);
  const holding = holdingOf(group, members, isStarted, nowMs);
  const { control, timeout, againAfterMs } = holding;
  const status = withVerdict(counted, group, isStarted, holding, nowMs);
  const timer: Plan = { ...NOTHING, ...(againAfterMs === undefined ? {} : { againAfterMs }) };
  if (sameJson(status, group.status) && sameJson(control, groupControl(group))) {
    return sequence(planRelease(group, members, nowMs), timer);
  }
  const write = update(POD_GROUPS, withGroupControl({ ...group, status }, control));
  // What is held is given back at the next look, which this write brings about.
  return sequence(inOrder(write, ...told(group, timeout)), timer);
}

function told(group: PodGroup, timeout: string | undefined): readonly Action[] {
  if (timeout === undefined) return [];
  return [event(eventTarget(POD_GROUPS, group), 'Warning', 'GangTimeout', timeout)];
}

/** The group is whole now, or has been since it had pods at last. */
function hasStarted(group: PodGroup, status: PodGroupStatus, members: readonly Pod[]): boolean {
  if (members.length === 0) return false;
  const { running = 0, succeeded = 0 } = status;
  return groupControl(group).started === true || running + succeeded >= group.spec.minMember;
}

/** Says that the group has all the places that it needs, or has lost those that it had. */
function withVerdict(
  status: PodGroupStatus,
  { spec, metadata }: PodGroup,
  isStarted: boolean,
  { timeout, fit }: Holding,
  nowMs: number,
): PodGroupStatus {
  const about = { type: SCHEDULED, observedGeneration: metadata.generation ?? 1 } as const;
  const said = (verdict: Omit<GroupCondition, 'type'>): PodGroupStatus => {
    const conditions = withCondition<GroupCondition>(
      status.conditions,
      { ...about, ...verdict },
      nowMs,
    );
    return { ...status, conditions };
  };
  if (timeout !== undefined) return said({ status: 'False', reason: TIMED_OUT, message: timeout });
  const isScheduled = fit >= spec.minMember;
  const isSaid = findCondition(status.conditions, SCHEDULED)?.status === 'True';
  if (isScheduled && !isSaid) {
    return said({ status: 'True', reason: 'Scheduled', message: `${fit} pods have a place` });
  }
  // Of one that has started, whoever lost a place is placed anew; it stays what it was.
  if (isScheduled || !isSaid || isStarted) return status;
  const message = `${fit} of ${spec.minMember} pods have a place`;
  return said({ status: 'False', reason: INCOMPLETE, message });
}

interface Counts {
  readonly members: number;
  readonly scheduled: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
}

function statusOf({ spec, status }: PodGroup, members: readonly Pod[]): PodGroupStatus {
  const counts = countsOf(members);
  const phase = status.phase === 'Finished' ? status.phase : phaseOf(counts, spec.minMember);
  const { scheduled: _s, running: _r, succeeded: _ok, failed: _f, ...kept } = status;
  const { members: _m, ...shown } = counts;
  const occupiedBy = status.occupiedBy ?? ownersOf(members);
  return { ...kept, phase, ...present(shown), ...(occupiedBy ? { occupiedBy } : {}) };
}

function countsOf(members: readonly Pod[]): Counts {
  const inPhase = (phase: Pod['status']['phase']) =>
    members.filter(({ status }) => status.phase === phase).length;
  return {
    members: members.length,
    scheduled: members.filter(hasPlace).length,
    running: inPhase('Running'),
    succeeded: inPhase('Succeeded'),
    failed: inPhase('Failed'),
  };
}

function phaseOf(counts: Counts, minMember: number): PodGroupPhase {
  const { members, scheduled, running, succeeded, failed } = counts;
  if (succeeded >= minMember) return 'Finished';
  if (failed > 0 && failed + running + succeeded >= minMember) return 'Failed';
  if (running + succeeded >= minMember) return 'Running';
  if (scheduled >= minMember) return 'Scheduled';
  if (scheduled > 0) return 'Scheduling';
  return members >= minMember ? 'PreScheduling' : 'Pending';
}

/** The owners of the first pod there was, as `namespace/name`. */
function ownersOf(members: readonly Pod[]): string {
  const order = ({ metadata }: Pod) => `${metadata.creationTimestamp} ${metadata.name}`;
  const [first] = [...members].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  const owners = first?.metadata.ownerReferences ?? [];
  return owners
    .map(({ name }) => `${first?.metadata.namespace ?? ''}/${name}`)
    .sort()
    .join(',');
}
