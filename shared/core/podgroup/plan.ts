/**
 * The status of a PodGroup: how many of its pods have a place, run, have succeeded or failed, and
 * how far the group has got by that. Pure, and level-triggered. Owns phase, counts and
 * `occupiedBy`; conditions and `scheduleStartTime` are the scheduler's, and stay as they are.
 *
 * Invariant G1: a group that has finished stays so, whatever becomes of its pods afterwards.
 *
 * Source: the scheduler-plugins project, PodGroup v1alpha1 and its controller.
 */
import { sameJson } from '../../api/hash.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { PodGroup, PodGroupPhase, PodGroupStatus } from '../../api/kinds/scheduling.ts';
import { present } from '../counts.ts';
import { inOrder, NOTHING, type Plan, update } from '../plan.ts';
import { requestedNode } from '../scheduling/pending.ts';

export const POD_GROUPS = 'podgroups.scheduling.x-k8s.io';

export interface PodGroupSnapshot {
  readonly group: PodGroup;
  /** The pods that name the group. */
  readonly pods: readonly Pod[];
}

export function planPodGroup({ group, pods }: PodGroupSnapshot): Plan {
  const status = statusOf(group, pods);
  if (sameJson(status, group.status)) return NOTHING;
  return inOrder(update(POD_GROUPS, { ...group, status } as PodGroup));
}

interface Counts {
  readonly members: number;
  readonly scheduled: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
}

function statusOf({ spec, status }: PodGroup, pods: readonly Pod[]): PodGroupStatus {
  // A pod on its way out is no member any more: another one takes its place.
  const members = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
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

/** Bound to a node, and not just asking for one by its name. */
function hasPlace(pod: Pod): boolean {
  return Boolean(pod.spec.nodeName) && requestedNode(pod) === undefined;
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
